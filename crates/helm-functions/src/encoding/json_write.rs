//! JSON as `encoding/json` writes it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use go_template::{Call, CallError, Functions, Type, Unbounded, Value};

use crate::arguments::{any, ok};
use crate::error::FunctionError;

const ANY: Type = Type::Any;

/// JSON has no such number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("json: unsupported value: {0}")]
pub struct Unsupported(pub &'static str);

pub(crate) fn register(f: &mut Functions) {
    for (name, style, must) in [
        ("toJson", Style::COMPACT, false),
        ("mustToJson", Style::COMPACT, true),
        ("toPrettyJson", Style::PRETTY, false),
        ("mustToPrettyJson", Style::PRETTY, true),
        ("toRawJson", Style::RAW, true),
        ("mustToRawJson", Style::RAW, true),
    ] {
        f.add(name, [ANY], move |call, a| match write(call, any(a, 0), style) {
            Ok(json) => ok(json),
            // Without `must` a failure is an empty string; a budget is never ignored.
            Err(CallError::Function(_)) if !must => ok(""),
            Err(error) => Err(error),
        });
    }
}

#[derive(Clone, Copy)]
struct Style {
    pretty: bool,
    /// `<`, `>` and `&` as escapes, so that the text may stand in HTML.
    escape_html: bool,
}

impl Style {
    const COMPACT: Self = Self { pretty: false, escape_html: true };
    const PRETTY: Self = Self { pretty: true, escape_html: true };
    const RAW: Self = Self { pretty: false, escape_html: false };
}

fn write(call: &mut Call<'_>, value: &Value, style: Style) -> Result<String, CallError> {
    let limit = call.session.budget().value_bytes;
    let mut writer = Writer { out: String::new(), style, limit };
    writer.value(value, 0)?;
    call.make(writer.out.len())?;
    call.session.spend(writer.out.len() as u64 >> 5)?;
    Ok(writer.out)
}

struct Writer {
    out: String,
    style: Style,
    limit: usize,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), CallError> {
        if depth > Unbounded::DEPTH || self.out.len() > self.limit {
            return Err(Unbounded.into());
        }
        match value {
            Value::Nil => self.out.push_str("null"),
            Value::Bool(b) => self.out.push_str(if *b { "true" } else { "false" }),
            Value::Int(n, kind) if kind.is_unsigned() => {
                self.out.push_str(&n.cast_unsigned().to_string());
            }
            Value::Int(n, _) => self.out.push_str(&n.to_string()),
            Value::Float(x) => self.float(*x)?,
            Value::Complex(..) => {
                return Err(FunctionError::from(Unsupported("complex128")).into());
            }
            Value::Str(text) => self.string(text.as_bytes()),
            Value::Bytes(bytes) => {
                self.out.push('"');
                self.out.push_str(&STANDARD.encode(bytes));
                self.out.push('"');
            }
            Value::List(list) if list.is_nil() => self.out.push_str("null"),
            Value::List(list) => {
                self.sequence('[', ']', list.iter(), depth, |writer, item| {
                    writer.value(item, depth + 1)
                })?;
            }
            Value::Map(map) if map.is_nil() => self.out.push_str("null"),
            Value::Map(map) => {
                self.sequence('{', '}', map.entries().iter(), depth, |writer, (key, value)| {
                    writer.member(key.as_bytes(), value, depth)
                })?;
            }
            Value::Object(object) => match (object.json(), object.underlying()) {
                (Some(json), _) => {
                    let plain = Value::from_json(&json, go_template::Integers::Int64);
                    self.value(&plain, depth)?;
                }
                (None, Value::Nil) => {
                    self.sequence('{', '}', object.fields().iter(), depth, |writer, field| {
                        writer.member(field.0.as_bytes(), &field.1, depth)
                    })?;
                }
                (None, plain) => self.value(&plain, depth)?,
            },
        }
        Ok(())
    }

    fn member(&mut self, key: &[u8], value: &Value, depth: usize) -> Result<(), CallError> {
        self.string(key);
        self.out.push_str(if self.style.pretty { ": " } else { ":" });
        self.value(value, depth + 1)
    }

    fn sequence<T>(
        &mut self,
        open: char,
        close: char,
        items: impl ExactSizeIterator<Item = T>,
        depth: usize,
        mut write: impl FnMut(&mut Self, T) -> Result<(), CallError>,
    ) -> Result<(), CallError> {
        self.out.push(open);
        let is_empty = items.len() == 0;
        for (i, item) in items.enumerate() {
            if i > 0 {
                self.out.push(',');
            }
            self.line(depth + 1);
            write(self, item)?;
        }
        if !is_empty {
            self.line(depth);
        }
        self.out.push(close);
        Ok(())
    }

    fn line(&mut self, depth: usize) {
        if self.style.pretty {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", depth));
        }
    }

    /// As short as it can be; an exponent below 1e-6 and from 1e21 on.
    fn float(&mut self, number: f64) -> Result<(), FunctionError> {
        if !number.is_finite() {
            let name = match number {
                n if n.is_nan() => "NaN",
                n if n > 0.0 => "+Inf",
                _ => "-Inf",
            };
            return Err(Unsupported(name).into());
        }
        let size = number.abs();
        if size != 0.0 && !(1e-6..1e21).contains(&size) {
            let text = format!("{number:e}");
            match text.split_once('e') {
                Some((mantissa, exponent)) if !exponent.starts_with('-') => {
                    self.out.push_str(mantissa);
                    self.out.push_str("e+");
                    self.out.push_str(exponent);
                }
                _ => self.out.push_str(&text),
            }
        } else {
            self.out.push_str(&number.to_string());
        }
        Ok(())
    }

    /// What is no character is escaped, as Go does; U+FFFD itself is not.
    fn string(&mut self, text: &[u8]) {
        self.out.push('"');
        for chunk in text.utf8_chunks() {
            self.characters(chunk.valid());
            chunk.invalid().iter().for_each(|_| self.escape(char::REPLACEMENT_CHARACTER));
        }
        self.out.push('"');
    }

    fn characters(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\x08' => self.out.push_str("\\b"),
                '\x0c' => self.out.push_str("\\f"),
                '<' | '>' | '&' if self.style.escape_html => self.escape(c),
                '\0'..='\x1f' | '\u{2028}' | '\u{2029}' => self.escape(c),
                c => self.out.push(c),
            }
        }
    }

    fn escape(&mut self, c: char) {
        use std::fmt::Write as _;
        // Writing to a string cannot fail.
        let _ = write!(self.out, "\\u{:04x}", u32::from(c));
    }
}
