//! Sections to text: `=` aligned within a section, an empty line between sections.

use yaml::commented::{Entry, Line, Mapping, Node};

use super::{DEFAULT, DELIMITERS};
use crate::Format;
use crate::dotenv::plain;
use crate::error::PrintError;

pub(crate) fn print(documents: &[Mapping]) -> Result<Vec<u8>, PrintError> {
    let sections = documents.iter().flatten().filter_map(|line| match line {
        Line::Comment(_) => None,
        Line::Value(section) => Some(section),
    });
    let mut out = Vec::new();
    let mut sections = sections.enumerate().peekable();
    while let Some((index, section)) = sections.next() {
        let Node::Text(name) = &section.key else { return Err(PrintError::Key) };
        let Node::Mapping(entries) = &section.value else { return Err(PrintError::Section) };
        if print_section(name, entries, index == 0, &mut out)? && sections.peek().is_some() {
            out.push(b'\n');
        }
    }
    Ok(out)
}

/// Prints a section; tells whether there was something to print.
fn print_section(
    name: &str,
    entries: &Mapping,
    is_first: bool,
    out: &mut Vec<u8>,
) -> Result<bool, PrintError> {
    let mut rest = entries.as_slice();
    if let [Line::Comment(comment), behind @ ..] = rest {
        print_comment(&comment.text, str::to_owned, out);
        rest = behind;
    }
    let rows = rows(rest)?;
    if !is_first || !name.eq_ignore_ascii_case(DEFAULT) {
        out.extend(format!("[{name}]\n").into_bytes());
    } else if rows.is_empty() {
        return Ok(false);
    }
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    for row in rows {
        if let Some(comment) = row.comment {
            print_comment(comment, |line| line.trim().to_owned(), out);
        }
        out.extend(row.name.bytes());
        out.extend(std::iter::repeat_n(b' ', width - row.name.len()));
        out.extend(b" = ");
        out.extend(quoted_value(row.value));
        out.push(b'\n');
    }
    Ok(true)
}

struct Row<'a> {
    name: String,
    value: Vec<u8>,
    comment: Option<&'a str>,
}

/// A comment behind a name belongs to it.
fn rows(lines: &[Line<Entry>]) -> Result<Vec<Row<'_>>, PrintError> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for line in lines {
        match line {
            Line::Comment(comment) => {
                if let Some(row) = rows.last_mut() {
                    row.comment = Some(comment.text.as_str()).filter(|text| !text.is_empty());
                }
            }
            Line::Value(entry) => {
                let Node::Text(name) = &entry.key else { return Err(PrintError::Key) };
                let value = plain(&entry.value, Format::Ini)?;
                rows.push(Row { name: quoted_name(name), value, comment: None });
            }
        }
    }
    Ok(rows)
}

fn quoted_name(name: &str) -> String {
    if name.contains('"') || name.contains(DELIMITERS) {
        format!("`{name}`")
    } else if name.contains('`') {
        format!("\"\"\"{name}\"\"\"")
    } else {
        name.to_owned()
    }
}

fn quoted_value(value: Vec<u8>) -> Vec<u8> {
    let has = |bytes: &[u8]| value.iter().any(|byte| bytes.contains(byte));
    let quote: &[u8] = if has(b"\n`") {
        b"\"\"\""
    } else if has(b"#;") {
        b"`"
    } else if std::str::from_utf8(&value).is_ok_and(|text| text.trim().len() != text.len()) {
        b"\""
    } else {
        return value;
    };
    [quote, &value, quote].concat()
}

fn print_comment(text: &str, bare: fn(&str) -> String, out: &mut Vec<u8>) {
    if text.is_empty() {
        return;
    }
    for line in text.split('\n') {
        let line = match line.chars().next() {
            Some(c @ ('#' | ';')) => format!("{c} {}", line[1..].trim()),
            _ => format!("; {}", bare(line)),
        };
        out.extend(line.into_bytes());
        out.push(b'\n');
    }
}
