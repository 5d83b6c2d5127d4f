//! The values of a release: those of references in order, and those of the object over them.

mod compose;

use std::collections::HashMap;
use std::fmt;

use crd_types::helm::{HelmRelease, ValuesReference};
use helm_release::Record;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, ResourceExt as _};
use reconcile_loop::controller::api_error;
use serde_json::{Map, Value};

use self::compose::Composition;
use crate::context::Context;

/// The key that is read where a reference names none.
const DEFAULT_KEY: &str = "values.yaml";

/// The values of a release.
#[derive(Clone, Default, PartialEq)]
pub(crate) struct Values {
    /// What the chart gets.
    pub(crate) all: Map<String, Value>,
    /// Texts that came from Secrets, by which messages are masked.
    secret: Vec<String>,
}

/// Why the values could not be put together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// A reference could not be resolved. Flux's words.
    #[error(
        "could not resolve{} {kind} chart values reference '{namespace}/{name}' with key '{key}': \
         {reason}",
        if *.optional { " optional" } else { "" }
    )]
    Reference {
        kind: String,
        namespace: String,
        name: String,
        key: String,
        optional: bool,
        reason: String,
    },
    /// A reference could not be read.
    #[error("{message}")]
    Unreadable { message: String },
    /// What the object itself says is no map.
    #[error("spec.values is no object")]
    NoMap,
}

/// Prints no value: they may be secrets.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.all.keys()).finish()
    }
}

impl Values {
    /// The text without what came from Secrets: a refusal may quote what it refuses.
    ///
    /// Limit: values of less than four bytes are left, or every word would be a secret.
    pub(crate) fn masked(&self, text: &str) -> String {
        let long = self.secret.iter().filter(|value| value.len() >= 4);
        long.fold(text.to_owned(), |text, value| {
            let text = text.replace(value.as_str(), "*****");
            // As it stands between quotes: on one line, with escapes.
            let quoted = Value::from(value.as_str()).to_string();
            let quoted = &quoted[1..quoted.len() - 1];
            if quoted == value { text } else { text.replace(quoted, "*****") }
        })
    }
}

/// What messages about a release that goes are masked by: the Secrets that its values come from, or,
/// where those are gone, all texts that it was made with.
pub(super) async fn to_mask(hr: &HelmRelease, last: Option<&Record>, ctx: &Context) -> Values {
    if !hr.spec.values_from.iter().any(|reference| reference.kind == "Secret") {
        return Values::default();
    }
    if let Ok(values) = values(hr, ctx).await {
        return values;
    }
    let config = last.and_then(|record| record.config.clone()).unwrap_or_default();
    let mut secret = texts(Value::Object(config));
    secret.sort_by_key(|text| std::cmp::Reverse(text.len()));
    Values { all: Map::new(), secret }
}

/// Reads the references and puts the values together. Reads the cluster as the controller itself.
pub(super) async fn values(hr: &HelmRelease, ctx: &Context) -> Result<Values, Error> {
    let inline = match &hr.spec.values {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(values)) => {
            let mut values = values.clone();
            values.values_mut().for_each(as_go_reads);
            values
        }
        Some(_) => return Err(Error::NoMap),
    };
    let namespace = hr.namespace().unwrap_or_default();
    let mut composition = Composition::new(inline);
    let mut read = HashMap::new();
    let mut secret = Vec::new();
    for reference in &hr.spec.values_from {
        let Some(text) = text(reference, &namespace, &mut read, ctx).await? else { continue };
        let merged = match &reference.target_path {
            Some(path) if !path.is_empty() => composition.set(path, &text, reference.literal),
            _ => composition.merge(&text),
        };
        merged.map_err(|reason| failed(reference, &namespace, told(reference, reason)))?;
        if reference.kind == "Secret" {
            secret.extend(scalars(&text, reference.target_path.is_some()));
        }
    }
    secret.sort_by_key(|text| std::cmp::Reverse(text.len()));
    Ok(Values { all: composition.finish(), secret })
}

/// Why a value could not be merged. Parsers quote what they do not understand (`key "word" has no
/// value` for `pass,word`), so nothing of that is told of a Secret.
fn told(reference: &ValuesReference, reason: String) -> String {
    if reference.kind == "Secret" {
        return "failed to merge value (how is not told, for it is secret)".to_owned();
    }
    reason
}

/// The data of the objects that were read, by kind and name; none if there is no such object. What
/// is missing stays missing for the whole of a composition.
type Read = HashMap<(String, String), Option<HashMap<String, Vec<u8>>>>;

