//! Manifests: what one document of a rendered template asks for.

use std::collections::BTreeMap;

use helm_chart::Rules;
use serde_json::Value;

use crate::hook::{self, Hook};
use crate::kind_order::{self, INSTALL_ORDER};

/// The last kinds of Helm 4's order of installation, which Helm 3's does not name.
const WEBHOOKS: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// One document of a rendered template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Path of the template: `chart/templates/x.yaml`.
    pub path: String,
    /// The document as rendered.
    pub content: String,
    /// `apiVersion`; empty if there is none.
    pub api_version: String,
    /// `kind`; empty if there is none.
    pub kind: String,
    /// `metadata.name`; empty if there is none.
    pub name: String,
    /// `metadata.annotations`.
    pub annotations: BTreeMap<String, String>,
}

/// What one manifest may cost.
const LIMITS: yaml::Limits = yaml::Limits {
    bytes: 32 << 20,
    depth: 256,
    nodes: 400_000,
    aliased_nodes: 100_000,
    aliased_bytes: 8 << 20,
};

/// A document whose head cannot be read. The words are Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("YAML parse error on {path}: {reason}")]
pub struct ManifestError {
    /// Path of the template.
    pub path: String,
    /// What the decoder says; part of one message, as in Helm.
    pub reason: String,
}

impl Manifest {
    fn read(path: &str, content: &str, rules: Rules) -> Result<Self, ManifestError> {
        let error = |reason| ManifestError { path: path.to_owned(), reason };
        let document = yaml::parse_with(content.as_bytes(), &LIMITS)
            .map_err(|reason| error(format!("error converting YAML to JSON: {reason}")))?;
        let mut manifest = Self {
            path: path.to_owned(),
            content: content.to_owned(),
            api_version: String::new(),
            kind: String::new(),
            name: String::new(),
            annotations: BTreeMap::new(),
        };
        manifest.read_head(&document, rules).map_err(|wrong| {
            let Wrong { found, field, wanted } = wrong;
            error(format!(
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} \
                 into Go {field} of type {wanted}"
            ))
        })?;
        Ok(manifest)
    }

    fn read_head(&mut self, document: &Value, rules: Rules) -> Result<(), Wrong> {
        let go_type = match rules {
            Rules::Helm3 => "releaseutil.SimpleHead",
            Rules::Helm4 => "util.SimpleHead",
        };
        let Some(fields) = object(document, "value", go_type)? else { return Ok(()) };
        let head = "struct field SimpleHead";
        self.api_version = text(fields.get("apiVersion"), head, "apiVersion")?;
        self.kind = text(fields.get("kind"), head, "kind")?;
        let Some(metadata) = fields.get("metadata") else { return Ok(()) };
        let place = "struct field SimpleHead.metadata";
        let metadata_type = "struct { Name string \"json:\\\"name\\\"\"; Annotations map[string]string \"json:\\\"annotations\\\"\" }";
        let Some(metadata) = object(metadata, place, metadata_type)? else { return Ok(()) };
        let place = "struct field .metadata";
        self.name = text(metadata.get("name"), place, "name")?;
        let Some(annotations) = metadata.get("annotations") else { return Ok(()) };
        let place = "struct field .metadata.annotations";
        if let Some(annotations) = object(annotations, place, "map[string]string")? {
            for (key, value) in annotations {
                let value = text(Some(value), "struct field .metadata", "annotations")?;
                self.annotations.insert(key.clone(), value);
            }
        }
        Ok(())
    }
}

/// A value of another type than a field has.
struct Wrong {
    found: &'static str,
    field: String,
    wanted: String,
}

fn object<'a>(
    value: &'a Value,
    place: &str,
    go_type: &str,
) -> Result<Option<&'a serde_json::Map<String, Value>>, Wrong> {
    match value {
        Value::Null => Ok(None),
        Value::Object(members) => Ok(Some(members)),
        other => Err(Wrong {
            found: json_type(other),
            field: place.to_owned(),
            wanted: go_type.to_owned(),
        }),
    }
}

