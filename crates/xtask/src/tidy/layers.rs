//! Dependencies point down. ARCHITECTURE.md says what the layers are.

use super::Findings;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an engine (layer 0 or 1) may not use: it does no I/O and knows no cluster.
const EDGES: &[&str] =
    &["axum", "gix", "gix-transport", "hyper", "hyper-util", "reqwest", "rustls", "tokio"];

/// The layer of whatever only developers run: the test bed, this program, the system tests.
const DEVELOPMENT: u64 = 5;

pub(super) fn check(metadata: &Value, findings: &mut Findings) {
    let members: Vec<&Value> = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|package| package["source"].is_null())
        .collect();
    let mut layers = BTreeMap::new();
    for package in &members {
        let name = package["name"].as_str().unwrap_or_default();
        match package.pointer("/metadata/ferroflux/layer").and_then(Value::as_u64) {
            Some(layer) => {
                layers.insert(name, layer);
            }
            None => {
                findings.fault(format!("{name} declares no [package.metadata.ferroflux] layer"));
            }
        }
    }
    for package in members {
        let name = package["name"].as_str().unwrap_or_default();
        let Some(layer) = layers.get(name).copied() else { continue };
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            // Tests may look down from anywhere, and up to the test bed.
            let is_dev = dependency["kind"].as_str() == Some("dev");
            check_edge(name, layer, dependency, is_dev, &layers, findings);
        }
    }
}

fn check_edge(
    name: &str,
    layer: u64,
    dependency: &Value,
    is_dev: bool,
    layers: &BTreeMap<&str, u64>,
    findings: &mut Findings,
) {
    let on = dependency["name"].as_str().unwrap_or_default();
    if is_dev {
        return;
    }
    if let Some(below) = layers.get(on) {
        if *below > layer {
            findings.fault(format!("{name} (layer {layer}) depends on {on} (layer {below})"));
        }
        // They meet through the API server and HTTP only.
        if layer < DEVELOPMENT && name.ends_with("-controller") && on.ends_with("-controller") {
            findings.fault(format!("{name} links to {on}; controllers never link to each other"));
        }
    }
    let features = dependency["features"].as_array().into_iter().flatten();
    let has_client = features.into_iter().any(|f| f.as_str() == Some("client"));
    if layer <= 1 && (EDGES.contains(&on) || (on == "kube" && has_client)) {
        findings.fault(format!("{name} (layer {layer}) depends on {on}, which does I/O"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn package(name: &str, layer: u64, dependencies: &[&str]) -> Value {
        let dependencies: Vec<_> =
            dependencies.iter().map(|d| json!({"name": d, "features": [], "kind": null})).collect();
        json!({"name": name, "source": null, "dependencies": dependencies,
               "metadata": {"ferroflux": {"layer": layer}}})
    }

    fn faults(packages: &[Value]) -> Vec<String> {
        let mut findings = Findings::default();
        check(&json!({"packages": packages}), &mut findings);
        findings.faults
    }

    #[test]
    fn down_is_allowed_and_up_is_not() {
        assert!(faults(&[package("a", 1, &["b"]), package("b", 0, &[])]).is_empty());
        assert_eq!(faults(&[package("a", 0, &["b"]), package("b", 1, &[])]).len(), 1);
    }

    #[test]
    fn engines_do_no_io() {
        assert_eq!(faults(&[package("a", 1, &["tokio"])]).len(), 1);
        assert!(faults(&[package("a", 2, &["tokio"])]).is_empty());
    }

    #[test]
    fn controllers_do_not_link_to_each_other() {
        let packages =
            [package("a-controller", 4, &["b-controller"]), package("b-controller", 4, &[])];
        assert_eq!(faults(&packages).len(), 1);
    }
}
