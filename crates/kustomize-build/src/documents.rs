//! Bytes to documents: resources as kyaml reads them, all else as Kubernetes' own YAML library does.

use std::collections::VecDeque;

use serde_json::{Map, Value};
use yaml::Step;

use crate::resource::{Blank, Resource, Spelling};
use crate::value::{string_map, text};

/// Lists may hold lists this deep.
const MAX_LIST_DEPTH: usize = 16;

/// Why bytes are no documents.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// A resource is no YAML.
    #[error("MalformedYAMLError: {reason}")]
    Malformed {
        /// What the parser says.
        reason: String,
    },
    /// A file with resources is no YAML.
    #[error("MalformedYAMLError: {reason} in File: {path}")]
    MalformedFile {
        /// What the parser says.
        reason: String,
        /// The file.
        path: String,
    },
    /// What kustomize finds out when it prints a resource: a key that stands twice, what JSON cannot
    /// have.
    #[error("MalformedYAMLError: {reason}")]
    Late {
        /// The resource, as Go prints it.
        object: String,
        /// What the parser says.
        reason: String,
    },
    /// A file that is no resource is no YAML.
    #[error("{reason}")]
    Yaml {
        /// What the parser says.
        reason: String,
    },
    /// Words stand behind `---`.
    #[error("invalid document separator: {separator}")]
    Separator {
        /// The whole line.
        separator: String,
    },
    /// A document has neither kind nor metadata.
    #[error("missing Resource metadata")]
    NoMetadata,
    /// A document lacks what every resource has.
    #[error("missing {field} in object {object}")]
    Missing {
        /// What is missing.
        field: &'static str,
        /// What is there.
        object: String,
    },
    /// A list of resources holds no list.
    #[error("expected array in {kind}/items, but found {found}")]
    NoItems {
        /// The kind.
        kind: String,
        /// What it holds.
        found: &'static str,
    },
    /// Lists of resources nest too deeply.
    #[error("lists of resources nest deeper than {MAX_LIST_DEPTH} levels")]
    TooDeep,
    /// A resource is no UTF-8.
    #[error("yaml: invalid leading UTF-8 octet")]
    NotText,
}

/// The resources of a file; lists are replaced by what they hold.
pub(crate) fn resources(bytes: &[u8]) -> Result<Vec<Resource>, DocumentError> {
    read(bytes, yaml::kyaml::parse_twice)
}

/// Patches, which look like resources; nothing at all between braces is null in them.
pub(crate) fn patches(bytes: &[u8]) -> Result<Vec<Resource>, DocumentError> {
    read(bytes, yaml::kyaml::parse)
}

fn read(
    bytes: &[u8],
    parse: fn(&[u8]) -> Result<Value, yaml::Error>,
) -> Result<Vec<Resource>, DocumentError> {
    let text = std::str::from_utf8(bytes).or(Err(DocumentError::NotText))?;
    let text = if text.contains("\r\n") { text.replace("\r\n", "\n") } else { text.to_owned() };
    let texts = split(&text)?;
    let single = texts.len() == 1;
    let mut found = Vec::new();
    for text in texts {
        let document = parse(text.as_bytes()).map_err(|error| malformed(&error, &text))?;
        if document.is_null() {
            continue;
        }
        let blanks = if may_hold_blanks(&document) { blanks(&text) } else { Vec::new() };
        let spellings = spellings(&document, &text);
        let document = match document {
            Value::Object(mut fields) if single && is_wrapping_list(&fields) => {
                if let Some(Value::Array(items)) = fields.remove("items") {
                    found.extend(items.into_iter().map(|item| (item, Vec::new(), Vec::new())));
                }
                continue;
            }
            other => other,
        };
        found.push((document, blanks, spellings));
    }
    let mut resources = Vec::new();
    // Flux: what is in lists comes after all that is in none.
    let mut items = VecDeque::new();
    for (document, blanks, spellings) in found {
        if let Some(mut resource) = resource(document, 0, &mut items)? {
            resource.notes.blanks = blanks;
            resource.notes.spellings = spellings;
            resources.push(resource);
        }
    }
    // Limit: what a list of resources leaves out is taken for null.
    while let Some((item, depth)) = items.pop_front() {
        resources.extend(resource(item, depth, &mut items)?);
    }
    Ok(resources)
}

