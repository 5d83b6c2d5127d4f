//! Go's `reflect.DeepEqual`.

use std::sync::Arc;

use go_template::{Call, CallError, Unbounded, Value};

/// Whether two values are alike, types included: `1` is neither `1.0` nor `int64` 1.
///
/// # Errors
/// If they are nested too deep to tell, or the budget does not allow to look.
pub(crate) fn deep_equal(call: &mut Call<'_>, a: &Value, b: &Value) -> Result<bool, CallError> {
    let mut parts_left = Unbounded::PARTS;
    let result = compare(a, b, Unbounded::DEPTH, &mut parts_left);
    call.session.spend((Unbounded::PARTS - parts_left) as u64 >> 3)?;
    Ok(result?)
}

fn compare(
    a: &Value,
    b: &Value,
    levels_left: usize,
    parts_left: &mut usize,
) -> Result<bool, Unbounded> {
    let below = levels_left.checked_sub(1).ok_or(Unbounded)?;
    *parts_left = parts_left.checked_sub(1).ok_or(Unbounded)?;
    Ok(match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(x), Value::Bool(y)) => x == y,
        (Value::Int(x, x_kind), Value::Int(y, y_kind)) => x == y && x_kind == y_kind,
        #[expect(clippy::float_cmp, reason = "Go compares so")]
        (Value::Float(x), Value::Float(y)) => x == y,
        #[expect(clippy::float_cmp, reason = "Go compares so")]
        (Value::Complex(a, b), Value::Complex(c, d)) => a == c && b == d,
        (Value::Str(x), Value::Str(y)) => {
            *parts_left = parts_left.checked_sub(x.len().min(y.len()) >> 6).ok_or(Unbounded)?;
            x == y
        }
        (Value::Bytes(x), Value::Bytes(y)) => x == y,
        (Value::List(x), Value::List(y)) => {
            if x.elem() != y.elem() || x.len() != y.len() || x.is_nil() != y.is_nil() {
                return Ok(false);
            }
            for (x, y) in x.iter().zip(y.iter()) {
                if !compare(x, y, below, parts_left)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Map(x), Value::Map(y)) => {
            if x.is(y) {
                return Ok(true);
            }
            if x.elem() != y.elem() || x.len() != y.len() || x.is_nil() != y.is_nil() {
                return Ok(false);
            }
            for ((x_key, x), (y_key, y)) in x.entries().iter().zip(y.entries().iter()) {
                if x_key != y_key || !compare(x, y, below, parts_left)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Object(x), Value::Object(y)) => {
            if Arc::ptr_eq(x, y) {
                return Ok(true);
            }
            x.type_name() == y.type_name()
                && x.text() == y.text()
                && compare(&x.underlying(), &y.underlying(), below, parts_left)?
        }
        _ => false,
    })
}
