//! Go's rules of comparison in templates.

use std::sync::Arc;

use crate::builtins::BuiltinError;
use crate::format;
use crate::value::Value;

/// Kinds that compare among themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Not a basic kind: nil, lists, maps, objects.
    Other,
    Bool,
    Complex,
    Int,
    Uint,
    Float,
    String,
}

fn kind(value: &Value) -> Kind {
    match value {
        Value::Bool(_) => Kind::Bool,
        Value::Int(_, kind) if kind.is_unsigned() => Kind::Uint,
        Value::Int(..) => Kind::Int,
        Value::Float(_) => Kind::Float,
        Value::Complex(..) => Kind::Complex,
        Value::Str(_) => Kind::String,
        Value::Object(object) => match object.underlying() {
            Value::Nil | Value::Object(_) => Kind::Other,
            plain => kind(&plain),
        },
        Value::Nil | Value::Bytes(_) | Value::List(_) | Value::Map(_) => Kind::Other,
    }
}

/// `eq a b c`: whether the first equals any of the others.
pub(crate) fn equal_to_any(first: &Value, others: &[Value]) -> Result<bool, BuiltinError> {
    if others.is_empty() {
        return Err(BuiltinError::NoComparison);
    }
    for other in others {
        if equal(first, other)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn equal(a: &Value, b: &Value) -> Result<bool, BuiltinError> {
    match (a, b) {
        (Value::Int(x, x_kind), Value::Int(y, y_kind)) => {
            let same_sign = x_kind.is_unsigned() == y_kind.is_unsigned();
            Ok(x == y && (same_sign || *x >= 0))
        }
        (Value::Str(x), Value::Str(y)) => Ok(x == y),
        (Value::Bool(x), Value::Bool(y)) => Ok(x == y),
        #[expect(clippy::float_cmp, reason = "Go compares so")]
        (Value::Float(x), Value::Float(y)) => Ok(x == y),
        #[expect(clippy::float_cmp, reason = "Go compares so")]
        (Value::Complex(a, b), Value::Complex(c, d)) => Ok(a == c && b == d),
        _ if kind(a) == kind(b) => match (plain(a), plain(b)) {
            (None, None) => equal_others(a, b),
            (x, y) => equal(x.as_ref().unwrap_or(a), y.as_ref().unwrap_or(b)),
        },
        _ if a.is_nil() || b.is_nil() => Ok(false),
        _ => Err(incompatible(a, b)),
    }
}

/// What a named number or string compares as.
fn plain(value: &Value) -> Option<Value> {
    match value {
        Value::Object(object) if kind(value) != Kind::Other => Some(object.underlying()),
        _ => None,
    }
}

/// Neither is of a basic kind.
fn equal_others(a: &Value, b: &Value) -> Result<bool, BuiltinError> {
    if !a.is_nil() && !b.is_nil() && a.kind_name() != b.kind_name() {
        return Err(BuiltinError::NonComparablePair {
            left: format::verb(a, 's'),
            left_type: a.type_name(),
            right_type: b.type_name(),
            right: format::text(b),
        });
    }
    if is_nil(a) || is_nil(b) {
        return Ok(is_nil(a) == is_nil(b));
    }
    match (a, b) {
        (Value::Object(x), Value::Object(y)) if matches!(y.kind(), "ptr" | "struct") => {
            Ok(Arc::ptr_eq(x, y))
        }
        _ => Err(BuiltinError::NonComparable {
            value: format::verb(b, 's'),
            type_name: b.type_name(),
        }),
    }
}

fn is_nil(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::List(list) => list.is_nil(),
        Value::Map(map) => map.is_nil(),
        _ => false,
    }
}

pub(crate) fn less(a: &Value, b: &Value) -> Result<bool, BuiltinError> {
    if kind(a) == Kind::Other || kind(b) == Kind::Other {
        return Err(BuiltinError::BadComparisonType);
    }
    match (a, b) {
        (Value::Int(x, x_kind), Value::Int(y, y_kind)) => {
            Ok(match (x_kind.is_unsigned(), y_kind.is_unsigned()) {
                (true, true) => x.cast_unsigned() < y.cast_unsigned(),
                (false, false) => x < y,
                (false, true) => *x < 0 || x.cast_unsigned() < y.cast_unsigned(),
                (true, false) => *y >= 0 && x.cast_unsigned() < y.cast_unsigned(),
            })
        }
        (Value::Float(x), Value::Float(y)) => Ok(x < y),
        (Value::Str(x), Value::Str(y)) => Ok(x < y),
        _ => match (plain(a), plain(b)) {
            (None, None) if kind(a) == kind(b) => Err(BuiltinError::BadComparisonType),
            (None, None) => Err(incompatible(a, b)),
            (x, y) => less(x.as_ref().unwrap_or(a), y.as_ref().unwrap_or(b)),
        },
    }
}

/// Not "not greater": NaN is neither.
pub(crate) fn less_or_equal(a: &Value, b: &Value) -> Result<bool, BuiltinError> {
    Ok(less(a, b)? || equal(a, b)?)
}

fn incompatible(a: &Value, b: &Value) -> BuiltinError {
    BuiltinError::Incompatible { left: a.type_name(), right: b.type_name() }
}
