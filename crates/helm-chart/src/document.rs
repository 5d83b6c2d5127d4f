//! YAML documents as Helm's Go code sees them.

use serde_json::{Map, Number, Value};

/// Why a document could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The text is not YAML, or holds what JSON cannot.
    #[error("error converting YAML to JSON: {0}")]
    Yaml(yaml::Error),
    /// A value is of another type than the field it is for.
    #[error(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go {wanted}"
    )]
    Type {
        /// JSON's name of the type that is there.
        found: &'static str,
        /// Go's words for the place and the type it has.
        wanted: String,
    },
}

/// What a document of a chart may cost.
const LIMITS: yaml::Limits = yaml::Limits {
    bytes: 5 << 20,
    depth: 256,
    nodes: 300_000,
    aliased_nodes: 100_000,
    aliased_bytes: 8 << 20,
};

/// One document; null for an empty one.
pub(crate) fn parse(text: &[u8]) -> Result<Value, DocumentError> {
    yaml::parse_with(text, &LIMITS).map_err(DocumentError::Yaml)
}

/// One document that must be a map, with numbers as Go decodes them into an `interface{}`.
pub(crate) fn map(text: &[u8]) -> Result<Map<String, Value>, DocumentError> {
    match parse(text)? {
        Value::Object(map) => Ok(with_floats(map)),
        Value::Null => Ok(Map::new()),
        other => Err(mismatch(&other, "value of type map[string]interface {}".to_owned())),
    }
}

/// The documents of a stream, split where a line begins with `---`, as Helm splits `values.yaml`.
///
/// # Errors
/// What follows a separator, if it is neither blank nor a comment.
pub(crate) fn split(text: &[u8]) -> Result<Vec<&[u8]>, String> {
    let mut documents = Vec::new();
    let mut start = 0;
    let mut at = 0;
    for line in text.split_inclusive(|b| *b == b'\n') {
        if let Some(rest) = line.strip_prefix(b"---") {
            let rest = String::from_utf8_lossy(rest);
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                return Err(rest.to_owned());
            }
            // A separator before any content belongs to the document it opens.
            if at > start {
                documents.push(&text[start..at]);
                start = at + line.len();
            }
        }
        at += line.len();
    }
    if at > start {
        documents.push(&text[start..at]);
    }
    Ok(documents)
}

pub(crate) fn mismatch(found: &Value, wanted: String) -> DocumentError {
    DocumentError::Type { found: json_type(found), wanted }
}

pub(crate) const fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The same values with every number floating-point: Go's JSON decoder knows one kind.
pub(crate) fn with_floats(mut map: Map<String, Value>) -> Map<String, Value> {
    map.values_mut().for_each(make_floats);
    map
}

fn make_floats(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().and_then(Number::from_f64) {
                *number = float;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_floats),
        Value::Object(map) => map.values_mut().for_each(make_floats),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
