//! Objects as Go's `%#v` prints them, with keys that kustomize wrote without quotes.

use serde_json::{Map, Value};

use crate::value::plain;

/// Whether kustomize may have made a key that is no text: in the labels, the annotations or the data.
pub(crate) fn has_other_keys(object: &Map<String, Value>) -> bool {
    let metadata = object.get("metadata");
    let maps = [
        metadata.and_then(|metadata| metadata.get("labels")),
        metadata.and_then(|metadata| metadata.get("annotations")),
        object.get("data"),
        object.get("binaryData"),
    ];
    let mut keys = maps.into_iter().flatten().filter_map(Value::as_object).flat_map(Map::keys);
    keys.any(|key| is_other(key))
}

fn is_other(key: &str) -> bool {
    !key.is_empty() && !plain(key).is_string()
}

/// The object; maps with such keys are maps of anything.
pub(crate) fn object(fields: &Map<String, Value>) -> String {
    let is_text = !fields.keys().any(|key| is_other(key));
    let name = |key: &String| {
        if is_other(key) { value(&plain(key)) } else { go_quote::double(key.as_bytes()) }
    };
    let entry = |(key, below): (&String, &Value)| format!("{}:{}", name(key), value(below));
    // Go sorts nil before all else.
    let (null, others): (Vec<_>, Vec<_>) =
        fields.iter().partition(|(key, _)| is_other(key) && plain(key).is_null());
    let entries: Vec<String> = null.into_iter().chain(others).map(entry).collect();
    let keys = if is_text { "string" } else { "interface {}" };
    format!("map[{keys}]interface {{}}{{{}}}", entries.join(", "))
}

fn value(of: &Value) -> String {
    match of {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::String(text) => go_quote::double(text.as_bytes()),
        Value::Bool(_) | Value::Number(_) => of.to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(value).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Object(fields) => object(fields),
    }
}
