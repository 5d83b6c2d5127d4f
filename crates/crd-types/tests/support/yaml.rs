//! Reads the plain YAML of manifests: strings, whole numbers, booleans, null.

use libyaml_safer::{EventData, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// The documents of a stream.
pub(crate) fn documents(text: &str) -> Result<Vec<Value>, String> {
    let mut bytes = text.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut bytes);
    let mut documents = Vec::new();
    let mut open: Vec<Node> = Vec::new();
    loop {
        let value = match parser.parse().map_err(|error| error.to_string())?.data {
            EventData::StreamEnd => return Ok(documents),
            EventData::MappingStart { .. } => {
                open.push(Node::Mapping(Map::new(), None));
                continue;
            }
            EventData::SequenceStart { .. } => {
                open.push(Node::Sequence(Vec::new()));
                continue;
            }
            EventData::MappingEnd | EventData::SequenceEnd => match open.pop() {
                Some(Node::Mapping(fields, _)) => Value::Object(fields),
                Some(Node::Sequence(items)) => Value::Array(items),
                None => return Err("an end without a start".to_owned()),
            },
            EventData::Scalar { value, style, .. } => scalar(value, style),
            EventData::Alias { anchor } => return Err(format!("alias {anchor}")),
            _ => continue,
        };
        match open.last_mut() {
            None => documents.push(value),
            Some(Node::Sequence(items)) => items.push(value),
            Some(Node::Mapping(fields, key)) => match (key.take(), value) {
                (None, Value::String(name)) => *key = Some(name),
                (None, other) => *key = Some(other.to_string()),
                (Some(name), value) => {
                    if fields.insert(name.clone(), value).is_some() {
                        return Err(format!("{name} twice"));
                    }
                }
            },
        }
    }
}

enum Node {
    Mapping(Map<String, Value>, Option<String>),
    Sequence(Vec<Value>),
}

fn scalar(text: String, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::String(text);
    }
    match text.as_str() {
        "" | "null" | "~" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => text.parse::<i64>().map_or_else(|_| Value::String(text), Value::from),
    }
}
