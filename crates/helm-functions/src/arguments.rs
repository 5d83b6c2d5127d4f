//! Arguments that have been checked against a signature, and results.

use std::borrow::Cow;

use go_template::{Call, CallError, List, Map, Str, Value};

/// What every function returns.
pub(crate) type Outcome = Result<Value, CallError>;

#[expect(clippy::unnecessary_wraps, reason = "it ends functions that can fail")]
pub(crate) fn ok(value: impl Into<Value>) -> Outcome {
    Ok(value.into())
}

pub(crate) fn any(args: &[Value], place: usize) -> &Value {
    static NIL: Value = Value::Nil;
    args.get(place).unwrap_or(&NIL)
}

pub(crate) fn string(args: &[Value], place: usize) -> &Str {
    go_template::string(args, place)
}

pub(crate) fn text(args: &[Value], place: usize) -> Cow<'_, str> {
    string(args, place).to_text()
}

pub(crate) fn int(args: &[Value], place: usize) -> i64 {
    match args.get(place) {
        Some(Value::Int(number, _)) => *number,
        _ => 0,
    }
}

/// A map parameter that was checked; an empty map where nil was given.
pub(crate) fn map(args: &[Value], place: usize) -> Map {
    match args.get(place) {
        Some(Value::Map(map)) => map.clone(),
        Some(Value::Object(object)) => match object.underlying() {
            Value::Map(map) => map,
            _ => Map::default(),
        },
        _ => Map::default(),
    }
}

/// The items, if the value is a list of any type.
pub(crate) fn items(value: &Value) -> Option<List> {
    match value {
        Value::List(list) => Some(list.clone()),
        Value::Bytes(bytes) => Some(List::new(
            bytes
                .iter()
                .map(|byte| Value::Int(i64::from(*byte), go_template::IntKind::Uint8))
                .collect(),
        )),
        Value::Object(object) => match object.underlying() {
            Value::Nil | Value::Object(_) => None,
            plain => items(&plain),
        },
        _ => None,
    }
}

/// To be called before a function goes through so many bytes letter by letter.
pub(crate) fn spend_letters(call: &mut Call<'_>, bytes: usize) -> Result<(), CallError> {
    Ok(call.session.spend(bytes as u64 >> 2)?)
}

pub(crate) fn from_len(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