/// Helm's YAML reader prints scalars that are no texts where a text is wanted.
fn text(value: Option<&Value>, place: &str, name: &str) -> Result<String, Wrong> {
    match value {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Bool(flag)) => Ok(flag.to_string()),
        Some(Value::Number(number)) => Ok(match number.as_f64() {
            Some(float) if number.is_f64() => float.to_string(),
            _ => number.to_string(),
        }),
        Some(other) => Err(Wrong {
            found: json_type(other),
            field: format!("{place}.{name}"),
            wanted: "string".to_owned(),
        }),
    }
}

const fn json_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Reads rendered files and puts manifests and hooks in the order of installation.
///
/// # Errors
/// If a document is no YAML or its head has other types than an object's.
pub(crate) fn sort(
    files: &BTreeMap<String, String>,
    rules: Rules,
) -> Result<(Vec<Manifest>, Vec<Hook>), ManifestError> {
    let (mut manifests, mut hooks) = (Vec::new(), Vec::new());
    for (path, content) in files {
        let name = path.rsplit('/').next().unwrap_or(path);
        if name.starts_with('_') {
            continue;
        }
        for document in split(content) {
            // Helm 4 keeps the blank lines at the end of a document.
            let document = if rules == Rules::Helm3 { document.trim_end() } else { document };
            let manifest = Manifest::read(path, document, rules)?;
            match hook::classify(manifest) {
                hook::Class::Manifest(manifest) => manifests.push(manifest),
                hook::Class::Hook(hook) => hooks.push(hook),
                hook::Class::Unknown => {}
            }
        }
    }
    let order = match rules {
        // Webhooks have no place of their own there.
        Rules::Helm3 => INSTALL_ORDER.strip_suffix(&WEBHOOKS).unwrap_or(&INSTALL_ORDER),
        Rules::Helm4 => &INSTALL_ORDER,
    };
    manifests.sort_by(|a, b| kind_order::compare(&a.kind, &b.kind, order));
    hooks.sort_by(|a, b| kind_order::compare(&a.kind, &b.kind, order));
    Ok((manifests, hooks))
}

/// The documents of a file, without the spaces around separators.
///
/// A separator is `---` at the beginning of a line; what follows it need not be on a new line,
/// because templates get that wrong and Helm lets them.
pub fn split(file: &str) -> Vec<&str> {
    let file = file.trim_start();
    let mut documents = Vec::new();
    let (mut start, mut search) = (0, 0);
    while let Some(at) = file.get(search..).and_then(|rest| rest.find("---")).map(|at| search + at)
    {
        // A line break that the separator before took with it does not count again.
        if at == 0 || (at > start && file[..at].ends_with('\n')) {
            documents.push(file[start..at].trim_end_matches(is_regex_space));
            start = file.len() - file[at + 3..].trim_start_matches(is_regex_space).len();
            search = start;
        } else {
            search = at + 1;
        }
    }
    documents.push(&file[start..]);
    documents.into_iter().map(str::trim_start).filter(|document| !document.is_empty()).collect()
}

/// What `\s` matches in Go.
const fn is_regex_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_split_where_helm_splits_it() {
        for (file, want) in [
            ("", vec![]),
            ("a: 1\n", vec!["a: 1\n"]),
            ("---\na: 1\n---\nb: 2", vec!["a: 1", "b: 2"]),
            ("  \n---   \n\na: 1  \n\n \n---b: 2\n---\n", vec!["a: 1", "b: 2"]),
            ("a: x---y\n--- # c\nb", vec!["a: x---y", "# c\nb"]),
            ("a\n---\n---\nb", vec!["a", "---\nb"]),
            ("a\n ---\nb", vec!["a\n ---\nb"]),
            ("a\n----b", vec!["a", "-b"]),
        ] {
            assert_eq!(split(file), want, "{file:?}");
        }
    }
}
