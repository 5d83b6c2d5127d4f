//! Definitions that nobody uses: what a controller costs must not depend on them.

use anyhow::Result;
use serde_json::json;
use testbed::Cluster;

/// Defines this many further kinds, and waits until they are served.
pub(super) fn install(cluster: &Cluster, count: usize) -> Result<()> {
    if count == 0 {
        return Ok(());
    }
    let definitions: Vec<_> = (0..count).map(|n| definition(n).to_string()).collect();
    let definitions = definitions.join("\n---\n");
    let input = |args: &[&str]| cluster.kubectl_with_input(args, &definitions).map(drop);
    input(&["apply", "--server-side", "-f", "-"])?;
    input(&["wait", "--for=condition=Established", "--timeout=120s", "-f", "-"])
}

fn definition(n: usize) -> serde_json::Value {
    let (plural, singular) = (format!("widgets{n:04}"), format!("widget{n:04}"));
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.group{}.example.com", n % 20)},
        "spec": {
            "group": format!("group{}.example.com", n % 20),
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": singular, "kind": format!("Widget{n:04}")},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {
                    "type": "object",
                    "properties": {"spec": {
                        "type": "object",
                        "properties": {
                            "size": {"type": "integer", "description": "How large it is."},
                            "colour": {"type": "string", "description": "How it is painted."},
                        },
                    }},
                }},
            }],
        },
    })
}
