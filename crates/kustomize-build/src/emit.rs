//! Documents to text, as kustomize prints them.

use serde_json::{Map, Value};

use crate::resource::Resource;

/// One document as YAML.
pub(crate) fn document(value: &Value) -> String {
    yaml::emit(value)
}

/// Documents as one YAML stream.
pub(crate) fn stream(documents: &[Map<String, Value>]) -> String {
    let mut text = String::new();
    for fields in documents {
        if !text.is_empty() {
            text.push_str("---\n");
        }
        text.push_str(&document(&Value::Object(fields.clone())));
    }
    text
}

/// A value as Go prints it in JSON: without spaces, and with signs escaped that HTML knows.
pub(crate) fn json_value(value: &Value) -> String {
    let plain = value.to_string();
    if !plain.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return plain;
    }
    let mut text = String::with_capacity(plain.len() + 16);
    for c in plain.chars() {
        match c {
            '<' => text.push_str("\\u003c"),
            '>' => text.push_str("\\u003e"),
            '&' => text.push_str("\\u0026"),
            '\u{2028}' => text.push_str("\\u2028"),
            '\u{2029}' => text.push_str("\\u2029"),
            c => text.push(c),
        }
    }
    text
}

/// A resource in JSON.
pub(crate) fn json(resource: &Resource) -> String {
    json_value(&Value::Object(resource.fields.clone()))
}

/// A resource in JSON, with the notes that kustomize keeps among its annotations.
pub(crate) fn json_with_notes(resource: &Resource) -> String {
    let mut shown = resource.clone();
    let mut annotations = shown.annotations();
    let mut note = |name: &str, words: Vec<&str>| {
        if !words.is_empty() {
            annotations.insert(format!("internal.config.kubernetes.io/{name}"), words.join(","));
        }
    };
    let previous = &resource.notes.previous;
    note("previousKinds", previous.iter().map(|id| id.kind.as_str()).collect());
    note("previousNames", previous.iter().map(|id| id.name.as_str()).collect());
    note("previousNamespaces", previous.iter().map(|id| id.namespace.as_str()).collect());
    let behavior = resource.notes.behavior.iter();
    note("generatorBehavior", behavior.map(|behavior| behavior.name()).collect());
    note("needsHashSuffix", if resource.notes.needs_hash { vec!["enabled"] } else { vec![] });
    note("prefixes", resource.notes.prefixes.iter().map(String::as_str).collect());
    note("suffixes", resource.notes.suffixes.iter().map(String::as_str).collect());
    shown.set_annotations(annotations);
    json(&shown)
}

/// A value as the text that it was read from: JSON stays JSON, with line breaks if it had some.
pub(crate) fn like(value: &Value, original: &str) -> Option<String> {
    if !original.trim_start().starts_with(['{', '[']) {
        return Some(document(value).trim().to_owned());
    }
    if original.contains('\n') && original.contains("  ") {
        return serde_json::to_string_pretty(value).ok();
    }
    Some(json_value(value))
}
