//! Printing as Go's `fmt` prints.

mod float;
mod integer;
mod printer;
mod printf;
mod string;

pub use float::{Layout, float, shortest};
pub use printf::sprintf;

use crate::value::Value;
use printer::Printer;

/// Limit: where nothing else is said, no more than this is written of a value, and then a little.
const MOST_BYTES: usize = 48 << 20;

/// What `{{ value }}` shows; cut off as [`write_value`] does it.
pub(crate) fn write_shown(out: &mut Vec<u8>, value: &Value, most: usize) {
    match value {
        Value::Object(object) => Printer::new(out, most).followed(object),
        plain => write_value(out, plain, most),
    }
}

/// What `print` shows: the verb `%v`. What exceeds so many bytes is cut off, though
/// not exactly there: a list may hold itself.
pub(crate) fn write_value(out: &mut Vec<u8>, value: &Value, most: usize) {
    Printer::new(out, most).value(value, 'v');
}

/// The value as `%v` prints it, U+FFFD for what is not UTF-8.
pub fn text(value: &Value) -> String {
    crate::value::lossy(&bytes(value))
}

/// The value as `%v` prints it.
pub fn bytes(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write_value(&mut out, value, MOST_BYTES);
    out
}

/// The value as any one verb without flags prints it.
pub(crate) fn verb(value: &Value, verb: char) -> String {
    let mut out = Vec::new();
    Printer::new(&mut out, MOST_BYTES).value(value, verb);
    crate::value::lossy(&out)
}

/// Go's `fmt.Sprint`: a space between two operands where neither is a string.
pub(crate) fn sprint(values: &[Value], most: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut after_text = true;
    for value in values {
        let is_text = matches!(value, Value::Str(_));
        if !is_text && !after_text {
            out.push(b' ');
        }
        let left = most.saturating_sub(out.len());
        write_value(&mut out, value, left);
        after_text = is_text;
    }
    out
}

/// Go's `fmt.Sprintln`: spaces between all operands, and a newline.
pub(crate) fn sprintln(values: &[Value], most: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        let left = most.saturating_sub(out.len());
        write_value(&mut out, value, left);
    }
    out.push(b'\n');
    out
}
