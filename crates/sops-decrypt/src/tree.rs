//! A file between its formats.

use serde_json::Value;
use yaml::commented::{Entry, Line, Mapping, Node};
use zeroize::{Zeroize as _, Zeroizing};

use crate::data_key::{self, DataKey, DataKeyError, KeyService};
use crate::error::{Error, LoadError, PrintError};
use crate::metadata::{self, Layout, Metadata};
use crate::{Format, Integrity, MAX_BYTES, Recipient, dotenv, ini, json, walk};

/// A file that is encrypted.
pub struct Encrypted {
    documents: Documents,
    metadata: Metadata,
}

/// A file that was decrypted.
pub struct Decrypted {
    documents: Documents,
}

/// A text that was decrypted. It cannot be printed, and is wiped when it goes.
pub struct Plaintext(Zeroizing<Vec<u8>>);

/// Documents that are wiped when they go.
pub(crate) struct Documents(pub(crate) Vec<Mapping>);

impl Encrypted {
    /// Takes an encrypted file apart.
    ///
    /// # Errors
    /// If it has not the format, or sops did not encrypt it, or it is larger than [`MAX_BYTES`].
    pub fn read(data: &[u8], format: Format) -> Result<Self, Error> {
        Self::load(data, format).map_err(|source| Error::Load { format, source })
    }

    /// Takes an encrypted object apart. Its order of keys is lost, so its MAC cannot be verified.
    ///
    /// # Errors
    /// If sops did not encrypt it.
    pub fn of_object(object: &serde_json::Map<String, Value>) -> Result<Self, Error> {
        let load = || {
            let mut documents = Documents(vec![mapping(object)]);
            let metadata = metadata::extract(&mut documents.0, Layout::Nested)?;
            Ok(Self { documents, metadata })
        };
        load().map_err(|source| Error::Load { format: Format::Json, source })
    }

    fn load(data: &[u8], format: Format) -> Result<Self, LoadError> {
        if data.len() > MAX_BYTES {
            return Err(LoadError::TooLarge { bytes: data.len(), limit_bytes: MAX_BYTES });
        }
        let text = || std::str::from_utf8(data).map_err(|_no_text| LoadError::NotText);
        let (documents, layout) = match format {
            Format::Yaml => {
                let limits = yaml::Limits {
                    bytes: MAX_BYTES,
                    depth: 128,
                    aliased_nodes: 100_000,
                    aliased_bytes: MAX_BYTES,
                    ..yaml::Limits::default()
                };
                let documents = yaml::commented::read(data, &limits).map_err(LoadError::Yaml)?;
                (documents, Layout::Nested)
            }
            Format::Json | Format::Binary => (vec![json::read(text()?)?], Layout::Nested),
            Format::Dotenv => (vec![dotenv::read(text()?)?], Layout::Flat),
            Format::Ini => (vec![ini::read(text()?)?], Layout::Section),
        };
        let mut documents = Documents(documents);
        let metadata = metadata::extract(&mut documents.0, layout)?;
        Ok(Self { documents, metadata })
    }

    /// Who can open the file: groups, each of which has a part of its key.
    pub fn groups(&self) -> &[Vec<Recipient>] {
        &self.metadata.groups
    }

    /// The key of the file.
    ///
    /// # Errors
    /// If too few groups have a recipient whose key the service has; it says why for each.
    pub fn data_key(&self, keys: &dyn KeyService) -> Result<DataKey, DataKeyError> {
        data_key::recover(&self.metadata.groups, self.metadata.threshold, keys)
    }

    /// Opens the values.
    ///
    /// # Errors
    /// If a value was changed or moved, or the MAC is not right and has to be.
    pub fn decrypt(mut self, key: &DataKey, integrity: Integrity) -> Result<Decrypted, Error> {
        let mac = walk::decrypt(&mut self.documents.0, &self.metadata, key)?;
        if integrity == Integrity::Verified {
            self.metadata.verify(&mac, key)?;
        }
        Ok(Decrypted { documents: self.documents })
    }
}

