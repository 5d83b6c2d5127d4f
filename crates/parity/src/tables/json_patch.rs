//! `jsonpatch/cases.json`.

use kustomize_build::json_patch::{JsonPatchError, Options, Patch, merge_patch};
use serde_json::Value;

use super::{list, text};
use crate::compare;
use crate::report::Set;

pub(super) fn cases(table: &Value, set: &mut Set) {
    for case in list(table) {
        let ours = patched(case);
        let theirs = match case["error"].as_str() {
            Some(error) => format!("error: {error}"),
            None => case["expected"].to_string(),
        };
        let ours = ours.map_or_else(|error| format!("error: {error}"), |doc| doc.to_string());
        set.count(
            format!("{} {}", text(case, "stage"), case["patch"]),
            compare::texts(&theirs, &ours),
        );
    }
}

fn patched(case: &Value) -> Result<Value, String> {
    // A string holds the value as text.
    let parsed = |value: &Value| match value.as_str() {
        Some(raw) => serde_json::from_str(raw),
        None => Ok(value.clone()),
    };
    let patch = parsed(&case["patch"]).map_err(|_malformed| "invalid state detected")?;
    let mut document = parsed(&case["doc"]).map_err(|malformed| malformed.to_string())?;
    let is = |key: &str| case[key] == Value::Bool(true);
    if is("merge") {
        merge_patch(&mut document, patch);
        return Ok(document);
    }
    let options = Options {
        ensure_path: is("ensure_path"),
        allow_missing_remove: is("allow_missing_remove"),
        negative_indices: !is("no_negative_indices"),
        ..Options::default()
    };
    let apply = |patch: Value| -> Result<Value, JsonPatchError> {
        Patch::new(patch, options)?.apply(document, options)
    };
    apply(patch).map_err(|error| error_chain(&error))
}

fn error_chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
