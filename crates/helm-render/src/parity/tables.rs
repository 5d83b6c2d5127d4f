//! The golden tables that concern charts, template by template.

mod engine;
mod helm;
mod semver;
mod strvals;

use std::path::Path;

use serde_json::Value;

use super::{ParityError, Report, Set, unpack};

/// Replays one table.
type Replay = fn(&Value, &mut Set);

/// The tables, by their path in the corpus.
const TABLES: [(&str, Replay); 10] = [
    ("semver/constraints.json", semver::constraints),
    ("semver/versions.json", semver::versions),
    ("semver/sort.json", semver::sort),
    ("semver/masterminds-matrix.json", semver::matrix),
    ("strvals/cases.json", strvals::cases),
    ("templates/helm.json", helm::cases),
    ("templates/engine-handwritten.json", engine::cases),
    ("templates/engine-gotext-literals.json", engine::cases),
    ("templates/engine-helm-literals.json", engine::cases),
    ("templates/engine-sprig-literals.json", engine::cases),
];

/// Replays the tables of a folder laid out like the corpus; those that are not there are left out.
///
/// # Errors
/// If a table cannot be read. What differs is in the report.
pub fn tables(folder: &Path) -> Result<Report, ParityError> {
    let mut report = Report::default();
    for (name, replay) in TABLES {
        let path = folder.join(name);
        if !path.exists() {
            continue;
        }
        let table = unpack::json(&path)?;
        let mut set = Set::new(name);
        replay(&table, &mut set);
        report.sets.push(set);
    }
    Ok(report)
}

/// The cases of a table that is a list.
fn list(table: &Value) -> impl Iterator<Item = &Value> {
    table.as_array().into_iter().flatten()
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_default()
}

/// Compares with `expected` or `error` of a case; `error_prefix` stands for a long error.
fn difference(case: &Value, ours: &Result<String, String>) -> Option<String> {
    let ours_text = match ours {
        Ok(output) => output.clone(),
        Err(error) => format!("error: {error}"),
    };
    let theirs = match (case["expected"].as_str(), case["error"].as_str()) {
        (Some(expected), _) => expected.to_owned(),
        (None, Some(error)) => format!("error: {error}"),
        (None, None) => {
            let prefix = format!("error: {}", text(case, "error_prefix"));
            if ours_text.starts_with(&prefix) {
                return None;
            }
            prefix
        }
    };
    super::compare::texts(&theirs, &ours_text)
}