impl Decrypted {
    /// The file as sops prints it in a format.
    ///
    /// # Errors
    /// If the format has no place for what is in the file.
    pub fn print(&self, format: Format) -> Result<Plaintext, PrintError> {
        let documents = &self.documents.0;
        // Flux: of several documents all but the first one are dropped.
        let one = || documents.first().ok_or(PrintError::NoDocument);
        let bytes = match format {
            Format::Yaml => yaml::commented::print(documents).into_bytes(),
            Format::Json => json::print(one()?)?,
            Format::Dotenv => dotenv::print(one()?)?,
            Format::Ini => ini::print(documents)?,
            Format::Binary => binary(one()?)?,
        };
        Ok(Plaintext(Zeroizing::new(bytes)))
    }

    /// The first document as an object.
    pub fn into_object(self) -> serde_json::Map<String, Value> {
        self.documents.0.first().map(object).unwrap_or_default()
    }
}

impl Plaintext {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

fn binary(document: &Mapping) -> Result<Vec<u8>, PrintError> {
    let data = document.iter().find_map(|line| match line {
        Line::Value(Entry { key: Node::Text(key), value }) if key == "data" => Some(value),
        _ => None,
    });
    match data {
        Some(Node::Text(text)) => Ok(text.clone().into_bytes()),
        Some(Node::Binary(bytes)) => Ok(bytes.clone()),
        _ => Err(PrintError::NoData),
    }
}

fn mapping(object: &serde_json::Map<String, Value>) -> Mapping {
    let entry = |(key, value): (&String, &Value)| {
        Line::Value(Entry { key: Node::Text(key.clone()), value: node(value) })
    };
    object.iter().map(entry).collect()
}

fn node(value: &Value) -> Node {
    match value {
        Value::Null => Node::Null,
        Value::Bool(value) => Node::Bool(*value),
        Value::Number(number) => match (number.as_i128(), number.as_f64()) {
            (Some(integer), _) => Node::Integer(integer),
            (None, Some(float)) => Node::Float(float),
            (None, None) => Node::Null,
        },
        Value::String(text) => Node::Text(text.clone()),
        Value::Array(items) => Node::Sequence(items.iter().map(node).map(Line::Value).collect()),
        Value::Object(entries) => Node::Mapping(mapping(entries)),
    }
}

fn object(document: &Mapping) -> serde_json::Map<String, Value> {
    let entry = |line: &Line<Entry>| match line {
        Line::Value(Entry { key: Node::Text(key), value: node }) => {
            Some((key.clone(), value(node)))
        }
        _ => None,
    };
    document.iter().filter_map(entry).collect()
}

fn value(node: &Node) -> Value {
    match node {
        Node::Null => Value::Null,
        Node::Bool(value) => Value::Bool(*value),
        Node::Integer(value) => i64::try_from(*value)
            .map(Value::from)
            .or_else(|_large| u64::try_from(*value).map(Value::from))
            .unwrap_or_default(),
        Node::Float(value) => Value::from(*value),
        Node::Timestamp(text) | Node::Text(text) => Value::from(text.as_str()),
        Node::Binary(bytes) => Value::from(String::from_utf8_lossy(bytes)),
        Node::Sequence(items) => {
            let item = |line: &Line<Node>| match line {
                Line::Comment(_) => None,
                Line::Value(item) => Some(value(item)),
            };
            Value::Array(items.iter().filter_map(item).collect())
        }
        Node::Mapping(entries) => Value::Object(object(entries)),
    }
}

impl Drop for Documents {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(wipe_mapping);
    }
}

fn wipe(node: &mut Node) {
    match node {
        Node::Text(text) | Node::Timestamp(text) => text.zeroize(),
        Node::Binary(bytes) => bytes.zeroize(),
        Node::Integer(value) => value.zeroize(),
        Node::Float(value) => value.zeroize(),
        Node::Sequence(items) => {
            for line in items {
                match line {
                    Line::Comment(comment) => comment.text.zeroize(),
                    Line::Value(item) => wipe(item),
                }
            }
        }
        Node::Mapping(entries) => wipe_mapping(entries),
        Node::Null | Node::Bool(_) => {}
    }
}

fn wipe_mapping(entries: &mut Mapping) {
    for line in entries {
        match line {
            Line::Comment(comment) => comment.text.zeroize(),
            Line::Value(entry) => wipe(&mut entry.value),
        }
    }
}

macro_rules! opaque {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )*};
}

opaque!(Encrypted, Decrypted, Plaintext, Documents);
