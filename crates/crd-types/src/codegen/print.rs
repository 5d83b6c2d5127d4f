//! Prints a definition as YAML.

use std::fmt::Write as _;

use serde_json::Value;

/// A block-style document, keys sorted, with every string in double quotes that is not a plain word.
pub(super) fn document(value: &Value) -> String {
    let mut text = String::from("---\n");
    block(value, 0, &mut text);
    text
}

// Limit: recursion as deep as our own definitions nest, which is fixed at compile time.
fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (index, (key, value)) in fields.iter().enumerate() {
                // The first field of a list item stands behind its dash.
                if index > 0 || !out.ends_with("- ") {
                    pad(indent, out);
                }
                let _ = write!(out, "{}:", scalar(key));
                nested(value, indent, out);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                pad(indent, out);
                out.push_str("- ");
                if is_nested(item) {
                    block(item, indent + 2, out);
                } else {
                    let _ = writeln!(out, "{}", flow(item));
                }
            }
        }
        leaf => {
            let _ = writeln!(out, "{}", flow(leaf));
        }
    }
}

fn nested(value: &Value, indent: usize, out: &mut String) {
    if is_nested(value) {
        out.push('\n');
        let deeper = if value.is_array() { indent } else { indent + 2 };
        block(value, deeper, out);
    } else {
        let _ = writeln!(out, " {}", flow(value));
    }
}

fn is_nested(value: &Value) -> bool {
    match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        // Every JSON text is YAML.
        other => other.to_string(),
    }
}

fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { Value::from(text).to_string() }
}

/// Whether a string reads back as itself without quotes.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 11] =
        ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"];
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}

fn pad(indent: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', indent));
}
