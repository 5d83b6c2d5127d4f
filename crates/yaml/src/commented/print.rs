//! Documents to text.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;

use super::{Comment, Entry, Line, Mapping, Node};
use crate::emit::printer::{Printer, Style};
use crate::emit::scalar::{self, Shape};
use crate::emit::{MAX_SIMPLE_KEY_BYTES, is_read_as_text};
use crate::number;

/// The style of sops: four spaces, sequences indented, lines never folded.
const STYLE: Style =
    Style { fold_after: usize::MAX, indented_sequences: true, tabs_in_blocks: true, step: 4 };

/// How long the lines of bytes are.
const LINE: usize = 70;

/// The documents as sops prints them.
///
/// Limit: recursive, so values must not be nested much deeper than what [`read`](super::read) makes
/// with the default limits.
pub fn print(documents: &[Mapping]) -> String {
    let mut text = String::new();
    for (index, document) in documents.iter().enumerate() {
        if index > 0 {
            text.push_str("---\n");
        }
        let mut to = Printer::new(STYLE);
        if values(document).next().is_none() {
            heads(document, &mut to);
            if !document.is_empty() {
                to.indent_line();
            }
        }
        mapping(document, None, &mut to);
        to.indent_line();
        text.push_str(&to.finish());
    }
    text
}

/// A value behind its key or dash, with the comment that stands on its line.
fn node(value: &Node, inline: Option<&Comment>, to: &mut Printer) {
    match value {
        Node::Sequence(items) => return sequence(items, inline, to),
        Node::Mapping(entries) => return mapping(entries, inline, to),
        Node::Null => plain("null", to),
        Node::Bool(value) => plain(if *value { "true" } else { "false" }, to),
        Node::Integer(value) => plain(&value.to_string(), to),
        Node::Float(value) => plain(&float(*value), to),
        Node::Timestamp(text) => plain(text, to),
        Node::Text(text) => return string(text, false, inline, to),
        Node::Binary(bytes) => {
            to.indicator("!!binary", true, false);
            return string(&base64(bytes), false, inline, to);
        }
    }
    behind(inline, to);
}

fn sequence(items: &[Line<Node>], inline: Option<&Comment>, to: &mut Printer) {
    if values(items).next().is_none() {
        to.indicator("[]", true, false);
        return behind(inline, to);
    }
    behind(inline, to);
    let outer = to.deepen();
    let mut inline = None;
    for line in items {
        match line {
            Line::Comment(comment) if comment.inline => inline = Some(comment),
            Line::Comment(comment) => whole_line(comment, to),
            Line::Value(item) => {
                leading(item, to);
                to.indent_line();
                to.indicator("-", true, true);
                to.item = true;
                node(item, inline.take(), to);
                to.item = false;
            }
        }
    }
    if let Some(comment) = inline {
        whole_line(comment, to);
    }
    to.indent = outer;
}

fn mapping(entries: &[Line<Entry>], inline: Option<&Comment>, to: &mut Printer) {
    if values(entries).next().is_none() {
        to.indicator("{}", true, false);
        return behind(inline, to);
    }
    behind(inline, to);
    // Comments at the start of an item stand before its dash.
    let is_item = to.item;
    let outer = to.deepen();
    let mut started = false;
    let mut inline = None;
    for line in entries {
        match line {
            Line::Comment(comment) if comment.inline => inline = Some(comment),
            Line::Comment(_) if is_item && !started => {}
            Line::Comment(comment) => whole_line(comment, to),
            Line::Value(value) => {
                started = true;
                entry(value, inline.take(), to);
            }
        }
    }
    if let Some(comment) = inline {
        whole_line(comment, to);
    }
    to.indent = outer;
}

fn entry(entry: &Entry, inline: Option<&Comment>, to: &mut Printer) {
    match &entry.value {
        // Comments in what is printed as `{}` have no other place.
        Node::Mapping(entries) if values(entries).next().is_none() => {
            heads(entries, to);
        }
        Node::Sequence(items) if values(items).next().is_none() => {
            heads(items, to);
        }
        _ => {}
    }
    to.indent_line();
    match &entry.key {
        Node::Text(key) if key.len() > MAX_SIMPLE_KEY_BYTES || key.contains('\n') => {
            to.indicator("?", true, true);
            string(key, false, None, to);
            to.indent_line();
            to.indicator(":", true, true);
        }
        Node::Text(key) => {
            string(key, true, None, to);
            to.indicator(":", false, false);
        }
        key => {
            node(key, None, to);
            to.indicator(":", false, false);
        }
    }
    node(&entry.value, inline, to);
}

/// The comments with which a collection starts that is an item: they stand before the dash.
fn leading(item: &Node, to: &mut Printer) {
    match item {
        Node::Mapping(entries) => leading_of(entries, to),
        Node::Sequence(items) => {
            leading_of(items, to);
            if let Some(first) = values(items).next() {
                leading(first, to);
            }
        }
        _ => {}
    }
}

fn leading_of<T>(lines: &[Line<T>], to: &mut Printer) {
    let comments = lines.iter().take_while(|line| matches!(line, Line::Comment(_)));
    for line in comments {
        head(line, to);
    }
}

fn heads<T>(lines: &[Line<T>], to: &mut Printer) {
    for line in lines {
        head(line, to);
    }
}

fn head<T>(line: &Line<T>, to: &mut Printer) {
    if let Line::Comment(comment) = line
        && !comment.inline
    {
        whole_line(comment, to);
    }
}

fn whole_line(comment: &Comment, to: &mut Printer) {
    to.indent_line();
    to.comment(&comment.text);
}

fn behind(comment: Option<&Comment>, to: &mut Printer) {
    if let Some(comment) = comment {
        to.push(' ');
        to.comment(&comment.text);
    }
}

fn string(text: &str, is_key: bool, inline: Option<&Comment>, to: &mut Printer) {
    let shape = Shape::of(text, to.style);
    let style = if text.contains('\n') {
        scalar::Style::Literal
    } else if is_read_as_text(text) && text != "<<" {
        scalar::Style::Plain
    } else {
        scalar::Style::DoubleQuoted
    };
    let header = inline.map(|comment| comment.text.as_str());
    if !scalar::write_with(text, style, shape, is_key, header, to) {
        behind(inline, to);
    }
}

fn plain(text: &str, to: &mut Printer) {
    scalar::write(text, scalar::Style::Plain, Shape::of(text, to.style), false, to);
}

/// Lines of 70 characters, if it takes more than one.
fn base64(bytes: &[u8]) -> String {
    let text = BASE64.encode(bytes);
    if text.len() <= LINE {
        return text;
    }
    let lines = text.as_bytes().chunks(LINE).map(String::from_utf8_lossy);
    lines.flat_map(|line| [line.into_owned(), "\n".to_owned()]).collect()
}

fn float(value: f64) -> String {
    if value.is_nan() {
        ".nan".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { ".inf" } else { "-.inf" }.to_owned()
    } else {
        number::general(value)
    }
}

fn values<T>(lines: &[Line<T>]) -> impl Iterator<Item = &T> {
    lines.iter().filter_map(|line| match line {
        Line::Comment(_) => None,
        Line::Value(value) => Some(value),
    })
}
