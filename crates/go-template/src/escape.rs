//! `html`, `js` and `urlquery`.

use crate::format;
use crate::value::{Str, Value, lossy};
use go_quote::is_print;

/// The text that is escaped: one string as it is, anything else printed.
pub(crate) fn text_of(args: &[Value], most: usize) -> Vec<u8> {
    if let [Value::Str(text)] = args {
        return text.as_bytes().to_vec();
    }
    let printable: Vec<Value> = args
        .iter()
        .map(|arg| match arg {
            Value::Nil => Value::Str(Str::constant("<no value>")),
            other => other.clone(),
        })
        .collect();
    format::sprint(&printable, most)
}

pub(crate) fn html(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            0 => out.extend_from_slice("\u{fffd}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            other => out.push(*other),
        }
    }
    out
}

pub(crate) fn js(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for c in lossy(text).chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\'' => out.push_str("\\'"),
            '"' => out.push_str("\\\""),
            '<' | '>' | '&' | '=' | '\0'..='\x1f' => push_unicode(&mut out, c),
            c if !c.is_ascii() && !is_print(c) => push_unicode(&mut out, c),
            c => out.push(c),
        }
    }
    out
}

fn push_unicode(out: &mut String, c: char) {
    use std::fmt::Write as _;
    // Writing to a string cannot fail.
    let _ = write!(out, "\\u{:04X}", u32::from(c));
}

/// Go's `url.QueryEscape`.
pub(crate) fn query(text: &[u8]) -> Vec<u8> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(*byte),
            b' ' => out.push(b'+'),
            other => {
                let digits = [HEX[usize::from(other >> 4)], HEX[usize::from(other & 15)]];
                out.push(b'%');
                out.extend_from_slice(&digits);
            }
        }
    }
    out
}
