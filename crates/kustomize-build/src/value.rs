//! Questions that kustomize asks of a YAML node, answered for a JSON value.

use serde_json::{Map, Value};

/// The text of a scalar; empty for null, lists and maps.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
    }
}

/// The text of a string, or of another scalar if it is one.
pub(crate) fn borrowed_text(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

/// Whether the value is a string, a number or a boolean.
pub(crate) fn is_scalar(value: &Value) -> bool {
    matches!(value, Value::String(_) | Value::Bool(_) | Value::Number(_))
}

/// Whether there is nothing in it: null, an empty list or an empty map.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::String(_) | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// What kustomize calls this kind of node.
pub(crate) fn node_kind(value: &Value) -> &'static str {
    match value {
        Value::Array(_) => "SequenceNode",
        Value::Object(_) => "MappingNode",
        _ => "ScalarNode",
    }
}

/// The object under `key`, made if there is none; what is no object is replaced.
pub(crate) fn object_entry<'a>(
    fields: &'a mut Map<String, Value>,
    key: &str,
) -> &'a mut Map<String, Value> {
    let slot = fields.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    match slot {
        Value::Object(object) => object,
        _ => unreachable!("the slot was just made an object"),
    }
}

/// A map of strings as kustomize reads labels and annotations: every scalar counts as its text.
pub(crate) fn string_map(value: Option<&Value>) -> std::collections::BTreeMap<String, String> {
    let Some(Value::Object(fields)) = value else { return std::collections::BTreeMap::new() };
    fields.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

/// Puts `text` where a scalar stood, whose type stays: a number remains a number if the text is one.
pub(crate) fn retype(old: &Value, text: &str) -> Value {
    match old {
        Value::String(_) => Value::from(text),
        _ => plain(text),
    }
}

/// What a plain, unquoted scalar means.
pub(crate) fn plain(text: &str) -> Value {
    match text {
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        _ => {}
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        if let Ok(number) = text.parse::<i64>() {
            return Value::from(number);
        }
        if let Ok(number) = text.parse::<u64>() {
            return Value::from(number);
        }
        if digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'))
            && let Ok(number) = text.parse::<f64>()
            && let Some(number) = serde_json::Number::from_f64(number)
        {
            return Value::Number(number);
        }
    }
    Value::from(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_plain_scalar_has_the_type_it_looks_like() {
        for (text, value) in [
            ("8080", json!(8080)),
            ("-1", json!(-1)),
            ("1.5", json!(1.5)),
            ("1.2.3", json!("1.2.3")),
            ("true", json!(true)),
            ("yes", json!("yes")),
            ("~", json!(null)),
            ("-", json!("-")),
        ] {
            assert_eq!(plain(text), value, "{text}");
        }
    }
}
