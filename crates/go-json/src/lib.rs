//! JSON as Go prints it, letter for letter: digests and signatures are made of it.

use serde_json::Value;

/// Appends a value. Every number is printed as Go prints a `float64`.
pub fn push_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => push_number(out, number.as_f64().unwrap_or_default()),
        Value::String(text) => push_text(out, text),
        Value::Array(items) => push_list(out, items, push_value),
        Value::Object(members) => {
            let mut object = Members::new(out);
            for (key, value) in members {
                push_value(object.member(key), value);
            }
            object.end();
        }
    }
}

/// Appends a list.
pub fn push_list<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    push: impl Fn(&mut String, T),
) {
    out.push('[');
    for (n, item) in items.into_iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        push(out, item);
    }
    out.push(']');
}

/// Appends a text with what is special in HTML escaped.
pub fn push_text(out: &mut String, text: &str) {
    use std::fmt::Write as _;
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\x1f' => {
                // Writing to a String cannot fail.
                _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// JSON text with what is special in HTML escaped, as Go's `json.Marshal` leaves it.
pub fn escape_html(json: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            // Outside strings, JSON has none of these.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => _ = write!(out, "\\u{:04x}", u32::from(c)),
            other => out.push(other),
        }
    }
    out
}

/// Appends a number as Go prints a `float64`.
pub fn push_number(out: &mut String, number: f64) {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{number:e}");
        match text.split_once('e') {
            Some((digits, exponent)) if !exponent.starts_with('-') => {
                out.push_str(digits);
                out.push_str("e+");
                out.push_str(exponent);
            }
            _ => out.push_str(&text),
        }
    } else {
        out.push_str(&number.to_string());
    }
}

/// The members of an object under construction.
#[derive(Debug)]
pub struct Members<'a> {
    out: &'a mut String,
    is_first: bool,
}

impl<'a> Members<'a> {
    /// Begins an object.
    pub fn new(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, is_first: true }
    }

    /// Begins a member; its value goes into what is returned.
    pub fn member(&mut self, key: &str) -> &mut String {
        if !std::mem::take(&mut self.is_first) {
            self.out.push(',');
        }
        push_text(self.out, key);
        self.out.push(':');
        self.out
    }

    /// A text, unless it is empty.
    pub fn text(&mut self, key: &str, text: &str) {
        if !text.is_empty() {
            push_text(self.member(key), text);
        }
    }

    /// A list of texts, unless it is empty.
    pub fn texts<'t>(&mut self, key: &str, texts: impl IntoIterator<Item = &'t str>) {
        let mut texts = texts.into_iter().peekable();
        if texts.peek().is_some() {
            push_list(self.member(key), texts, push_text);
        }
    }

    /// A value, unless Go takes it for empty.
    pub fn value(&mut self, key: &str, value: Option<&Value>) {
        if let Some(value) = value.filter(|value| !is_empty(value)) {
            push_value(self.member(key), value);
        }
    }

    /// Ends the object.
    pub fn end(self) {
        self.out.push('}');
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) | Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_printed_as_go_prints_them() {
        for (json, want) in [
            (
                r#"{"b":1.0,"a":"<&>\u2028\u0001é\u007f"}"#,
                "{\"a\":\"\\u003c\\u0026\\u003e\\u2028\\u0001é\u{7f}\",\"b\":1}",
            ),
            (
                "[1e21,1e20,1e-7,0.000001,-0.5,12345678901234567890]",
                "[1e+21,100000000000000000000,1e-7,0.000001,-0.5,12345678901234567000]",
            ),
            ("[null,true,[],{}]", "[null,true,[],{}]"),
        ] {
            let mut out = String::new();
            push_value(&mut out, &serde_json::from_str(json).unwrap());
            assert_eq!(out, want);
        }
    }
}