fn malformed(error: &yaml::Error, text: &str) -> DocumentError {
    let reason = match error {
        // The lines are those of the document as kustomize prints it, which leaves out empty ones.
        yaml::Error::DefinedAgain(_) => {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            let printed = lines.collect::<Vec<_>>().join("\n");
            match yaml::kyaml::parse(printed.as_bytes()) {
                Err(error @ yaml::Error::DefinedAgain(_)) => error.to_string(),
                _ => error.to_string(),
            }
        }
        error => error.to_string(),
    };
    match error {
        yaml::Error::KeyIsNoText | yaml::Error::Number(_) => {
            let object = yaml::kyaml::go_syntax(text.as_bytes()).unwrap_or_default();
            DocumentError::Late { object, reason }
        }
        yaml::Error::DefinedAgain(_)
        | yaml::Error::Tag { .. }
        | yaml::Error::CollectionKey { .. } => {
            DocumentError::Late { object: "map[string]interface {}(nil)".to_owned(), reason }
        }
        _ => DocumentError::Malformed { reason },
    }
}

fn may_hold_blanks(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().any(may_hold_blanks),
        Value::Object(fields) => fields.values().any(may_hold_blanks),
        _ => false,
    }
}

/// How the labels and annotations are written that mean something else than their text.
fn spellings(document: &Value, text: &str) -> Vec<Spelling> {
    let metadata = document.get("metadata");
    let value_of = |field: &str, key: &str| metadata?.get(field)?.get(key);
    let is_odd = |value: &Value| match value {
        Value::Null | Value::Number(_) | Value::Bool(_) => true,
        // Perhaps a date, which became a time.
        Value::String(text) => text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T'),
        Value::Array(_) | Value::Object(_) => false,
    };
    let odd = |field: &str| {
        let map = metadata.and_then(|metadata| metadata.get(field)?.as_object());
        map.is_some_and(|map| map.values().any(is_odd))
    };
    if !odd("labels") && !odd("annotations") {
        return Vec::new();
    }
    let Ok(spans) = yaml::spans(text.as_bytes()) else { return Vec::new() };
    let spelling = |scalar: &yaml::ScalarSpan| {
        let path = spans.path(scalar);
        let [Step::Document(0), Step::Key(metadata), Step::Key(field), Step::Key(key)] =
            path.as_slice()
        else {
            return None;
        };
        let value = value_of(field, key).filter(|value| metadata == "metadata" && is_odd(value))?;
        let (field, key, value) = (field.clone(), key.clone(), value.clone());
        Some(Spelling { field, key, value, text: scalar.text.clone() })
    };
    spans.scalars().iter().filter_map(spelling).collect()
}

/// Where a document has nothing at all behind a key.
fn blanks(text: &str) -> Vec<Blank> {
    let Ok(spans) = yaml::spans(text.as_bytes()) else { return Vec::new() };
    let blank = |scalar: &&yaml::ScalarSpan| {
        scalar.style == yaml::Style::Plain && scalar.text.is_empty() && scalar.bytes.is_empty()
    };
    let steps = spans.scalars().iter().filter(blank).map(|scalar| spans.path(scalar));
    steps.map(|path| path.into_iter().skip(1).collect()).collect()
}

/// A document of Kubernetes' own YAML library (YAML 1.1; the last of equal keys counts).
pub(crate) fn plain(bytes: &[u8]) -> Result<Value, DocumentError> {
    yaml::parse(bytes).map_err(|error| DocumentError::Yaml { reason: error.to_string() })
}

/// A text inside of a field that may itself be YAML.
pub(crate) fn structured(text: &str) -> Result<Value, DocumentError> {
    yaml::kyaml::parse(text.as_bytes())
        .map_err(|error| DocumentError::Yaml { reason: error.to_string() })
}

/// Says in which file a malformed document stands.
pub(crate) fn in_file(error: DocumentError, path: &str) -> DocumentError {
    match error {
        DocumentError::Malformed { reason } | DocumentError::Late { reason, .. } => {
            DocumentError::MalformedFile { reason, path: path.to_owned() }
        }
        other => other,
    }
}

/// Splits a stream at lines that start with `---`.
fn split(text: &str) -> Result<Vec<String>, DocumentError> {
    let mut documents = Vec::new();
    let mut start = 0;
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("\n---")) {
        let separator = from + at;
        let Some(line) = text.get(separator + 1..) else { break };
        let Some(end) = line.find('\n') else { break };
        let line = line.get(..end).unwrap_or_default();
        let words = line.get(3..).unwrap_or_default().trim();
        if !words.is_empty() && !words.starts_with('#') {
            return Err(DocumentError::Separator { separator: line.trim().to_owned() });
        }
        documents.push(format!("{}\n", text.get(start..separator).unwrap_or_default()));
        start = separator + 1 + end + 1;
        // The line break before the next separator may be the one that ended this line.
        from = start;
    }
    if !text.is_empty() {
        documents.push(text.get(start..).unwrap_or_default().to_owned());
    }
    Ok(documents)
}

