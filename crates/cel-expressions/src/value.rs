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
