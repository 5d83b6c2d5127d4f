//! Flux's digests of releases and of what they are made from.

use crd_types::appliers::CommonMetadata;
use crd_types::helm::PostRenderer;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::record::{HookEvent, HookRecord, Info, Record};
use go_json::{Members, push_list, push_text, push_value};

/// The digest of a record, as a snapshot holds it. Tests do not count: users run them when they
/// like. `oci_digest` is what the snapshot says of the chart.
pub fn digest(record: &Record, oci_digest: Option<&str>) -> String {
    let mut json = String::with_capacity(record.manifest.len() * 2);
    let mut members = Members::new(&mut json);
    push_text(members.member("name"), &record.name);
    members.member("version").push_str(&record.version.to_string());
    push_info(members.member("info"), &record.info);
    let metadata = record.chart.as_ref().and_then(|chart| chart.metadata.as_ref());
    push_metadata(members.member("chartMetadata"), metadata);
    match record.config.as_ref().filter(|config| !config.is_empty()) {
        Some(config) => push_map(members.member("config"), config),
        None => members.member("config").push_str("null"),
    }
    push_text(members.member("manifest"), &record.manifest);
    let hooks = || record.hooks.iter().filter(|hook| !hook.runs_at(HookEvent::Test));
    if hooks().next().is_some() {
        push_list(members.member("hooks"), hooks(), push_hook);
    } else {
        members.member("hooks").push_str("null");
    }
    push_text(members.member("namespace"), &record.namespace);
    members.text("ociDigest", oci_digest.unwrap_or_default());
    members.end();
    json.push('\n');
    sha256(json.as_bytes())
}

/// The digest of the values of a release. It is of their YAML.
pub fn config_digest(values: &Map<String, Value>) -> String {
    if values.is_empty() {
        return sha256(b"");
    }
    sha256(yaml::emit(&Value::Object(values.clone())).as_bytes())
}

/// The digest of `spec.postRenderers`; empty if there are none.
pub fn post_renderers_digest(renderers: &[PostRenderer]) -> String {
    if renderers.is_empty() {
        return String::new();
    }
    let mut json = String::new();
    push_list(&mut json, renderers, |out, renderer| {
        let mut members = Members::new(out);
        if let Some(kustomize) = &renderer.kustomize {
            let fields = serde_json::to_value(kustomize).unwrap_or_default();
            let mut inner = Members::new(members.member("kustomize"));
            push_ordered(&mut inner, &fields, "patches", &["patch", "target"]);
            push_ordered(&mut inner, &fields, "images", &["name", "newName", "newTag", "digest"]);
            inner.end();
        }
        members.end();
    });
    json.push('\n');
    sha256(json.as_bytes())
}

/// The digest of `spec.commonMetadata`; empty if there is none.
pub fn common_metadata_digest(metadata: Option<&CommonMetadata>) -> String {
    let Some(metadata) = metadata else { return String::new() };
    let mut json = String::new();
    let mut members = Members::new(&mut json);
    let fields = serde_json::to_value(metadata).unwrap_or_default();
    members.value("annotations", fields.get("annotations"));
    members.value("labels", fields.get("labels"));
    members.end();
    json.push('\n');
    sha256(json.as_bytes())
}

/// A list of objects whose fields stand in the order in which Go declares them.
fn push_ordered(members: &mut Members<'_>, fields: &Value, key: &str, order: &[&str]) {
    const SELECTOR: [&str; 7] =
        ["group", "version", "kind", "namespace", "name", "annotationSelector", "labelSelector"];
    let Some(items) = fields.get(key).and_then(Value::as_array).filter(|items| !items.is_empty())
    else {
        return;
    };
    push_list(members.member(key), items, |out, item| {
        let mut members = Members::new(out);
        for field in order {
            match item.get(field) {
                Some(target @ Value::Object(_)) => {
                    let mut selector = Members::new(members.member(field));
                    for field in SELECTOR {
                        selector.value(field, target.get(field));
                    }
                    selector.end();
                }
                // These two are printed even if they are empty.
                other if matches!(*field, "patch" | "name") => {
                    let text = other.and_then(Value::as_str).unwrap_or_default();
                    push_text(members.member(field), text);
                }
                other => members.value(field, other),
            }
        }
        members.end();
    });
}

