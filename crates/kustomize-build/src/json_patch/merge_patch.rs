//! Merge patches (RFC 7386).

use serde_json::{Map, Value};

/// Patches are followed this deep; the parsers allow no more.
const MAX_DEPTH: usize = 256;

/// Merges a patch into a document: maps field by field, null removes, all else replaces.
pub fn merge_patch(document: &mut Value, patch: Value) {
    merge(document, patch, 0);
}

fn merge(document: &mut Value, patch: Value, depth: usize) {
    let Value::Object(patch) = patch else {
        *document = pruned(patch, depth);
        return;
    };
    if depth > MAX_DEPTH {
        return;
    }
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    let Value::Object(fields) = document else { return };
    for (key, value) in patch {
        if value.is_null() {
            fields.remove(&key);
        } else {
            merge(fields.entry(key).or_insert(Value::Null), value, depth + 1);
        }
    }
}

/// A list without the nulls that objects in it hold.
///
/// Flux: evanphx/json-patch drops them, RFC 7386 does not.
fn pruned(value: Value, depth: usize) -> Value {
    match value {
        Value::Array(items) if depth <= MAX_DEPTH => {
            items.into_iter().map(|item| pruned(item, depth + 1)).collect()
        }
        Value::Object(fields) if depth <= MAX_DEPTH => {
            let kept = fields.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, pruned(value, depth + 1))).collect())
        }
        other => other,
    }
}
