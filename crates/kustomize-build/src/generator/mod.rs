//! What makes resources: ConfigMaps and Secrets from literals, files and environment files.

mod iam_policy;
mod key_values;

pub(crate) use iam_policy::IamPolicy;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::kustomization::{GeneratorArgs, GeneratorOptions};
use crate::loader::{LoadError, Loader};
use crate::resource::{Behavior, Resource};
use crate::value::string_map;

/// Base64 of binary data is broken into lines of this length.
const LINE: usize = 70;

/// What a generator makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    ConfigMap,
    Secret,
}

/// Why nothing could be generated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GeneratorError {
    /// The result has no name.
    #[error("a configmap must have a name")]
    NoName,
    /// A key comes twice.
    #[error("configmap {name} illegally repeats the key `{key}`")]
    RepeatedKey {
        /// The name of the result.
        name: String,
        /// The key.
        key: String,
    },
    /// A source could not be read.
    #[error("loading KV pairs: {what} [{sources}]: {problem}")]
    Source {
        /// What kind of source.
        what: &'static str,
        /// The sources.
        sources: String,
        /// Why.
        problem: SourceError,
    },
    /// A cloud that is not known.
    #[error("cloud provider {cloud} not supported yet")]
    UnknownCloud {
        /// What it is called.
        cloud: String,
    },
}

/// Why a source could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// A literal without `=`.
    #[error("invalid literal source {literal}, expected key=value")]
    Literal {
        /// The literal.
        literal: String,
    },
    /// A file without key.
    #[error("missing key name for file path {path:?} in source {source_text:?}")]
    NoKey {
        /// The file.
        path: String,
        /// The whole source.
        source_text: String,
    },
    /// A key without file.
    #[error("missing file path for key name {key:?} in source {source_text:?}")]
    NoFile {
        /// The key.
        key: String,
        /// The whole source.
        source_text: String,
    },
    /// More than one `=`.
    #[error("source {source_text:?} key name or file path contains '='")]
    SeveralSigns {
        /// The whole source.
        source_text: String,
    },
    /// A line that is no text.
    #[error("line {number} has invalid utf8 bytes")]
    NotText {
        /// The line, counted from zero.
        number: usize,
    },
    /// The file.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// Makes a ConfigMap or a Secret.
pub(crate) fn generate(
    kind: Kind,
    args: &GeneratorArgs,
    loader: &Loader<'_>,
) -> Result<Resource, GeneratorError> {
    if args.name.is_empty() {
        return Err(GeneratorError::NoName);
    }
    let mut data = Map::new();
    let mut binary = Map::new();
    let mut seen = BTreeSet::new();
    for (key, value) in key_values::read(args, loader)? {
        if !seen.insert(key.clone()) {
            return Err(GeneratorError::RepeatedKey { name: args.name.clone(), key });
        }
        match (kind, std::str::from_utf8(&value)) {
            (Kind::ConfigMap, Ok(text)) => data.insert(key, Value::from(text)),
            (Kind::ConfigMap, Err(_)) => binary.insert(key, Value::from(encoded(&value))),
            (Kind::Secret, _) => data.insert(key, Value::from(encoded(&value))),
        };
    }
    let mut fields = Map::new();
    let name = match kind {
        Kind::ConfigMap => "ConfigMap",
        Kind::Secret => "Secret",
    };
    fields.insert("apiVersion".to_owned(), Value::from("v1"));
    fields.insert("kind".to_owned(), Value::from(name));
    if kind == Kind::Secret {
        let secret_type = Some(args.secret_type.as_str()).filter(|name| !name.is_empty());
        fields.insert("type".to_owned(), Value::from(secret_type.unwrap_or("Opaque")));
    }
    if kind == Kind::Secret || !data.is_empty() {
        fields.insert("data".to_owned(), Value::Object(data));
    }
    if !binary.is_empty() {
        fields.insert("binaryData".to_owned(), Value::Object(binary));
    }
    let mut resource = Resource { fields, ..Resource::default() };
    resource.set_name(&args.name);
    if !args.namespace.is_empty() {
        resource.set_namespace(&args.namespace);
    }
    let options = args.options.clone().unwrap_or_default();
    if !options.labels.is_empty() {
        resource.set_labels(options.labels);
    }
    if !options.annotations.is_empty() {
        resource.set_annotations(options.annotations);
    }
    if options.immutable {
        resource.fields.insert("immutable".to_owned(), Value::Bool(true));
    }
    resource.notes.has_plain_keys = true;
    resource.notes.needs_hash = !options.disable_name_suffix_hash;
    resource.notes.behavior = Some(Behavior::parse(&args.behavior));
    Ok(resource)
}

/// The options of a generator, with those of the kustomization where it has none of its own.
pub(crate) fn with_defaults(
    own: Option<GeneratorOptions>,
    defaults: Option<&GeneratorOptions>,
) -> Option<GeneratorOptions> {
    let Some(defaults) = defaults else { return own };
    let mut options = own.unwrap_or_default();
    for (own, defaults) in
        [(&mut options.labels, &defaults.labels), (&mut options.annotations, &defaults.annotations)]
    {
        for (key, value) in defaults {
            own.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    options.disable_name_suffix_hash |= defaults.disable_name_suffix_hash;
    options.immutable |= defaults.immutable;
    Some(options)
}

/// Adds the data of a resource that a generated one is merged into.
pub(crate) fn merge_data(new: &mut Resource, old: &Resource) {
    for name in ["data", "binaryData"] {
        let mut data = string_map(old.fields.get(name));
        data.extend(string_map(new.fields.get(name)));
        if data.is_empty() {
            new.fields.remove(name);
        } else {
            let data = data.into_iter().map(|(key, value)| (key, Value::from(value))).collect();
            new.fields.insert(name.to_owned(), Value::Object(data));
        }
    }
}

/// Base64, in lines if one is not enough.
fn encoded(bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    if encoded.len() < LINE {
        return encoded;
    }
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / LINE + 1);
    for (at, c) in encoded.chars().enumerate() {
        lines.push(c);
        if (at + 1) % LINE == 0 {
            lines.push('\n');
        }
    }
    if !encoded.len().is_multiple_of(LINE) {
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_values_are_broken_into_lines() {
        assert_eq!(encoded(b"value"), "dmFsdWU=");
        let long = encoded(&[0; 60]);
        assert_eq!(long.len(), 82);
        assert_eq!(long.find('\n'), Some(70));
        assert!(long.ends_with('\n'));
    }
}
