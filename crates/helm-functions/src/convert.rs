//! Conversions between kinds, as sprig's `cast` library and Go make them.

use go_template::{Str, Value, format, number};

use crate::arguments::items;

/// A value as text: strings as they are, bytes as a string, all else printed.
pub(crate) fn to_str(value: &Value) -> Str {
    match value {
        Value::Str(text) => text.clone(),
        Value::Bytes(bytes) => Str::from(&**bytes),
        other => Str::from(format::bytes(other)),
    }
}

/// `toStrings`: nil elements are left out, and what is no list becomes a list of one.
pub(crate) fn to_strs(value: &Value) -> Vec<Str> {
    match items(value) {
        Some(list) => list.iter().filter(|item| !item.is_nil()).map(to_str).collect(),
        None if value.is_nil() => Vec::new(),
        None => vec![to_str(value)],
    }
}

/// `int64`: 0 for what is no number.
pub(crate) fn to_i64(value: &Value) -> i64 {
    match value {
        Value::Int(number, _) => *number,
        Value::Float(number) => truncate(*number),
        Value::Bool(b) => i64::from(*b),
        Value::Str(text) => {
            text.as_str().and_then(|t| number::parse_int(without_zero_decimals(t))).unwrap_or(0)
        }
        _ => 0,
    }
}

/// Go on amd64 gives the least number for what does not fit.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "checked")]
fn truncate(number: f64) -> i64 {
    let fits = number >= i64::MIN as f64 && number < i64::MAX as f64;
    if fits { number as i64 } else { i64::MIN }
}

/// `5.0` and `5.00` are whole numbers.
fn without_zero_decimals(text: &str) -> &str {
    match text.trim_end_matches('0').strip_suffix('.') {
        Some(whole) if text.ends_with('0') => whole,
        _ => text,
    }
}

/// `float64`: 0 for what is no number.
#[expect(clippy::cast_precision_loss, reason = "Go converts so")]
pub(crate) fn to_f64(value: &Value) -> f64 {
    match value {
        Value::Float(number) => *number,
        Value::Int(number, kind) if kind.is_unsigned() => number.cast_unsigned() as f64,
        Value::Int(number, _) => *number as f64,
        Value::Bool(b) => f64::from(u8::from(*b)),
        Value::Str(text) => text.as_str().and_then(parse_float).unwrap_or(0.0),
        _ => 0.0,
    }
}

/// Go's `strconv.ParseFloat`, infinities included.
fn parse_float(text: &str) -> Option<f64> {
    let (sign, magnitude) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    match magnitude.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => Some(sign * f64::INFINITY),
        "nan" if magnitude.len() == text.len() => Some(f64::NAN),
        _ => number::parse_float(text),
    }
}
