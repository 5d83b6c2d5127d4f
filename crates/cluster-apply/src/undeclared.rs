//! Fields that Kubernetes does not know, taken out of objects of its own kinds.
//!
//! Flux passes such objects through their Go types, which drop unknown fields without a word;
//! server-side apply refuses them. Here the API server names them, so they can be dropped without
//! knowing its types.

use manifest::Object;
use serde_json::{Map, Value};

use crate::error::{ApplyError, DryRunError};
use crate::prepare::passes_through_types;

/// What a refusal says of each unknown field.
const UNDECLARED: &str = ": field not declared in schema";
/// How many of them are dropped at once.
const MAX_FIELDS: usize = 256;

/// Drops the fields that this refusal is about. Tells whether there were any.
pub(crate) fn strip_undeclared(object: &mut Object, error: &ApplyError) -> bool {
    let ApplyError::DryRun { source: DryRunError::Api(error), .. } = error else { return false };
    let Some(refusal) = error.refusal().filter(|_| passes_through_types(object)) else {
        return false;
    };
    let mut stripped = false;
    for path in undeclared(&refusal.message).take(MAX_FIELDS) {
        stripped |= remove(object.fields_mut(), &path).is_some();
    }
    stripped
}

/// One step of a path as structured-merge-diff prints it.
#[derive(Debug, PartialEq)]
enum Step {
    /// `.name`
    Field(String),
    /// `[3]`
    Index(usize),
    /// `[name="main",port=80]`
    Keys(Map<String, Value>),
}

/// The paths that a refusal calls unknown.
fn undeclared(message: &str) -> impl Iterator<Item = Vec<Step>> {
    message.match_indices(UNDECLARED).filter_map(|(end, _)| {
        let line = message[..end].rsplit('\n').next()?;
        // The first path of a message stands behind a sentence that ends with a colon.
        let start = line.rfind(": .").map_or(0, |colon| colon + 2);
        steps(line[start..].trim_start())
    })
}

fn steps(mut path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while !path.is_empty() {
        if let Some(rest) = path.strip_prefix('.') {
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            steps.push(Step::Field(rest[..end].to_owned()));
            path = &rest[end..];
        } else {
            let (inside, rest) = bracketed(path.strip_prefix('[')?)?;
            steps.push(match inside.parse() {
                Ok(index) => Step::Index(index),
                Err(_not_an_index) => Step::Keys(keys(inside)?),
            });
            path = rest;
        }
    }
    Some(steps)
}

/// Splits at the bracket that closes, which is not one within quotes.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let end = outside_quotes(text, ']')?;
    Some((&text[..end], &text[end + 1..]))
}

/// Reads `a="x",b=80`.
fn keys(mut text: &str) -> Option<Map<String, Value>> {
    let mut keys = Map::new();
    while !text.is_empty() {
        let (pair, rest) = match outside_quotes(text, ',') {
            Some(comma) => (&text[..comma], &text[comma + 1..]),
            None => (text, ""),
        };
        let (key, value) = pair.split_once('=')?;
        keys.insert(key.to_owned(), serde_json::from_str(value).ok()?);
        text = rest;
    }
    Some(keys)
}

fn outside_quotes(text: &str, wanted: char) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.char_indices().find_map(|(at, c)| {
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = c == '\\' && !escaped;
        (c == wanted && !quoted).then_some(at)
    })
}

fn remove(object: &mut Map<String, Value>, path: &[Step]) -> Option<Value> {
    let (Step::Field(last), parents) = path.split_last()? else { return None };
    let Some((Step::Field(first), below)) = parents.split_first() else {
        return object.remove(last);
    };
    let mut at = object.get_mut(first)?;
    for step in below {
        at = match step {
            Step::Field(name) => at.get_mut(name)?,
            Step::Index(index) => at.get_mut(index)?,
            Step::Keys(keys) => at
                .as_array_mut()?
                .iter_mut()
                .find(|item| keys.iter().all(|(key, value)| item.get(key) == Some(value)))?,
        };
    }
    at.as_object_mut()?.remove(last)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_that_the_server_names_are_dropped() {
        let message = "failed to create typed patch object (n/web; apps/v1, Kind=Deployment): errors:\n  \
            .spec.tpyo: field not declared in schema\n  \
            .spec.template.spec.containers[name=\"a]\\\"b\"].ports[containerPort=80,protocol=\"TCP\"].x: \
            field not declared in schema\n  .spec.list[1].y: field not declared in schema";
        let mut object = json!({"spec": {"tpyo": 1, "list": [{}, {"y": 1, "z": 1}], "template": {"spec": {
            "containers": [{"name": "other"}, {"name": "a]\"b",
                "ports": [{"containerPort": 80, "protocol": "TCP", "x": 1}]}]}}}});
        for path in undeclared(message) {
            assert!(remove(object.as_object_mut().unwrap(), &path).is_some(), "{path:?}");
        }
        assert_eq!(
            object,
            json!({"spec": {"list": [{}, {"z": 1}], "template": {"spec": {"containers": [
                {"name": "other"},
                {"name": "a]\"b", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}}}})
        );
    }

    #[test]
    fn a_single_field_stands_behind_the_sentence() {
        let message = "failed to create typed patch object (n/c; /v1, Kind=ConfigMap): .dat: field \
            not declared in schema";
        let paths: Vec<_> = undeclared(message).collect();
        assert_eq!(paths, [vec![Step::Field("dat".to_owned())]]);
        let mut object = json!({"dat": {}, "kind": "ConfigMap"});
        assert!(remove(object.as_object_mut().unwrap(), &paths[0]).is_some());
        assert_eq!(object, json!({"kind": "ConfigMap"}));
    }

    #[test]
    fn no_message_breaks_it() {
        for message in [
            "",
            ": field not declared in schema",
            ".a[: field not declared in schema",
            ".a[\"]: field not declared in schema",
            "é: .: field not declared in schema",
        ] {
            for path in undeclared(message) {
                remove(&mut Map::new(), &path);
            }
        }
    }
}