fn push_info(out: &mut String, info: &Info) {
    let mut members = Members::new(out);
    let times = [
        ("first_deployed", &info.first_deployed),
        ("last_deployed", &info.last_deployed),
        ("deleted", &info.deleted),
    ];
    for (key, time) in times {
        members.text(key, time.as_deref().filter(|time| !is_no_time(time)).unwrap_or_default());
    }
    members.text("description", &info.description);
    members.text("status", info.status.as_str());
    members.text("notes", &info.notes);
    members.value("resources", info.others.get("resources"));
    members.end();
}

/// What Helm 3 prints for no time.
fn is_no_time(time: &str) -> bool {
    time.starts_with("0001-01-01T00:00:00")
}

fn push_metadata(out: &mut String, metadata: Option<&Map<String, Value>>) {
    let none = Map::new();
    let metadata = metadata.unwrap_or(&none);
    let mut members = Members::new(out);
    for key in ["name", "home", "sources", "version", "description", "keywords"] {
        members.value(key, metadata.get(key));
    }
    push_people(&mut members, metadata.get("maintainers"));
    let fields = ["icon", "apiVersion", "condition", "tags", "appVersion", "deprecated"];
    for key in fields.into_iter().chain(["annotations", "kubeVersion"]) {
        members.value(key, metadata.get(key));
    }
    push_dependencies(&mut members, metadata.get("dependencies"));
    members.value("type", metadata.get("type"));
    members.end();
}

fn push_people(members: &mut Members<'_>, people: Option<&Value>) {
    let Some(people) = people.and_then(Value::as_array).filter(|list| !list.is_empty()) else {
        return;
    };
    push_list(members.member("maintainers"), people, |out, person| {
        let mut members = Members::new(out);
        for key in ["name", "email", "url"] {
            members.value(key, person.get(key));
        }
        members.end();
    });
}

fn push_dependencies(members: &mut Members<'_>, dependencies: Option<&Value>) {
    let Some(all) = dependencies.and_then(Value::as_array).filter(|list| !list.is_empty()) else {
        return;
    };
    push_list(members.member("dependencies"), all, |out, dependency| {
        let text = |key| dependency.get(key).and_then(Value::as_str).unwrap_or_default();
        let mut members = Members::new(out);
        push_text(members.member("name"), text("name"));
        members.text("version", text("version"));
        push_text(members.member("repository"), text("repository"));
        for key in ["condition", "tags", "enabled", "import-values", "alias"] {
            members.value(key, dependency.get(key));
        }
        members.end();
    });
}

fn push_hook(out: &mut String, hook: &HookRecord) {
    let mut members = Members::new(out);
    members.text("name", &hook.name);
    members.text("kind", &hook.kind);
    members.text("path", &hook.path);
    members.text("manifest", &hook.manifest);
    members.texts("events", hook.events.iter().map(String::as_str));
    let mut run = Members::new(members.member("last_run"));
    for (key, time) in
        [("started_at", &hook.last_run.started_at), ("completed_at", &hook.last_run.completed_at)]
    {
        run.text(key, time.as_deref().filter(|time| !is_no_time(time)).unwrap_or_default());
    }
    push_text(run.member("phase"), hook.last_run.phase.as_str());
    run.end();
    if hook.weight != 0 {
        members.member("weight").push_str(&hook.weight.to_string());
    }
    members.texts("delete_policies", hook.delete_policies.iter().map(String::as_str));
    members.texts("output_log_policies", hook.output_log_policies.iter().map(String::as_str));
    members.end();
}

fn push_map(out: &mut String, map: &Map<String, Value>) {
    let mut members = Members::new(out);
    for (key, value) in map {
        push_value(members.member(key), value);
    }
    members.end();
}

fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digests_of_known_inputs_are_those_of_flux() {
        let mut record = Record { name: "foo".to_owned(), ..Record::default() };
        record.info.status = crate::Status::Other(String::new());
        let want = "sha256:f1498f27a16a09cd7e1ee610d924df065c03d30035638babc95dd9a8d412ce4d";
        assert_eq!(digest(&record, None), want);
        let values = serde_json::json!({"image": {"repository": "nginx", "tag": "latest"},
            "ports": [{"port": 8080, "protocol": "TCP"}, {"port": 9090, "protocol": "UDP"}],
            "replicas": 3});
        let want = "sha256:fcdc2b0de1581a3633ada4afee3f918f6eaa5b5ab38c3fef03d5b48d3f85d9f6";
        assert_eq!(config_digest(values.as_object().unwrap()), want);
        assert!(config_digest(&Map::new()).starts_with("sha256:e3b0c442"));
    }
}
