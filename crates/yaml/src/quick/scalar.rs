//! Plain and quoted scalars.

use std::borrow::Cow;

use serde_json::Value;

use super::lines::Lines;
use crate::number;
use crate::resolve::{Dialect, Scalar};

/// What a plain scalar means.
pub(super) fn meaning(text: &str) -> Option<Value> {
    Some(match Dialect::Sigs.resolve(text) {
        Scalar::Text | Scalar::Timestamp => Value::String(text.to_owned()),
        Scalar::Null => Value::Null,
        Scalar::Bool(value) => Value::Bool(value),
        Scalar::Integer(value) => Value::Number(serde_json::Number::from_i128(value)?),
        Scalar::Float(value) => Value::Number(number::json(value).ok()?),
    })
}

/// Whether nothing but blanks and a comment follows.
pub(super) fn is_end(rest: &str) -> bool {
    let trimmed = rest.trim_start_matches(' ');
    trimmed.is_empty() || trimmed.len() < rest.len() && trimmed.starts_with('#')
}

/// A plain scalar that begins with `text` within something at the column `parent`. None if a part
/// of it may be an indicator.
pub(super) fn plain<'a>(
    text: &'a str,
    parent: usize,
    lines: &mut Lines<'a>,
) -> Option<Cow<'a, str>> {
    let first = *text.as_bytes().first()?;
    match first {
        b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'\''
        | b'"' | b'%' | b'@' | b'`' | b'?' | b':' => return None,
        b'-' if text.len() == 1 || text.as_bytes()[1] == b' ' => return None,
        _ => {}
    }
    if let Some(comment) = text.find(" #") {
        return one_line(&text[..comment]).map(Cow::Borrowed);
    }
    let mut whole = Cow::Borrowed(one_line(text)?);
    let mut breaks = 1;
    let mut at = lines.place();
    while let Some((line, next)) = lines.line_at(at) {
        let text = line.trim_start_matches(' ');
        at = next;
        if text.is_empty() {
            breaks += 1;
            continue;
        }
        if line.len() - text.len() <= parent {
            break;
        }
        // A comment ends the scalar, and what follows it may be an error.
        if text.starts_with('#') || text.contains(" #") || text.contains('\t') {
            return None;
        }
        push_fold(whole.to_mut(), breaks);
        whole.to_mut().push_str(one_line(text)?);
        breaks = 1;
        lines.go_to(next);
    }
    Some(whole)
}

/// A line of a plain scalar, unless it is a key.
fn one_line(text: &str) -> Option<&str> {
    let text = text.trim_end_matches(' ');
    let is_key = text.ends_with(':') || text.contains(": ");
    (!is_key).then_some(text)
}

/// What so many line ends between two lines become.
fn push_fold(out: &mut String, breaks: usize) {
    if breaks == 1 {
        out.push(' ');
    } else {
        out.extend(std::iter::repeat_n('\n', breaks - 1));
    }
}

/// A quoted scalar that may go on over lines deeper than `parent`, and what follows it.
pub(super) fn quoted_lines<'a>(
    text: &'a str,
    parent: usize,
    lines: &mut Lines<'a>,
) -> Option<(String, &'a str)> {
    if let Some(found) = quoted(text) {
        return Some(found);
    }
    let quote = text.chars().next()?;
    let mut out = String::new();
    let mut line = &text[1..];
    loop {
        // Spaces at the end of a line do not count, unless a backslash says so.
        let mut counts = out.len();
        let mut rest = line;
        let mut joins = false;
        let closed = loop {
            let Some(end) = rest.find([quote, '\\']) else {
                out.push_str(rest);
                break false;
            };
            out.push_str(&rest[..end]);
            let after = &rest[end + 1..];
            if rest.as_bytes()[end] == b'\\' {
                if quote == '\'' {
                    out.push('\\');
                    rest = after;
                    continue;
                }
                let Some(escaped) = after.chars().next() else {
                    counts = out.len();
                    joins = true;
                    break false;
                };
                out.push(unescaped(escaped)?);
                counts = out.len();
                rest = &after[1..];
            } else if quote == '\'' && after.starts_with('\'') {
                out.push('\'');
                rest = &after[1..];
            } else {
                rest = after;
                break true;
            }
        };
        if closed {
            return Some((out, rest));
        }
        let kept = out[counts..].trim_end_matches(' ').len();
        out.truncate(counts + kept);
        let mut breaks = 0;
        line = loop {
            let (next_line, next) = lines.line()?;
            let text = next_line.trim_start_matches(' ');
            breaks += 1;
            lines.go_to(next);
            if !text.is_empty() {
                let is_deeper = next_line.len() - text.len() > parent;
                break (is_deeper && !text.contains('\t')).then_some(text)?;
            }
        };
        match (joins, breaks) {
            (false, _) => push_fold(&mut out, breaks),
            (true, 1) => {}
            (true, _) => return None,
        }
    }
}

/// A quoted text at the beginning of `text`, and what follows it.
pub(super) fn quoted(text: &str) -> Option<(String, &str)> {
    match text.as_bytes().first()? {
        b'"' => double_quoted(&text[1..]),
        b'\'' => single_quoted(&text[1..]),
        _ => None,
    }
}

fn double_quoted(text: &str) -> Option<(String, &str)> {
    let end = text.find(['"', '\\'])?;
    if text.as_bytes()[end] == b'"' {
        return Some((text[..end].to_owned(), &text[end + 1..]));
    }
    let mut out = String::new();
    let mut rest = text;
    loop {
        let end = rest.find(['"', '\\'])?;
        out.push_str(&rest[..end]);
        let after = &rest[end + 1..];
        if rest.as_bytes()[end] == b'"' {
            return Some((out, after));
        }
        out.push(unescaped(after.chars().next()?)?);
        rest = &after[1..];
    }
}

/// What a character behind a backslash stands for, if that is one of the common ones.
const fn unescaped(c: char) -> Option<char> {
    Some(match c {
        '"' | '\\' | ' ' => c,
        'n' => '\n',
        't' => '\t',
        _ => return None,
    })
}

fn single_quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('\'')?;
        out.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('\'') {
            Some(after) => {
                out.push('\'');
                rest = after;
            }
            None => return Some((out, rest)),
        }
    }
}
