//! `ignore/*.json`.

use serde_json::{Value, json};
use source_ignore::{Base, Rules, TooManyPatterns};

use super::{list, members, text};
use crate::report::Set;

pub(super) fn cases(table: &Value, set: &mut Set) {
    for case in list(table) {
        let (patterns, path) = (text(case, "patterns"), text(case, "path"));
        // The table was made below Flux's line reader, which takes a carriage return off.
        if patterns.contains('\r') {
            continue;
        }
        let difference = match rules(case, patterns) {
            Ok(rules) => {
                // As it stands: an empty name is a name here.
                let path: Vec<&str> = path.split('/').collect();
                let ours = rules.excludes(&path, case["is_dir"] == Value::Bool(true));
                members(case, &json!({ "gogit": ours }))
            }
            Err(error) => Some(format!("+error: {error}")),
        };
        set.count(format!("{patterns:?} {path}"), difference);
    }
}

fn rules(case: &Value, patterns: &str) -> Result<Rules, TooManyPatterns> {
    let mut builder = Rules::builder();
    builder.base(Base::Nothing).file(&[], patterns)?;
    for (directory, nested) in case["nested"].as_object().into_iter().flatten() {
        builder.file(&segments(directory), nested.as_str().unwrap_or_default())?;
    }
    Ok(builder.build())
}

pub(super) fn matrix(table: &Value, set: &mut Set) {
    let paths: Vec<&str> = list(&table["paths"]).filter_map(Value::as_str).collect();
    for case in list(&table["cases"]) {
        let ignored = |base: Base| {
            let mut builder = Rules::builder();
            if let Err(error) = builder.base(base).overrides(text(case, "patterns")) {
                return json!(error.to_string());
            }
            let rules = builder.build();
            let excluded = |path: &&&str| rules.excludes(&segments(path), path.ends_with('/'));
            let mut excluded: Vec<&str> = paths.iter().filter(excluded).copied().collect();
            excluded.sort_unstable();
            json!(excluded)
        };
        let mut theirs = case.clone();
        for key in ["flux_ignored", "flux_default_ignored"] {
            let mut paths: Vec<&str> = list(&case[key]).filter_map(Value::as_str).collect();
            paths.sort_unstable();
            theirs[key] = json!(paths);
        }
        let ours = json!({
            "flux_ignored": ignored(Base::Nothing),
            "flux_default_ignored": ignored(Base::Always),
        });
        set.count(text(case, "id"), members(&theirs, &ours));
    }
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|name| !name.is_empty()).collect()
}
