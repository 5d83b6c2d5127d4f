//! The hash that is added to the names of generated ConfigMaps and Secrets.

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use crate::emit::json_value;
use crate::resource::Resource;
use crate::value::plain;

/// The suffix for what a resource holds now.
pub(crate) fn suffix(resource: &Resource) -> String {
    let field = |name: &str| match resource.fields.get(name) {
        None | Some(Value::Null) => Value::from(""),
        Some(Value::Object(entries)) => {
            let hashed = entries.iter().filter(is_hashed);
            Value::Object(hashed.map(|(key, value)| (key.clone(), value.clone())).collect())
        }
        Some(value) => value.clone(),
    };
    let kind = resource.kind();
    let hashed = match kind.as_str() {
        "ConfigMap" | "Secret" => {
            let mut fields = Map::new();
            fields.insert("kind".to_owned(), Value::from(kind.as_str()));
            // Flux: the name is looked up in a place where it never is.
            fields.insert("name".to_owned(), Value::from(""));
            fields.insert("data".to_owned(), field("data"));
            let extra = if kind == "Secret" {
                fields.insert("type".to_owned(), field("type"));
                "stringData"
            } else {
                "binaryData"
            };
            if let value @ Value::Object(_) = field(extra) {
                fields.insert(extra.to_owned(), value);
            }
            Value::Object(fields)
        }
        _ => Value::Object(resource.fields.clone()),
    };
    encode(&Sha256::digest(json_value(&hashed).as_bytes()))
}

/// Flux: what stands under a key that looks like null is not hashed.
fn is_hashed((key, _): &(&String, &Value)) -> bool {
    key.is_empty() || !plain(key).is_null()
}

/// Ten digits, without those that could be taken for words.
fn encode(digest: &[u8]) -> String {
    let digits = digest.iter().take(5).flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .map(|digit| match digit {
            0 => 'g',
            1 => 'h',
            3 => 'k',
            10 => 'm',
            14 => 't',
            digit => char::from_digit(u32::from(digit), 16).unwrap_or_default(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hash_depends_on_the_content_alone() {
        let hash = |value: Value| {
            let Value::Object(fields) = value else { panic!() };
            suffix(&Resource::new(fields))
        };
        let empty = hash(json!({"kind": "ConfigMap", "metadata": {"name": "a"}}));
        assert_eq!(empty, hash(json!({"kind": "ConfigMap", "metadata": {"name": "b"}})));
        assert_eq!(empty.len(), 10);
        assert_ne!(empty, hash(json!({"kind": "ConfigMap", "data": {"a": "b"}})));
    }
}
