//! Prints JSON as Go's `encoding/json` does, indented by tabs.

use go_json::push_text;
use yaml::commented::{Line, Mapping, Node};

use crate::error::PrintError;

pub(crate) fn print(document: &Mapping) -> Result<Vec<u8>, PrintError> {
    let mut out = String::new();
    object(document, 0, &mut out)?;
    out.push('\n');
    Ok(out.into_bytes())
}

fn value(node: &Node, depth: usize, out: &mut String) -> Result<(), PrintError> {
    match node {
        Node::Null => out.push_str("null"),
        Node::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Node::Integer(value) => out.push_str(&value.to_string()),
        Node::Float(value) => out.push_str(&float(*value)),
        Node::Timestamp(text) | Node::Text(text) => push_text(out, text),
        Node::Binary(bytes) => push_text(out, &String::from_utf8_lossy(bytes)),
        Node::Sequence(items) => {
            let values = items.iter().filter_map(|line| match line {
                Line::Comment(_) => None,
                Line::Value(item) => Some(item),
            });
            list(values, ['[', ']'], depth, out, |item, out| value(item, depth + 1, out))?;
        }
        Node::Mapping(entries) => object(entries, depth, out)?,
    }
    Ok(())
}

fn object(entries: &Mapping, depth: usize, out: &mut String) -> Result<(), PrintError> {
    let values = entries.iter().filter_map(|line| match line {
        Line::Comment(_) => None,
        Line::Value(entry) => Some(entry),
    });
    list(values, ['{', '}'], depth, out, |entry, out| {
        let Node::Text(key) = &entry.key else { return Err(PrintError::Key) };
        push_text(out, key);
        out.push_str(": ");
        value(&entry.value, depth + 1, out)
    })
}

fn list<T>(
    items: impl Iterator<Item = T>,
    [open, close]: [char; 2],
    depth: usize,
    out: &mut String,
    mut print: impl FnMut(T, &mut String) -> Result<(), PrintError>,
) -> Result<(), PrintError> {
    out.push(open);
    let mut is_first = true;
    for item in items {
        if !is_first {
            out.push(',');
        }
        is_first = false;
        indent(depth + 1, out);
        print(item, out)?;
    }
    if !is_first {
        indent(depth, out);
    }
    out.push(close);
    Ok(())
}

fn indent(depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n('\t', depth));
}

/// As `encoding/json` prints floats: plain between a millionth and 10²¹, else with an exponent.
fn float(value: f64) -> String {
    let size = value.abs();
    if value != 0.0 && !(1e-6..1e21).contains(&size) {
        return exponent(value, 'e', 1);
    }
    value.to_string()
}

/// As `strconv.FormatFloat(value, 'G', -1, 64)`, with a decimal where it looks like an integer.
pub(crate) fn float_of_lines(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let power = if value == 0.0 { 0 } else { scientific(value).1 };
    if (-4..21).contains(&power) {
        let text = value.to_string();
        return if text.contains('.') { text } else { format!("{text}.0") };
    }
    exponent(value, 'E', 2)
}

fn exponent(value: f64, letter: char, digits: usize) -> String {
    let (mantissa, power) = scientific(value);
    let sign = if power < 0 { '-' } else { '+' };
    format!("{mantissa}{letter}{sign}{:0digits$}", power.unsigned_abs())
}

/// The shortest digits and the power of ten.
fn scientific(value: f64) -> (String, i32) {
    let text = format!("{value:e}");
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    (mantissa.to_owned(), power.parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_printed_as_go_prints_them() {
        let cases = [(1.0, "1", "1.0"), (1.5e-7, "1.5e-7", "1.5E-07"), (1e21, "1e+21", "1E+21")];
        for (value, json, line) in cases {
            assert_eq!((float(value).as_str(), float_of_lines(value).as_str()), (json, line));
        }
        assert_eq!(float_of_lines(0.0001), "0.0001");
    }
}
