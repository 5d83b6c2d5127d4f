//! `semver/*.json`.

use semver_range::{Constraint, Version, VersionError};
use serde_json::{Value, json};

use super::{list, members, text};
use crate::compare;
use crate::report::Set;

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
        set.count(text(case, "constraint"), members(case, &ours));
    }
}

pub(super) fn versions(table: &Value, set: &mut Set) {
    for case in list(table) {
        let input = text(case, "input");
        let difference = members(case, &version(Version::parse(input)));
        let strict = members(&case["strict"], &version(Version::parse_strict(input)));
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
                // `max` takes the last of equals, the matrix the first.
                let highest = versions.iter().rev().filter(|v| range.check(v)).max();
                json!({
                    "highest": highest.map(Version::original),
                    "string": range.to_string(),
                    "matched": matched(&range),
                    "matched_include_prerelease": matched(&range.clone().including_prereleases()),
                })
            }
        };
        set.count(text(case, "constraint"), members(case, &ours));
    }
    for case in list(&table["parse"]) {
        let input = text(case, "in");
        let ours = match Version::parse(input) {
            Err(error) => json!({ "error": error.to_string() }),
            Ok(v) => json!({ "string": v.to_string(), "original": v.original() }),
        };
        let strict = Version::parse_strict(input).err().map(|error| error.to_string());
        let strict = members(case, &json!({ "strict_error": strict }));
        set.count(input, members(case, &ours).or(strict));
    }
    let mut sorted = versions;
    sorted.sort();
    let sorted: Vec<&str> = sorted.iter().map(Version::original).collect();
    let stable = list(&table["stable_sorted"]).filter_map(Value::as_str);
    let stable: Vec<&str> = stable.filter(|version| sorted.contains(version)).collect();
    set.count("stable_sorted", compare::texts(&stable.join(" "), &sorted.join(" ")));
}
