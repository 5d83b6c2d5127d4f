//! Lines of `NAME=value`.

use yaml::commented::{Comment, Entry, Line, Mapping, Node};

use crate::Format;
use crate::error::{LoadError, PrintError};
use crate::json;

pub(crate) fn read(text: &str) -> Result<Mapping, LoadError> {
    let mut entries = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        if let Some(text) = line.strip_prefix('#') {
            entries.push(Line::Comment(Comment { text: text.to_owned(), inline: false }));
            continue;
        }
        let (key, value) = line.split_once('=').ok_or(LoadError::DotenvLine { line: index + 1 })?;
        let value = Node::Text(value.replace("\\n", "\n"));
        entries.push(Line::Value(Entry { key: Node::Text(key.to_owned()), value }));
    }
    Ok(entries)
}

pub(crate) fn print(document: &Mapping) -> Result<Vec<u8>, PrintError> {
    let mut out = Vec::new();
    for line in document {
        match line {
            Line::Comment(comment) => {
                out.push(b'#');
                out.extend(comment.text.bytes());
            }
            Line::Value(entry) => {
                let Node::Text(key) = &entry.key else { return Err(PrintError::Key) };
                out.extend(key.bytes());
                out.push(b'=');
                match &entry.value {
                    Node::Text(text) => out.extend(text.replace('\n', "\\n").bytes()),
                    value => out.extend(plain(value, Format::Dotenv)?),
                }
            }
        }
        out.push(b'\n');
    }
    Ok(out)
}

/// A value that is no collection, as lines show it.
pub(crate) fn plain(value: &Node, format: Format) -> Result<Vec<u8>, PrintError> {
    Ok(match value {
        Node::Null => b"<nil>".to_vec(),
        Node::Bool(value) => value.to_string().into_bytes(),
        Node::Integer(value) => value.to_string().into_bytes(),
        Node::Float(value) => json::float_of_lines(*value).into_bytes(),
        Node::Timestamp(text) | Node::Text(text) => text.clone().into_bytes(),
        Node::Binary(bytes) => bytes.clone(),
        Node::Sequence(_) | Node::Mapping(_) => return Err(PrintError::Complex { format }),
    })
}
