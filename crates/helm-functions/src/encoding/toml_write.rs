//! TOML as the `BurntSushi` library writes it.

use go_template::{Call, CallError, Elem, Functions, List, Map, Str, Type, Unbounded, Value};

use crate::Dialect;
use crate::arguments::{any, ok};
use crate::error::FunctionError;

use super::TomlError;

pub(crate) fn register(f: &mut Functions, dialect: Dialect) {
    // Flux: the error becomes the result.
    f.add("toToml", [Type::Any], |call, a| match write(call, any(a, 0)) {
        // A panic of the library is none of its errors.
        Err(error) if any(a, 0).is_nil() => Err(error),
        Err(CallError::Function(error)) => ok(error.to_string()),
        other => ok(other?),
    });
    if dialect == Dialect::Helm4 {
        f.add("mustToToml", [Type::Any], |call, a| ok(write(call, any(a, 0))?));
    }
}

fn write(call: &mut Call<'_>, value: &Value) -> Result<String, CallError> {
    let limit = call.session.budget().value_bytes;
    let mut writer = Writer { out: String::new(), limit };
    match value {
        Value::Map(map) => writer.table(&mut Vec::new(), map)?,
        Value::Object(object) => match object.underlying() {
            Value::Map(map) => writer.table(&mut Vec::new(), &map)?,
            _ => return Err(FunctionError::from(TomlError::TopLevel).into()),
        },
        Value::Nil => return Err(FunctionError::ZeroValue.into()),
        Value::List(list) if list.iter().any(|item| matches!(item, Value::Map(_))) => {
            return Err(FunctionError::from(TomlError::TopLevel).into());
        }
        // Flux: the library writes a lone value without complaint.
        other => writer.value(other, 0)?,
    }
    call.make(writer.out.len())?;
    call.session.spend(writer.out.len() as u64 >> 5)?;
    Ok(writer.out)
}

struct Writer {
    out: String,
    limit: usize,
}

impl Writer {
    /// Plain keys first, then tables, each sorted.
    fn table(&mut self, path: &mut Vec<String>, map: &Map) -> Result<(), CallError> {
        if path.len() > Unbounded::DEPTH || self.out.len() > self.limit {
            return Err(Unbounded.into());
        }
        let entries: Vec<(Str, Value)> =
            map.entries().iter().map(|(name, value)| (name.clone(), plain(value))).collect();
        for (name, value) in entries.iter().filter(|(_, value)| !is_table(value)) {
            if value.is_nil() {
                continue;
            }
            self.indent(path.len());
            self.out.push_str(&key(&name.to_text()));
            self.out.push_str(" = ");
            self.value(value, 0)?;
            self.out.push('\n');
        }
        for (name, value) in entries.iter().filter(|(_, value)| is_table(value)) {
            path.push(key(&name.to_text()));
            match value {
                Value::Map(map) => {
                    self.header(path, "[", "]", path.len() == 1);
                    self.table(path, map)?;
                }
                Value::List(list) => {
                    for item in list.iter() {
                        self.header(path, "[[", "]]", true);
                        if let Value::Map(map) = item {
                            self.table(path, map)?;
                        }
                    }
                }
                _ => {}
            }
            path.pop();
        }
        Ok(())
    }

    fn header(&mut self, path: &[String], open: &str, close: &str, blank_line: bool) {
        if blank_line && !self.out.is_empty() {
            self.out.push('\n');
        }
        self.indent(path.len() - 1);
        self.out.push_str(open);
        self.out.push_str(&path.join("."));
        self.out.push_str(close);
        self.out.push('\n');
    }

    /// A table's keys are indented, but not those of the root.
    fn indent(&mut self, depth: usize) {
        self.out.extend(std::iter::repeat_n("  ", depth));
    }

    fn value(&mut self, value: &Value, depth: usize) -> Result<(), CallError> {
        if depth > Unbounded::DEPTH || self.out.len() > self.limit {
            return Err(Unbounded.into());
        }
        match value {
            Value::Nil => return Err(FunctionError::from(TomlError::ArrayNil).into()),
            Value::Bool(b) => self.out.push_str(if *b { "true" } else { "false" }),
            Value::Int(n, kind) if kind.is_unsigned() => {
                self.out.push_str(&n.cast_unsigned().to_string());
            }
            Value::Int(n, _) => self.out.push_str(&n.to_string()),
            Value::Float(number) => self.out.push_str(&float(*number)),
            Value::Str(text) => self.string(&text.to_text()),
            Value::List(list) => self.array(list, depth)?,
            Value::Map(map) => self.inline(map, depth)?,
            Value::Bytes(bytes) => {
                let numbers: Vec<String> = bytes.iter().map(ToString::to_string).collect();
                self.out.extend(["[", &numbers.join(", "), "]"]);
            }
            Value::Object(object) => match (object.json(), object.underlying()) {
                (Some(serde_json::Value::String(text)), _) if object.kind() == "struct" => {
                    self.out.push_str(&text);
                }
                (_, Value::Nil) => self.string(&object.text().unwrap_or_default()),
                (_, plain) => self.value(&plain, depth + 1)?,
            },
            Value::Complex(..) => return Err(FunctionError::from(TomlError::Complex).into()),
        }
        Ok(())
    }

    fn array(&mut self, list: &List, depth: usize) -> Result<(), CallError> {
        self.out.push('[');
        for (i, item) in list.iter().enumerate() {
            if i > 0 {
                self.out.push_str(", ");
            }
            self.value(item, depth + 1)?;
        }
        self.out.push(']');
        Ok(())
    }

    fn inline(&mut self, map: &Map, depth: usize) -> Result<(), CallError> {
        self.out.push('{');
        let entries = map.entries();
        for (i, (name, value)) in entries.iter().filter(|(_, v)| !v.is_nil()).enumerate() {
            if i > 0 {
                self.out.push_str(", ");
            }
            self.out.push_str(&key(&name.to_text()));
            self.out.push_str(" = ");
            self.value(value, depth + 1)?;
        }
        self.out.push('}');
        Ok(())
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\x08' => self.out.push_str("\\b"),
                '\x0c' => self.out.push_str("\\f"),
                '\0'..='\x1f' | '\x7f' => {
                    use std::fmt::Write as _;
                    // Writing to a string cannot fail.
                    let _ = write!(self.out, "\\u{:04x}", u32::from(c));
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}

/// A named map without its name.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(object) => match object.underlying() {
            Value::Map(map) => Value::Map(map),
            _ => value.clone(),
        },
        other => other.clone(),
    }
}

/// A map, or a list of nothing but maps.
fn is_table(value: &Value) -> bool {
    match value {
        Value::Map(_) => true,
        Value::List(list) => {
            let plain = matches!(list.elem(), Elem::String | Elem::Int | Elem::Byte);
            !plain && !list.is_empty() && list.iter().all(|item| matches!(item, Value::Map(_)))
        }
        _ => false,
    }
}

fn key(name: &str) -> String {
    let bare = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if bare {
        return name.to_owned();
    }
    let mut writer = Writer { out: String::new(), limit: usize::MAX };
    writer.string(name);
    writer.out
}

/// Always with a point or an exponent.
fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let text = number.abs();
    if text != 0.0 && !(1e-4..1e6).contains(&text) {
        return go_template::format::shortest(number);
    }
    let text = number.to_string();
    if text.contains('.') { text } else { format!("{text}.0") }
}
