//! An object made ready for server-side apply.
//!
//! Flux passes objects of built-in kinds through their Go types (ssa, `normalize`). Most of that
//! changes nothing that the API server would not change itself, so only the rest is done here,
//! without the types: defaults that are keys of lists, `stringData`, nulls, and what is not ours.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use manifest::Object;
use serde_json::{Map, Value, json};

use crate::apply::ApplyOptions;
use crate::controls::Controls;

/// How deep nulls are looked for.
const MAX_DEPTH: usize = 192;

/// Labels an object as its owner's, normalises it, and adds the common metadata (which may
/// overwrite the labels: Flux does it last).
pub(crate) fn prepared(
    mut object: Object,
    options: &ApplyOptions,
    controls: Controls<'_>,
) -> Object {
    controls.set_owner(&mut object, &options.owner);
    normalise(&mut object);
    for (key, value) in &options.common_labels {
        object.set_label(key, value);
    }
    for (key, value) in &options.common_annotations {
        object.set_annotation(key, value);
    }
    object
}

fn normalise(object: &mut Object) {
    object.metadata_mut().remove("creationTimestamp");
    let kind = object.kind().to_owned();
    let group = object.gvk().group;
    let is_definition = kind == "CustomResourceDefinition" && group == "apiextensions.k8s.io";
    if is_definition {
        drop_unusable_ca_bundle(object);
        return;
    }
    object.fields_mut().remove("status");
    if !passes_through_types(object) {
        return;
    }
    match (&*group, &*kind) {
        ("", "Secret") => merge_string_data(object.fields_mut()),
        ("", "Service") => default_protocols(object.fields_mut(), "/spec/ports"),
        ("", "Pod") => default_container_protocols(object.fields_mut(), "/spec"),
        ("apps" | "batch", "CronJob") => {
            default_container_protocols(
                object.fields_mut(),
                "/spec/jobTemplate/spec/template/spec",
            );
        }
        ("apps" | "batch", _) => {
            default_container_protocols(object.fields_mut(), "/spec/template/spec");
        }
        _ => {}
    }
    for value in object.fields_mut().values_mut() {
        drop_nulls(value, MAX_DEPTH);
    }
}

/// Whether Flux passes the object through its Go type, which drops nulls and unknown fields.
pub(crate) fn passes_through_types(object: &Object) -> bool {
    let group = object.gvk().group;
    // Flux: roles stay as they are; their empty rules must survive.
    let is_role =
        group == "rbac.authorization.k8s.io" && matches!(object.kind(), "Role" | "ClusterRole");
    is_builtin(&group) && !is_role
}

/// Whether the group belongs to Kubernetes itself.
fn is_builtin(group: &str) -> bool {
    matches!(group, "" | "apps" | "batch" | "autoscaling" | "policy")
        || matches!(
            group.strip_suffix(".k8s.io"),
            Some(
                "admissionregistration"
                    | "apiregistration"
                    | "authentication"
                    | "authorization"
                    | "certificates"
                    | "coordination"
                    | "discovery"
                    | "events"
                    | "flowcontrol.apiserver"
                    | "networking"
                    | "node"
                    | "rbac.authorization"
                    | "scheduling"
                    | "storage"
            )
        )
}

/// Moves `stringData` into `data`, unless one of them is not what it should be: then the API
/// server says so.
fn merge_string_data(secret: &mut Map<String, Value>) {
    let Some(Value::Object(plain)) = secret.get("stringData") else { return };
    let encoded: Option<Vec<(String, Value)>> = plain
        .iter()
        .map(|(key, value)| Some((key.clone(), Value::from(BASE64.encode(value.as_str()?)))))
        .collect();
    let (Some(encoded), None | Some(Value::Null | Value::Object(_))) =
        (encoded, secret.get("data"))
    else {
        return;
    };
    let data = secret.entry("data").or_insert_with(|| json!({}));
    if data.is_null() {
        *data = json!({});
    }
    if let Value::Object(data) = data {
        data.extend(encoded);
        secret.remove("stringData");
    }
}

fn default_container_protocols(object: &mut Map<String, Value>, pod_spec: &str) {
    let Some(Value::Array(containers)) = at(object, &format!("{pod_spec}/containers")) else {
        return;
    };
    for container in containers {
        if let Some(ports) = container.get_mut("ports") {
            default_each_protocol(ports);
        }
    }
}

fn default_protocols(object: &mut Map<String, Value>, ports: &str) {
    if let Some(ports) = at(object, ports) {
        default_each_protocol(ports);
    }
}

