//! JSON values as CEL sees them.

use std::collections::HashMap;
use std::sync::Arc;

use kube_cel::cel::Value;
use kube_cel::cel::objects::{Key, Map};

/// A JSON value as CEL sees it. Flux: a number without fraction is an int, as in Go's unstructured
/// objects, never a uint.
pub(crate) fn of(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(it) => Value::Bool(*it),
        serde_json::Value::Number(it) => {
            it.as_i64().map_or_else(|| Value::Float(it.as_f64().unwrap_or(f64::NAN)), Value::Int)
        }
        serde_json::Value::String(it) => Value::String(Arc::new(it.clone())),
        serde_json::Value::Array(items) => Value::List(Arc::new(items.iter().map(of).collect())),
        serde_json::Value::Object(fields) => {
            let entries = fields.iter();
            let map: HashMap<Key, Value> = entries
                .map(|(key, value)| (Key::String(Arc::new(key.clone())), of(value)))
                .collect();
            Value::Map(Map { map: Arc::new(map) })
        }
    }
}

/// A value of CEL as JSON, if it has such a form.
pub(crate) fn to_json(value: &Value) -> Option<serde_json::Value> {
    Some(match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(it) => (*it).into(),
        Value::Int(it) => (*it).into(),
        Value::UInt(it) => (*it).into(),
        Value::Float(it) => serde_json::Number::from_f64(*it)?.into(),
        Value::String(it) => it.as_str().into(),
        Value::List(items) => {
            serde_json::Value::Array(items.iter().map(to_json).collect::<Option<_>>()?)
        }
        Value::Map(map) => {
            let entries = map.map.iter().map(|(key, value)| match key {
                Key::String(key) => Some((key.to_string(), to_json(value)?)),
                Key::Int(_) | Key::Uint(_) | Key::Bool(_) => None,
            });
            serde_json::Value::Object(entries.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}
