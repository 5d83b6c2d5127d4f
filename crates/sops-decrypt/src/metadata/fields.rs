//! Parts of the metadata, whatever type they were written as: in lines all is text.

use yaml::commented::{Entry, Line, Mapping, Node};

use crate::error::LoadError;

fn field<'a>(entries: &'a Mapping, name: &'static str) -> Option<&'a Node> {
    entries.iter().find_map(|line| match line {
        Line::Value(Entry { key: Node::Text(key), value }) if key == name => Some(value),
        _ => None,
    })
}

/// A text; empty if it is absent.
pub(super) fn text(entries: &Mapping, name: &'static str) -> Result<String, LoadError> {
    as_text(field(entries, name).unwrap_or(&Node::Null), name)
}

fn as_text(node: &Node, field: &'static str) -> Result<String, LoadError> {
    match node {
        Node::Null => Ok(String::new()),
        Node::Text(text) | Node::Timestamp(text) => Ok(text.clone()),
        Node::Integer(value) => Ok(value.to_string()),
        Node::Float(value) => Ok(value.to_string()),
        Node::Bool(value) => Ok(if *value { "1" } else { "0" }.to_owned()),
        Node::Binary(_) | Node::Sequence(_) | Node::Mapping(_) => {
            Err(LoadError::MetadataField { field })
        }
    }
}

/// A number; zero if it is absent.
pub(super) fn number(entries: &Mapping, field: &'static str) -> Result<usize, LoadError> {
    let text = text(entries, field)?;
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_no_number| LoadError::MetadataField { field })
}

/// A flag; false if it is absent.
pub(super) fn flag(entries: &Mapping, field: &'static str) -> Result<bool, LoadError> {
    match text(entries, field)?.as_str() {
        "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        _ => Err(LoadError::MetadataField { field }),
    }
}

/// The mappings of a sequence; none if it is absent.
pub(super) fn items<'a>(
    entries: &'a Mapping,
    name: &'static str,
) -> Result<Vec<&'a Mapping>, LoadError> {
    let wrong = LoadError::MetadataField { field: name };
    match field(entries, name) {
        None | Some(Node::Null) => Ok(Vec::new()),
        // A flattened empty sequence.
        Some(Node::Text(text)) if text.is_empty() => Ok(Vec::new()),
        Some(Node::Sequence(items)) => {
            let values = items.iter().filter_map(|line| match line {
                Line::Comment(_) => None,
                Line::Value(item) => Some(item),
            });
            let mappings = values.map(|item| match item {
                Node::Mapping(entries) => Some(entries),
                _ => None,
            });
            mappings.collect::<Option<_>>().ok_or(wrong)
        }
        Some(_) => Err(wrong),
    }
}

/// The texts of a mapping; none if it is absent.
pub(super) fn texts(
    entries: &Mapping,
    name: &'static str,
) -> Result<Vec<(String, String)>, LoadError> {
    let wrong = || LoadError::MetadataField { field: name };
    let mut texts = Vec::new();
    match field(entries, name) {
        None | Some(Node::Null) => {}
        Some(Node::Mapping(entries)) => {
            for line in entries {
                let Line::Value(Entry { key, value }) = line else { continue };
                let Node::Text(key) = key else { return Err(wrong()) };
                texts.push((key.clone(), as_text(value, name)?));
            }
        }
        Some(_) => return Err(wrong()),
    }
    Ok(texts)
}
