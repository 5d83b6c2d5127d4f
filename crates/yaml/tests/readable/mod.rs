//! What Go prints in a way that Go itself does not read, and we print and read as Go does.

use serde_json::Value;

/// Whether what is printed of a value can be read again.
pub(crate) fn is_readable(value: &Value) -> bool {
    match value {
        Value::String(text) => is_readable_text(text),
        Value::Array(values) => values.iter().all(is_readable),
        Value::Object(map) => {
            map.iter().all(|(key, value)| is_readable_text(key) && is_readable(value))
        }
        // Flux: it is printed as `-0`, an integer.
        Value::Number(number) => number.to_string() != "-0.0",
        Value::Null | Value::Bool(_) => true,
    }
}

fn is_readable_text(text: &str) -> bool {
    // Flux: a plain `<<` is printed without quotes, and read as a merge (goyaml v2).
    let merges = text.contains("<<");
    // Flux: a block whose first line begins with a tab has no hint at its indentation (goyaml v3).
    let tab_in_front = text.starts_with('\t') && text.contains('\n');
    !merges && !tab_in_front
}
