//! Values printed as Go's `sigs.k8s.io/yaml` prints them.

use libyaml_safer::{Emitter, Encoding, Event, MappingStyle, ScalarStyle, SequenceStyle};
use serde_json::{Number, Value};

use crate::key_order;
use crate::number;
use crate::resolve::{Dialect, Scalar};

/// Go's printer folds what is longer, where it can.
const WIDTH: i32 = 80;

/// The value as `yaml.JSONToYAML` prints it: keys sorted, sequences not indented, strings quoted
/// where they would be read as something else, a line end at the end.
pub fn emit(value: &Value) -> String {
    let mut out = Vec::new();
    let mut emitter = Emitter::new();
    emitter.set_output_string(&mut out);
    emitter.set_unicode(true);
    emitter.set_width(WIDTH);
    // A value always makes a well-formed sequence of events, and memory takes all that is written,
    // so the only failure is a string with characters that YAML does not have: those are escaped.
    let written = events(value, &mut emitter);
    drop(emitter);
    debug_assert!(written.is_ok(), "{written:?}");
    finished(String::from_utf8(out).unwrap_or_default())
}

/// Undoes what libyaml's printer does and Go's does not.
fn finished(mut text: String) -> String {
    // A document that ends with open lines is closed by libyaml.
    if text.ends_with("\n\n...\n") {
        text.truncate(text.len() - "...\n".len());
    }
    if text.chars().any(is_beyond_basic) {
        let escape = |c: char| {
            if is_beyond_basic(c) { format!("\\U{:08X}", u32::from(c)) } else { c.to_string() }
        };
        // Such characters only stand in double quotes, where an escape means the same.
        return text.chars().map(escape).collect();
    }
    text
}

/// Go's printer takes characters beyond the basic plane for unprintable.
fn is_beyond_basic(c: char) -> bool {
    u32::from(c) > 0xffff
}

type Written = Result<(), libyaml_safer::Error>;

fn events(value: &Value, to: &mut Emitter<'_>) -> Written {
    to.emit(Event::stream_start(Encoding::Utf8))?;
    to.emit(Event::document_start(None, &[], true))?;
    emit_value(value, to)?;
    to.emit(Event::document_end(true))?;
    to.emit(Event::stream_end())?;
    to.flush()
}

fn emit_value(value: &Value, to: &mut Emitter<'_>) -> Written {
    match value {
        Value::Null => plain("null", to),
        Value::Bool(value) => plain(if *value { "true" } else { "false" }, to),
        Value::Number(number) => plain(&number_text(number), to),
        Value::String(text) => string(text, to),
        Value::Array(items) => {
            let style = if items.is_empty() { SequenceStyle::Flow } else { SequenceStyle::Block };
            to.emit(Event::sequence_start(None, None, true, style))?;
            items.iter().try_for_each(|item| emit_value(item, to))?;
            to.emit(Event::sequence_end())
        }
        Value::Object(map) => {
            let style = if map.is_empty() { MappingStyle::Flow } else { MappingStyle::Block };
            to.emit(Event::mapping_start(None, None, true, style))?;
            let entries = map.iter().map(|(key, value)| (key.as_str(), value));
            for (key, value) in key_order::sorted(entries) {
                string(key, to)?;
                emit_value(value, to)?;
            }
            to.emit(Event::mapping_end())
        }
    }
}

fn plain(text: &str, to: &mut Emitter<'_>) -> Written {
    to.emit(Event::scalar(None, None, text, true, true, ScalarStyle::Plain))
}

fn string(text: &str, to: &mut Emitter<'_>) -> Written {
    let style = if text.chars().any(is_beyond_basic) {
        ScalarStyle::DoubleQuoted
    } else if text.contains('\n') {
        ScalarStyle::Literal
    } else if Dialect::Sigs.resolve(text) == Scalar::Text && !is_base_60(text) {
        ScalarStyle::Plain
    } else {
        ScalarStyle::DoubleQuoted
    };
    to.emit(Event::scalar(None, None, text, true, true, style))
}

fn number_text(number: &Number) -> String {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else {
        return number.to_string();
    };
    match number::integral(float) {
        // Go's JSON prints it without a point, so that its YAML reads an integer.
        Some(integer) if i64::try_from(integer).is_ok() || u64::try_from(integer).is_ok() => {
            integer.to_string()
        }
        _ if float == 0.0 => "0".to_owned(),
        _ => number::general(float),
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
