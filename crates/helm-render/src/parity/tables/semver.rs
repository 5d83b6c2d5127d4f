//! `semver/*.json`.

use semver_range::{Constraint, Version, VersionError};
use serde_json::{Map, Value, json};

use super::{list, text};
use crate::parity::{Set, compare};

pub(super) fn constraints(table: &Value, set: &mut Set) {
    for case in list(table) {
        let ours = match Constraint::parse(text(case, "constraint")) {
            Err(error) => json!({ "error": error.to_string() }),
            Ok(range) => {
                let checked = list(&case["versions"]).map(|version| {
                    let version = Version::parse(version.as_str().unwrap_or_default());
                    let Ok(version) = version else { return (json!("invalid version"), None) };
                    let reasons = range.validate(&version).err().unwrap_or_default();
                    let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
                    (json!(range.check(&version)), Some(reasons.join("; ")))
                });
                let (matches, reasons): (Vec<Value>, Vec<Option<String>>) = checked.unzip();
                json!({ "matches": matches, "reasons": reasons, "normalized": range.to_string() })
            }
        };
        set.count(text(case, "constraint"), differing(case, &ours));
    }
}

pub(super) fn versions(table: &Value, set: &mut Set) {
    for case in list(table) {
        let input = text(case, "input");
        let difference = differing(case, &version(Version::parse(input)));
        let strict = differing(&case["strict"], &version(Version::parse_strict(input)));
        set.count(input, difference.or(strict));
    }
}

fn version(parsed: Result<Version, VersionError>) -> Value {
    match parsed {
        Err(error) => json!({ "ok": false, "error": error.to_string() }),
        Ok(v) => json!({
            "ok": true, "normalized": v.to_string(), "original": v.original(),
            "major": v.major(), "minor": v.minor(), "patch": v.patch(),
            "prerelease": v.prerelease(), "metadata": v.metadata(),
        }),
    }
}

pub(super) fn sort(table: &Value, set: &mut Set) {
    for case in list(table) {
        let inputs = list(&case["input"]).filter_map(Value::as_str);
        let mut versions: Vec<Version> = inputs.filter_map(|v| Version::parse(v).ok()).collect();
        versions.sort();
        let sorted: Vec<&str> = versions.iter().map(Version::original).collect();
        let theirs: Vec<&str> = list(&case["sorted"]).filter_map(Value::as_str).collect();
        set.count(case["input"].to_string(), compare::texts(&theirs.join(" "), &sorted.join(" ")));
    }
}

pub(super) fn matrix(table: &Value, set: &mut Set) {
    let versions = list(&table["versions"]).filter_map(Value::as_str);
    let versions: Vec<Version> = versions.filter_map(|v| Version::parse(v).ok()).collect();
    for case in list(&table["constraints"]) {
        let ours = match Constraint::parse(text(case, "constraint")) {
            Err(error) => json!({ "error": error.to_string() }),
            Ok(range) => {
                let matched = |range: &Constraint| -> Vec<&str> {
                    versions.iter().filter(|v| range.check(v)).map(Version::original).collect()
                };
                json!({
                    "string": range.to_string(),
                    "matched": matched(&range),
                    "matched_include_prerelease": matched(&range.clone().including_prereleases()),
                })
            }
        };
        set.count(text(case, "constraint"), differing(case, &ours));
    }
    for case in list(&table["parse"]) {
        let input = text(case, "in");
        let ours = match Version::parse(input) {
            Err(error) => json!({ "error": error.to_string() }),
            Ok(v) => json!({ "string": v.to_string(), "original": v.original() }),
        };
        set.count(input, differing(case, &ours));
    }
}

/// The members of ours that theirs has otherwise.
fn differing(theirs: &Value, ours: &Value) -> Option<String> {
    let ours = ours.as_object()?;
    let other = ours.iter().filter(|(key, value)| !is_same(&theirs[key.as_str()], value));
    let other: Map<String, Value> = other.map(|(k, v)| (k.clone(), v.clone())).collect();
    if other.is_empty() {
        return None;
    }
    let theirs: Map<String, Value> =
        other.keys().map(|key| (key.clone(), theirs[key.as_str()].clone())).collect();
    Some(format!("-{}\n+{}", Value::Object(theirs), Value::Object(other)))
}

/// Go writes an empty list as null.
fn is_same(theirs: &Value, ours: &Value) -> bool {
    theirs == ours || (theirs.is_null() && ours.as_array().is_some_and(Vec::is_empty))
}
