//! The keys of a mapping: what makes two of them equal, and the text that JSON has for them.

use std::fmt;

use serde_json::Value;

use super::{Decoder, scalar};
use crate::node::Kind;
use crate::resolve::{Dialect, Scalar};
use crate::{Error, number};

/// A key as Go sees it: `1` and `"1"` are two keys, though JSON has one text for both.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Key {
    Null,
    Bool(bool),
    Integer(i128),
    /// The bits of the float.
    Float(u64),
    Text(String),
}

/// Prints a key as Go's `%#v` does.
impl fmt::Display for Key {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => to.write_str("<nil>"),
            Self::Bool(value) => value.fmt(to),
            Self::Integer(value) => value.fmt(to),
            Self::Float(bits) => to.write_str(&number::general(f64::from_bits(*bits))),
            Self::Text(text) => to.write_str(&go_quote::double(text.as_bytes())),
        }
    }
}

impl Key {
    /// The text that JSON has for the key; none for null.
    pub(super) fn json(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Float(bits) => match f64::from_bits(*bits) {
                value if value.is_nan() => ".nan".to_owned(),
                value if value == f64::INFINITY => ".inf".to_owned(),
                value if value == f64::NEG_INFINITY => "-.inf".to_owned(),
                value => number::general32(value),
            },
            Self::Text(text) => text.clone(),
        })
    }
}

/// The key that a node is.
pub(super) fn decode(decoder: &mut Decoder<'_>, index: usize) -> Result<Key, Error> {
    let node = decoder.tree.resolved(index);
    decoder.spend(node.text_bytes())?;
    let Kind::Scalar { text, implicit } = &node.kind else {
        let key = decoder.value(index)?;
        let keys = match decoder.dialect {
            Dialect::Sigs => "interface {}",
            Dialect::Kyaml => "string",
        };
        return Err(Error::CollectionKey { key: go_syntax(&key, keys) });
    };
    Ok(match scalar::meaning(node, text, *implicit, decoder.dialect)? {
        Scalar::Null => Key::Null,
        Scalar::Bool(value) => Key::Bool(value),
        Scalar::Integer(value) => Key::Integer(value),
        Scalar::Float(value) => Key::Float(value.to_bits()),
        Scalar::Timestamp => Key::Text(text.clone()),
        Scalar::Text => Key::Text(scalar::decoded(node, text)?),
    })
}

/// A value as Go prints it with `%#v`.
pub(super) fn go_syntax(value: &Value, keys: &str) -> String {
    if value.is_null() { "<nil>".to_owned() } else { inner_go_syntax(value, keys) }
}

fn inner_go_syntax(value: &Value, keys: &str) -> String {
    match value {
        Value::Null => "interface {}(nil)".to_owned(),
        Value::String(text) => go_quote::double(text.as_bytes()),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| inner_go_syntax(item, keys)).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Object(map) => {
            let entries: Vec<_> = map
                .iter()
                .map(|(key, value)| {
                    format!("{}:{}", go_quote::double(key.as_bytes()), inner_go_syntax(value, keys))
                })
                .collect();
            format!("map[{keys}]interface {{}}{{{}}}", entries.join(", "))
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}