fn is_wrapping_list(fields: &Map<String, Value>) -> bool {
    let kind = fields.get("kind").and_then(Value::as_str).unwrap_or_default();
    matches!(kind, "List" | "ResourceList")
        && (fields.contains_key("items") || fields.contains_key("functionConfig"))
}

/// Takes a document for a resource, or for a list of them, which has its turn later.
fn resource(
    document: Value,
    depth: usize,
    later: &mut VecDeque<(Value, usize)>,
) -> Result<Option<Resource>, DocumentError> {
    if depth > MAX_LIST_DEPTH {
        return Err(DocumentError::TooDeep);
    }
    if crate::value::is_empty(&document) {
        return Ok(None);
    }
    let Value::Object(mut fields) = document else { return Err(DocumentError::NoMetadata) };
    validate(&fields)?;
    let kind = fields.get("kind").map(text).unwrap_or_default();
    if kind.ends_with("List") && fields.contains_key("items") {
        return match fields.remove("items") {
            Some(Value::Array(items)) => {
                later.extend(items.into_iter().map(|item| (item, depth + 1)));
                Ok(None)
            }
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(_)) => {
                Err(DocumentError::NoItems { kind, found: "map[string]interface {}" })
            }
            Some(_) => Err(DocumentError::NoItems { kind, found: "string" }),
        };
    }
    Ok(Some(Resource::new(fields)))
}

/// Checks for kind and name.
pub(crate) fn validate(fields: &Map<String, Value>) -> Result<(), DocumentError> {
    let field = |name: &str| fields.get(name).filter(|value| !crate::value::is_empty(value));
    let metadata = field("metadata").and_then(Value::as_object);
    let has_metadata = metadata.is_some_and(|metadata| {
        ["name", "namespace", "labels", "annotations"]
            .iter()
            .any(|name| metadata.get(*name).is_some_and(|value| !crate::value::is_empty(value)))
    });
    if field("apiVersion").is_none() && field("kind").is_none() && !has_metadata {
        return Err(DocumentError::NoMetadata);
    }
    let kind = field("kind").map(text).unwrap_or_default();
    let name = metadata.and_then(|metadata| metadata.get("name")).map(text).unwrap_or_default();
    let missing = if kind.is_empty() {
        "kind"
    } else if name.is_empty() && !kind.ends_with("List") {
        "metadata.name"
    } else {
        return Ok(());
    };
    Err(DocumentError::Missing { field: missing, object: described(fields) })
}

/// What is there of an object's identity, as Go prints it.
fn described(fields: &Map<String, Value>) -> String {
    let top = |name: &str| fields.get(name).map(text).unwrap_or_default();
    let metadata = fields.get("metadata").and_then(Value::as_object);
    let meta = |name: &str| metadata.and_then(|metadata| metadata.get(name));
    let map = |name: &str| {
        let entries: Vec<String> =
            string_map(meta(name)).iter().map(|(key, value)| format!("{key}:{value}")).collect();
        format!("map[{}]", entries.join(" "))
    };
    format!(
        "{{{{{} {}}} {{{{{} {}}} {} {}}}}}",
        top("apiVersion"),
        top("kind"),
        meta("name").map(text).unwrap_or_default(),
        meta("namespace").map(text).unwrap_or_default(),
        map("labels"),
        map("annotations")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_split_at_its_separators() {
        let split = |text| split(text).unwrap();
        assert_eq!(split("a\n---\nb\n"), ["a\n", "b\n"]);
        assert_eq!(split("---\na\n---  # c\nb"), ["---\na\n", "b"]);
        assert!(split("").is_empty());
        assert!(super::split("a\n--- b\nc").is_err());
    }

    #[test]
    fn what_is_in_lists_comes_last() {
        let map = |name: &str| format!("{{apiVersion: v1, kind: A, metadata: {{name: {name}}}}}");
        let inner = format!("{{apiVersion: v1, kind: AList, items: [{}]}}", map("deep"));
        let list = format!("apiVersion: v1\nkind: List\nitems: [{inner}, {}]\n", map("b"));
        let text = format!("{}\n---\n{list}---\n{}\n", map("a"), map("c"));
        let names: Vec<String> =
            resources(text.as_bytes()).unwrap().iter().map(Resource::name).collect();
        assert_eq!(names, ["a", "c", "b", "deep"]);
    }
}
