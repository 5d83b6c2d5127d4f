//! What a custom resource definition promises, without its prose.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

/// The facts of our own definitions, by `<group>_<plural>`.
pub(crate) fn ours() -> BTreeMap<String, Value> {
    crd_types::codegen::crds()
        .into_iter()
        .map(|(file, crd)| (file.trim_end_matches(".yaml").to_owned(), of(&crd)))
        .collect()
}

/// The facts of the published definitions: each version as the last release that served it had it.
pub(crate) fn published(crds: &Path) -> Result<BTreeMap<String, Value>, String> {
    let mut all: BTreeMap<String, Value> = BTreeMap::new();
    // Newer releases come later and overwrite the versions that they still serve.
    for folder in ["legacy", "newest"] {
        let mut files: Vec<_> = std::fs::read_dir(crds.join(folder))
            .map_err(|error| error.to_string())?
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect();
        files.sort();
        for file in files {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let (kind, release) =
                name.trim_end_matches(".yaml").split_once(".v").ok_or("no release in the name")?;
            let text = std::fs::read(&file).map_err(|error| error.to_string())?;
            let crd = yaml::parse(&text).map_err(|error| format!("{name}: {error}"))?;
            let mut facts = of(&crd);
            for version in facts["versions"].as_object_mut().into_iter().flat_map(Map::values_mut) {
                version["release"] = json!(release);
            }
            let known = all.entry(kind.to_owned()).or_insert_with(|| json!({ "versions": {} }));
            let mut versions = known["versions"].take();
            merge(&mut versions, facts["versions"].take());
            *known = facts;
            known["versions"] = versions;
        }
    }
    Ok(all)
}

fn merge(older: &mut Value, newer: Value) {
    if let (Value::Object(older), Value::Object(newer)) = (older, newer) {
        older.extend(newer);
    }
}

fn of(crd: &Value) -> Value {
    let spec = &crd["spec"];
    let mut annotations = crd["metadata"]["annotations"].clone();
    if let Some(annotations) = annotations.as_object_mut() {
        annotations.remove("controller-gen.kubebuilder.io/version");
    }
    let versions: Map<String, Value> = spec["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|version| {
            let mut fields = Map::new();
            flatten(&version["schema"]["openAPIV3Schema"], "", false, &mut fields);
            let facts = json!({
                "columns": version["additionalPrinterColumns"],
                "deprecationWarning": version["deprecationWarning"],
                "fields": fields,
                "served": version["served"],
                "storage": version["storage"],
                "subresources": version["subresources"],
            });
            (version["name"].as_str().unwrap_or_default().to_owned(), facts)
        })
        .collect();
    json!({
        "annotations": if annotations.is_null() { json!({}) } else { annotations },
        "conversion": spec["conversion"],
        "group": spec["group"],
        "names": spec["names"],
        "scope": spec["scope"],
        "versions": versions,
    })
}

/// Every field by its path: `.spec.include[].repository.name`, `.status.metadata{}`.
fn flatten(schema: &Value, path: &str, required: bool, fields: &mut Map<String, Value>) {
    let Some(schema) = schema.as_object() else { return };
    let mut facts: Map<String, Value> = schema
        .iter()
        .filter(|(keyword, _)| {
            !["description", "properties", "items", "additionalProperties", "required"]
                .contains(&keyword.as_str())
        })
        .map(|(keyword, value)| (keyword.clone(), value.clone()))
        .collect();
    if required {
        facts.insert("required".to_owned(), json!(true));
    }
    fields.insert(path.to_owned(), Value::Object(facts));
    let needed: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        flatten(field, &format!("{path}.{name}"), needed.contains(&name.as_str()), fields);
    }
    if let Some(items) = schema.get("items") {
        flatten(items, &format!("{path}[]"), false, fields);
    }
    if let Some(values) = schema.get("additionalProperties") {
        flatten(values, &format!("{path}{{}}"), false, fields);
    }
}

/// Prints facts with a line for each field, so that a change of one is a change of one line.
pub(crate) fn print(all: &BTreeMap<String, Value>) -> String {
    let mut text = String::new();
    lines(&json!(all), 0, &mut text);
    text.push('\n');
    text
}

fn lines(value: &Value, depth: usize, out: &mut String) {
    // Kind, versions, version, fields: below that everything is one line.
    match value {
        Value::Object(fields) if depth < 5 && !fields.is_empty() => {
            for (index, (key, value)) in fields.iter().enumerate() {
                out.push_str(if index == 0 { "{\n" } else { ",\n" });
                out.push_str(&" ".repeat(depth + 1));
                out.push_str(&json!(key).to_string());
                out.push_str(": ");
                lines(value, depth + 1, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}
