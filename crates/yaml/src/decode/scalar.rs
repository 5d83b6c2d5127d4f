//! What a scalar and its tag mean.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::node::Node;
use crate::resolve::{Dialect, Scalar};
use crate::{Error, number, timestamp};

const PREFIX: &str = "tag:yaml.org,2002:";

/// The value of a scalar.
pub(super) fn value(
    node: &Node,
    text: &str,
    implicit: bool,
    dialect: Dialect,
) -> Result<Value, Error> {
    Ok(match meaning(node, text, implicit, dialect)? {
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => Value::Bool(value),
        Scalar::Integer(value) => integer(value),
        Scalar::Float(value) => Value::Number(number::json(value).map_err(Error::Number)?),
        // In kustomize a date becomes a time, which JSON prints in full.
        Scalar::Timestamp if dialect == Dialect::Kyaml => Value::String(timestamp::rfc3339(text)),
        Scalar::Timestamp => Value::String(text.to_owned()),
        Scalar::Text => Value::String(decoded(node, text)?),
    })
}

/// What a scalar means, its tag included.
pub(super) fn meaning(
    node: &Node,
    text: &str,
    implicit: bool,
    dialect: Dialect,
) -> Result<Scalar, Error> {
    if node.tag.is_none() {
        return Ok(if implicit { dialect.resolve(text) } else { Scalar::Text });
    }
    let Some(wanted) = short_tag(node) else { return Ok(Scalar::Text) };
    let resolved = match (wanted, dialect.resolve(text)) {
        ("timestamp", resolved) => resolved,
        // Only who asks for a date gets one.
        (_, Scalar::Timestamp) => Scalar::Text,
        (_, resolved) => resolved,
    };
    match (wanted, &resolved) {
        ("null", Scalar::Null)
        | ("bool", Scalar::Bool(_))
        | ("int", Scalar::Integer(_))
        | ("float", Scalar::Float(_))
        | ("timestamp", Scalar::Timestamp) => Ok(resolved),
        #[expect(clippy::cast_precision_loss, reason = "a float is what is asked for")]
        ("float", Scalar::Integer(value)) => Ok(Scalar::Float(*value as f64)),
        ("null" | "bool" | "int" | "float" | "timestamp", _) => Err(Error::Tag {
            found: name(&resolved),
            value: text.to_owned(),
            wanted: format!("!!{wanted}"),
        }),
        // Tags that say nothing about scalars make them text.
        _ => Ok(Scalar::Text),
    }
}

fn short_tag(node: &Node) -> Option<&str> {
    node.tag.as_deref().and_then(|tag| tag.strip_prefix(PREFIX))
}

/// The resolver gives no integer outside of what JSON's numbers hold here.
fn integer(value: i128) -> Value {
    serde_json::Number::from_i128(value).map_or(Value::Null, Value::Number)
}

/// The text of a scalar that is one: decoded, if its tag says that it is binary.
pub(super) fn decoded(node: &Node, text: &str) -> Result<String, Error> {
    if short_tag(node) == Some("binary") { binary(text) } else { Ok(text.to_owned()) }
}

fn binary(text: &str) -> Result<String, Error> {
    let compact: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let Ok(bytes) = STANDARD.decode(compact) else { return Err(Error::Binary) };
    // As Go's JSON does it: what is no text becomes the replacement character.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

const fn name(scalar: &Scalar) -> &'static str {
    match scalar {
        Scalar::Null => "!!null",
        Scalar::Bool(_) => "!!bool",
        Scalar::Integer(_) => "!!int",
        Scalar::Float(_) => "!!float",
        Scalar::Timestamp => "!!timestamp",
        Scalar::Text => "!!str",
    }
}
