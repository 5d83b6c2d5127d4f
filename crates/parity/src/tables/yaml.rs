//! `yaml/*.json`.

use serde_json::Value;

use super::{list, outcomes, text};
use crate::compare;
use crate::report::Set;

pub(super) fn read(table: &Value, set: &mut Set) {
    for case in list(table) {
        let yaml = text(case, "yaml");
        let read = yaml::parse(yaml.as_bytes());
        let strict = yaml::parse_strict(yaml.as_bytes());
        let strict = match case["error"].as_str() {
            Some(_) => None,
            None => compare::texts(
                text(case, "strict_error"),
                &strict.err().map(|error| error.to_string()).unwrap_or_default(),
            ),
        };
        let ours = read.map(|value| value.to_string()).map_err(|error| error.to_string());
        let mut case = case.clone();
        if let Some(json) = case["json"].as_str() {
            case["json"] = Value::String(normal(json));
        }
        set.count(yaml, outcomes(&case, "json", "error", &ours).or(strict));
    }
}

pub(super) fn emit(table: &Value, set: &mut Set) {
    for case in list(table).filter(|case| case["error"].is_null()) {
        let json = text(case, "json");
        let difference = match serde_json::from_str::<Value>(json) {
            Err(error) => Some(format!("+error: {error}")),
            Ok(value) => emitted(case, &value),
        };
        set.count(json, difference);
    }
}

fn emitted(case: &Value, value: &Value) -> Option<String> {
    let printed = yaml::emit(value);
    let plain = match case["jsonToYAML"].as_str() {
        // Our values keep integers as JSONToYAML does, and floats as Marshal does.
        Some(unrounded) if unrounded == printed => None,
        _ => compare::texts(text(case, "yaml"), &printed),
    };
    let pretty = yaml::emit_pretty(&with_floats(value.clone()));
    let pretty = pretty.strip_suffix('\n').unwrap_or(&pretty);
    plain.or_else(|| compare::texts(text(case, "toYamlPretty"), pretty))
}

/// Go's JSON reads every number as a float.
fn with_floats(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_f64()),
        Value::Array(items) => items.into_iter().map(with_floats).collect(),
        Value::Object(map) => {
            map.into_iter().map(|(key, value)| (key, with_floats(value))).collect()
        }
        other @ (Value::Null | Value::Bool(_) | Value::String(_)) => other,
    }
}

/// Go escapes more characters in JSON than we do, and its maps may be sorted otherwise.
fn normal(json: &str) -> String {
    serde_json::from_str(json).map_or_else(|_| json.to_owned(), |value: Value| value.to_string())
}