/// The protocol is part of the key of a port, so it must be there before the server defaults it.
fn default_each_protocol(ports: &mut Value) {
    let Value::Array(ports) = ports else { return };
    for port in ports.iter_mut().filter_map(Value::as_object_mut) {
        let protocol = port.entry("protocol").or_insert_with(|| json!("TCP"));
        if protocol.is_null() || protocol == "" {
            *protocol = json!("TCP");
        }
    }
}

fn at<'a>(object: &'a mut Map<String, Value>, pointer: &str) -> Option<&'a mut Value> {
    let (first, rest) =
        pointer.strip_prefix('/')?.split_once('/').unwrap_or_else(|| (&pointer[1..], ""));
    let below = object.get_mut(first)?;
    if rest.is_empty() { Some(below) } else { below.pointer_mut(&format!("/{rest}")) }
}

/// A field that is null is not there, as far as a typed client can tell.
fn drop_nulls(value: &mut Value, depth: usize) {
    if depth == 0 {
        return;
    }
    match value {
        Value::Object(fields) => {
            fields.retain(|_, below| !below.is_null());
            fields.values_mut().for_each(|below| drop_nulls(below, depth - 1));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| drop_nulls(item, depth - 1)),
        _ => {}
    }
}

/// Flux: the API server refuses a conversion webhook whose CA bundle is no certificate; charts
/// leave a placeholder there that an injector fills in later.
fn drop_unusable_ca_bundle(definition: &mut Object) {
    let path = "/spec/conversion/webhook/clientConfig";
    let Some(Value::Object(config)) = at(definition.fields_mut(), path) else { return };
    let Some(bundle) = config.get("caBundle") else { return };
    let decoded = bundle.as_str().and_then(|bundle| BASE64.decode(bundle).ok());
    let usable = decoded.is_some_and(|pem| {
        let has = |mark: &[u8]| pem.windows(mark.len()).any(|window| window == mark);
        has(b"-----BEGIN CERTIFICATE-----") && has(b"-----END CERTIFICATE-----")
    });
    if !usable {
        config.remove("caBundle");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(document: Value) -> Value {
        let mut object = Object::new(document).unwrap();
        normalise(&mut object);
        object.into_value()
    }

    #[test]
    fn string_data_becomes_data() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
            "data": {"a": "QQ==", "b": "Qg=="}, "stringData": {"b": "new"}});
        let secret = normalised(secret);
        assert_eq!(secret["data"], json!({"a": "QQ==", "b": "bmV3"}));
        assert_eq!(secret.get("stringData"), None);
        let broken = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
            "stringData": {"b": ["new"]}});
        assert_eq!(normalised(broken.clone()), broken);
    }

    #[test]
    fn ports_get_their_protocol() {
        let pod = json!({"containers": [{"name": "a", "ports": [{"containerPort": 1}]}],
                         "initContainers": [{"name": "b", "ports": [{"containerPort": 2}]}]});
        let workload = normalised(json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "d"}, "spec": {"template": {"spec": pod}}}));
        let spec = &workload["spec"]["template"]["spec"];
        assert_eq!(spec["containers"][0]["ports"][0]["protocol"], "TCP");
        assert_eq!(spec["initContainers"][0]["ports"][0].get("protocol"), None);
        let service = normalised(json!({"apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "s"}, "spec": {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 80}]}}));
        assert_eq!(service["spec"]["ports"][0]["protocol"], "UDP");
        assert_eq!(service["spec"]["ports"][1]["protocol"], "TCP");
    }

    #[test]
    fn status_stays_only_on_definitions() {
        let with = |api: &str, kind: &str| {
            normalised(
                json!({"apiVersion": api, "kind": kind, "status": {"a": 1}, "spec": {"n": null},
                "metadata": {"name": "x", "creationTimestamp": null}}),
            )
        };
        let custom = with("example.com/v1", "Thing");
        assert_eq!(custom.get("status"), None);
        assert_eq!(custom["spec"], json!({"n": null}), "a custom resource may mean its null");
        assert_eq!(custom["metadata"], json!({"name": "x"}));
        assert_eq!(with("apps/v1", "Deployment")["spec"], json!({}));
        let definition = with("apiextensions.k8s.io/v1", "CustomResourceDefinition");
        assert_eq!(definition["status"], json!({"a": 1}));
    }

    #[test]
    fn a_ca_bundle_that_is_none_is_dropped() {
        let with = |bundle: &str| {
            let crd = normalised(json!({"apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition", "metadata": {"name": "x"},
                "spec": {"conversion": {"webhook": {"clientConfig": {"caBundle": bundle}}}}}));
            crd["spec"]["conversion"]["webhook"]["clientConfig"].get("caBundle").is_some()
        };
        assert!(!with("Cg=="));
        assert!(!with("not base64"));
        let pem = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";
        assert!(with(&BASE64.encode(pem)));
    }
}
