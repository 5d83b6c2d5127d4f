//! To and from JSON values.

use std::sync::Arc;

use base64::Engine as _;

use super::{Entries, IntKind, List, Map, Str, Value};

/// How whole JSON numbers become Go values. All others become `float64`.
///
/// `encoding/json` into an `interface {}` gives `float64`; Helm's values are such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Integers {
    /// Every number is a `float64`.
    Float64,
    /// Whole numbers are `int64`.
    Int64,
    /// Whole numbers are `int`.
    Int,
}

/// The value is nested too deep or unfolds to too many parts; it may well contain itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("value is nested too deep, is too large, or contains itself")]
pub struct Unbounded;

impl Unbounded {
    /// How deep a value may be nested where it is printed, compared or converted.
    pub const DEPTH: usize = 300;
    /// How many parts a value may unfold to where it is converted; 64 bytes of text are one.
    pub const PARTS: usize = 400_000;
}

impl Value {
    /// A value from JSON.
    ///
    /// Limit: recursion, but `serde_json` itself reads at most 128 levels.
    pub fn from_json(json: &serde_json::Value, integers: Integers) -> Self {
        match json {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(b) => Self::Bool(*b),
            serde_json::Value::Number(number) => from_number(number, integers),
            serde_json::Value::String(text) => Self::str(text.as_str()),
            serde_json::Value::Array(items) => {
                Self::list(items.iter().map(|item| Self::from_json(item, integers)).collect())
            }
            serde_json::Value::Object(members) => Self::Map(Map::new(
                members
                    .iter()
                    .map(|(key, member)| {
                        (Str::from(key.as_str()), Self::from_json(member, integers))
                    })
                    .collect::<Entries>(),
            )),
        }
    }

    /// The value as `encoding/json` would see it: bytes become base64, structs become objects,
    /// invalid UTF-8 becomes U+FFFD, what JSON cannot hold (NaN, infinities) becomes null.
    ///
    /// # Errors
    /// [`Unbounded`] if it is nested too deep, as a map that was put into itself is.
    pub fn to_json(&self) -> Result<serde_json::Value, Unbounded> {
        to_json(self, Unbounded::DEPTH, &mut { Unbounded::PARTS })
    }
}

fn from_number(number: &serde_json::Number, integers: Integers) -> Value {
    let kind = match integers {
        Integers::Float64 => return Value::Float(number.as_f64().unwrap_or_default()),
        Integers::Int64 => IntKind::Int64,
        Integers::Int => IntKind::Int,
    };
    match number.as_i64() {
        Some(whole) => Value::Int(whole, kind),
        None => Value::Float(number.as_f64().unwrap_or_default()),
    }
}

fn to_json(
    value: &Value,
    levels_left: usize,
    parts_left: &mut usize,
) -> Result<serde_json::Value, Unbounded> {
    use serde_json::Value as Json;
    let below = levels_left.checked_sub(1).ok_or(Unbounded)?;
    *parts_left = parts_left.checked_sub(1).ok_or(Unbounded)?;
    Ok(match value {
        Value::Nil | Value::Complex(..) => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(n, kind) if kind.is_unsigned() => Json::from(n.cast_unsigned()),
        Value::Int(n, _) => Json::from(*n),
        Value::Float(x) => serde_json::Number::from_f64(*x).map_or(Json::Null, Json::Number),
        Value::Str(s) => {
            *parts_left = parts_left.checked_sub(s.len() >> 6).ok_or(Unbounded)?;
            Json::String(s.to_text().into_owned())
        }
        Value::Bytes(bytes) => base64_of(bytes),
        Value::List(list) if list.is_nil() => Json::Null,
        Value::List(list) => Json::Array(
            list.iter().map(|item| to_json(item, below, parts_left)).collect::<Result<_, _>>()?,
        ),
        Value::Map(map) if map.is_nil() => Json::Null,
        Value::Map(map) => Json::Object(
            map.entries()
                .iter()
                .map(|(key, member)| {
                    Ok((key.to_text().into_owned(), to_json(member, below, parts_left)?))
                })
                .collect::<Result<_, Unbounded>>()?,
        ),
        Value::Object(object) => match (object.json(), object.underlying()) {
            (Some(json), _) => json,
            (None, Value::Nil) => Json::Object(
                object
                    .fields()
                    .into_iter()
                    .map(|(name, field)| {
                        Ok((name.into_owned(), to_json(&field, below, parts_left)?))
                    })
                    .collect::<Result<_, Unbounded>>()?,
            ),
            (None, plain) => to_json(&plain, below, parts_left)?,
        },
    })
}

fn base64_of(bytes: &Arc<[u8]>) -> serde_json::Value {
    serde_json::Value::String(base64::engine::general_purpose::STANDARD.encode(bytes))
}

impl From<List> for Vec<Value> {
    fn from(list: List) -> Self {
        list.to_vec()
    }
}