/// The text that a reference stands for; none if it may be missing and is.
async fn text(
    reference: &ValuesReference,
    namespace: &str,
    read: &mut Read,
    ctx: &Context,
) -> Result<Option<String>, Error> {
    let of = (reference.kind.clone(), reference.name.clone());
    if !read.contains_key(&of) {
        let found = fetch(reference, namespace, ctx).await?;
        read.insert(of.clone(), found);
    }
    let missing = |reason: &str| failed(reference, namespace, reason.to_owned());
    let Some(Some(data)) = read.get(&of) else {
        return if reference.optional { Ok(None) } else { Err(missing("resource not found")) };
    };
    let Some(bytes) = data.get(key(reference)) else {
        return if reference.optional { Ok(None) } else { Err(missing("key not found")) };
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(_) => Err(missing("the value is not UTF-8")),
    }
}

async fn fetch(
    reference: &ValuesReference,
    namespace: &str,
    ctx: &Context,
) -> Result<Option<HashMap<String, Vec<u8>>>, Error> {
    let client = ctx.runtime.client.clone();
    let name = &reference.name;
    let found = match reference.kind.as_str() {
        "Secret" => {
            let api: Api<Secret> = Api::namespaced(client, namespace);
            api.get(name).await.map(|secret| {
                let data = secret.data.unwrap_or_default();
                data.into_iter().map(|(key, value)| (key, value.0)).collect()
            })
        }
        "ConfigMap" => {
            let api: Api<ConfigMap> = Api::namespaced(client, namespace);
            api.get(name).await.map(|config| {
                let data = config.data.unwrap_or_default();
                data.into_iter().map(|(key, value)| (key, value.into_bytes())).collect()
            })
        }
        _ => {
            let reason = "unsupported values reference kind".to_owned();
            return Err(failed(reference, namespace, reason));
        }
    };
    match found {
        Ok(data) => Ok(Some(data)),
        Err(kube::Error::Api(status)) if status.code == 404 => {
            if reference.optional {
                return Ok(None);
            }
            Err(failed(reference, namespace, status.message))
        }
        Err(error) => Err(Error::Unreadable { message: api_error(&error) }),
    }
}

fn key(reference: &ValuesReference) -> &str {
    reference.values_key.as_deref().filter(|key| !key.is_empty()).unwrap_or(DEFAULT_KEY)
}

fn failed(reference: &ValuesReference, namespace: &str, reason: String) -> Error {
    Error::Reference {
        kind: reference.kind.clone(),
        namespace: namespace.to_owned(),
        name: reference.name.clone(),
        key: key(reference).to_owned(),
        optional: reference.optional,
        reason,
    }
}

/// Makes every number floating-point, as Go's JSON decoder has it: templates print them so.
fn as_go_reads(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().and_then(serde_json::Number::from_f64) {
                *number = float;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(as_go_reads),
        Value::Object(members) => members.values_mut().for_each(as_go_reads),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// The texts within a value of a Secret.
fn scalars(text: &str, single: bool) -> Vec<String> {
    let mut found = vec![text.trim_end().to_owned()];
    if !single && let Ok(document) = yaml::parse(text.as_bytes()) {
        found.extend(texts(document));
    }
    found
}

fn texts(document: Value) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), vec![document]);
    while let Some(value) = open.pop() {
        match value {
            Value::String(text) => found.push(text),
            Value::Array(items) => open.extend(items),
            Value::Object(members) => open.extend(members.into_iter().map(|(_, value)| value)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_masked_as_it_is_and_quoted() {
        let secret = scalars("key: |-\n  line one\n  line two\nshort: abc\n", false);
        let values = Values { secret, ..Values::default() };
        for (text, masked) in [
            ("Invalid value: line one\nline two: no", "Invalid value: *****: no"),
            (r#"Invalid value: "line one\nline two": no"#, r#"Invalid value: "*****": no"#),
            ("abc", "abc"),
        ] {
            assert_eq!(values.masked(text), masked);
        }
    }

    #[test]
    fn what_is_wrong_with_a_secret_is_not_quoted() {
        let reference = |kind: &str| ValuesReference {
            kind: kind.to_owned(),
            name: "login".to_owned(),
            target_path: Some("password".to_owned()),
            ..ValuesReference::default()
        };
        let mut composition = Composition::new(Map::new());
        let reason = composition.set("password", "pass,word", false).unwrap_err();
        assert!(reason.contains("word"), "{reason}");
        assert!(!told(&reference("Secret"), reason.clone()).contains("word"));
        assert_eq!(told(&reference("ConfigMap"), reason.clone()), reason);
    }
}
