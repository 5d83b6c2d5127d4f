//! Values printed as Go prints them.

pub(crate) mod printer;
pub(crate) mod scalar;

use serde_json::{Number, Value};

use crate::key_order::{self, Order};
use crate::number;
use crate::resolve::{Dialect, Scalar};
use printer::{Printer, Style};
use scalar::Shape;

/// Longer keys are written as `? key`.
pub(crate) const MAX_SIMPLE_KEY_BYTES: usize = 128;

/// What stands before a node decides how a sequence is indented.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Item,
    Value,
}

/// The value as `sigs.k8s.io/yaml.Marshal` prints it: keys sorted, sequences not indented, strings
/// quoted where they would be read as something else, lines folded, a line end at the end.
///
/// Go refuses some control characters; here they are escaped.
///
/// Limit: recursive, so values must not be nested much deeper than what [`parse`](crate::parse)
/// makes with its default limits.
pub fn emit(value: &Value) -> String {
    print(
        value,
        Style { fold_after: 80, indented_sequences: false, tabs_in_blocks: false, step: 2 },
    )
}

/// The value as Helm's `toYamlPretty` prints it (`go.yaml.in/yaml/v3` with an indent of two):
/// sequences indented, lines not folded, floats as Go prints floats.
///
/// The line end at the end is there; Helm cuts it off.
pub fn emit_pretty(value: &Value) -> String {
    print(
        value,
        Style { fold_after: usize::MAX, indented_sequences: true, tabs_in_blocks: true, step: 2 },
    )
}

fn print(value: &Value, style: Style) -> String {
    let mut to = Printer::new(style);
    node(value, Place::Root, &mut to);
    to.indent_line();
    to.finish()
}

fn node(value: &Value, place: Place, to: &mut Printer) {
    match value {
        Value::Null => plain("null", to),
        Value::Bool(value) => plain(if *value { "true" } else { "false" }, to),
        Value::Number(number) => plain(&number_text(number, to.style), to),
        Value::String(text) => string(text, Shape::of(text, to.style), false, to),
        Value::Array(items) if items.is_empty() => to.indicator("[]", true, false),
        Value::Object(map) if map.is_empty() => to.indicator("{}", true, false),
        Value::Array(items) => {
            let flush = place == Place::Value && to.is_after_text() && !to.style.indented_sequences;
            let outer = if flush { to.indent } else { to.deepen() };
            for item in items {
                to.indent_line();
                to.indicator("-", true, true);
                node(item, Place::Item, to);
            }
            to.indent = outer;
        }
        Value::Object(map) => {
            let outer = to.deepen();
            let order = if to.style.indented_sequences { Order::Pretty } else { Order::Marshal };
            let entries = map.iter().map(|(key, value)| (key.as_str(), value));
            for (key, value) in key_order::sorted(entries, order) {
                entry(key, value, to);
            }
            to.indent = outer;
        }
    }
}

fn entry(key: &str, value: &Value, to: &mut Printer) {
    to.indent_line();
    let shape = Shape::of(key, to.style);
    if key.len() <= MAX_SIMPLE_KEY_BYTES && !shape.multiline {
        string(key, shape, true, to);
        to.indicator(":", false, false);
    } else {
        to.indicator("?", true, true);
        string(key, shape, false, to);
        to.indent_line();
        to.indicator(":", true, true);
    }
    node(value, Place::Value, to);
}

fn plain(text: &str, to: &mut Printer) {
    let shape = Shape::of(text, to.style);
    scalar::write(text, scalar::Style::Plain, shape, false, to);
}

fn string(text: &str, shape: Shape, is_key: bool, to: &mut Printer) {
    let style = if text.contains('\n') {
        scalar::Style::Literal
    } else if is_read_as_text(text) {
        scalar::Style::Plain
    } else {
        scalar::Style::DoubleQuoted
    };
    scalar::write(text, style, shape, is_key, to);
}

/// Both printers quote what YAML 1.1 reads as a boolean, even if they would read text.
pub(crate) fn is_read_as_text(text: &str) -> bool {
    Dialect::Sigs.resolve(text) == Scalar::Text && !is_base_60(text)
}

fn number_text(number: &Number, style: Style) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() && style.indented_sequences => number::general(float),
        // The printer of `sigs.k8s.io/yaml` reads what Go's JSON printed.
        Some(float) if number.is_f64() => {
            let integer = number::integral(float).map(|integer| integer.to_string());
            integer.unwrap_or_else(|| number::general(float))
        }
        _ => number.to_string(),
    }
}

/// Whether other parsers of YAML 1.1 would read a number in base 60, as in `12:30`.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let first = parts.next().unwrap_or_default();
    if !first.starts_with(|c: char| c.is_ascii_digit())
        || !first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
    {
        return false;
    }
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return false;
    }
    while let Some(part) = parts.next() {
        let (digits, fraction) = match part.split_once('.') {
            Some((digits, fraction)) if parts.peek().is_none() => (digits, fraction),
            Some(_) => return false,
            None => (part, ""),
        };
        let fits = match digits.as_bytes() {
            [tens, ones] => (b'0'..=b'5').contains(tens) && ones.is_ascii_digit(),
            [ones] => ones.is_ascii_digit(),
            _ => false,
        };
        if !fits || !fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') {
            return false;
        }
    }
    true
}
