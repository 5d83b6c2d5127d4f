//! The golden tables: one line for each says who replays it.

mod duration;
mod engine;
mod envsubst;
mod health;
mod helm;
mod ignore;
mod json_patch;
mod regex;
mod semver;
mod sops;
mod sprig;
mod strategic_merge;
mod strvals;
mod yaml;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::compare;
use crate::corpus;
use crate::report::{ParityError, Report, Set};

/// Replays one table.
type Replay = fn(&Value, &mut Set);

/// The tables by their path in the corpus; some are replayed in two ways.
const TABLES: &[(&str, &str, Replay)] = &[
    ("duration/cases.json", "", duration::cases),
    ("envsubst/cases.json", "", envsubst::cases),
    ("envsubst/fluxcd-matrix.json", "", envsubst::matrix),
    ("ignore/cases.json", "", ignore::cases),
    ("ignore/git-matrix.json", "", ignore::matrix),
    ("jsonpatch/cases.json", "", json_patch::cases),
    ("kstatus/cases.json", "", health::cases),
    ("regex/cases.json", "", regex::cases),
    ("semver/constraints.json", "", semver::constraints),
    ("semver/masterminds-matrix.json", "", semver::matrix),
    ("semver/sort.json", "", semver::sort),
    ("semver/versions.json", "", semver::versions),
    ("smp/cases.json", "", strategic_merge::cases),
    ("strvals/cases.json", "", strvals::cases),
    ("templates/capabilities.json", "", engine::capabilities),
    ("templates/engine-gotext-literals.json", "", engine::cases),
    ("templates/engine-gotext-literals.json", " (plain)", sprig::plain),
    ("templates/engine-handwritten.json", "", engine::cases),
    ("templates/engine-handwritten.json", " (plain)", sprig::plain),
    ("templates/engine-helm-literals.json", "", engine::cases),
    ("templates/engine-helm-literals.json", " (plain)", sprig::plain),
    ("templates/engine-sprig-literals.json", "", engine::cases),
    ("templates/engine-sprig-literals.json", " (plain)", sprig::plain),
    ("templates/gotemplate.json", "", sprig::text_template),
    ("templates/helm.json", "", helm::cases),
    ("templates/sprig.json", "", sprig::helm4),
    ("templates/sprig.json", " (helm 3)", sprig::helm3),
    ("yaml/emit.json", "", yaml::emit),
    ("yaml/goyaml.json", "", yaml::read),
];

/// Replays the tables of a folder laid out like the corpus or like one of its folders; those that
/// are not there are left out.
///
/// # Errors
/// If a table cannot be read, or there is none. What differs is in the report.
pub fn tables(folder: &Path) -> Result<Report, ParityError> {
    let mut report = Report::default();
    for (name, way, replay) in TABLES {
        let Some(path) = place(folder, name) else { continue };
        let table = corpus::json(&path)?;
        let mut set = Set::new(format!("{name}{way}"));
        replay(&table, &mut set);
        report.sets.push(set);
    }
    report.sets.extend(sops::sets(folder)?);
    if report.sets.is_empty() {
        return Err(ParityError::Nothing { path: folder.display().to_string() });
    }
    Ok(report)
}

/// A table below the folder, which may be the corpus or the table's own folder.
fn place(folder: &Path, name: &str) -> Option<PathBuf> {
    let whole = folder.join(name);
    if whole.exists() {
        return Some(whole);
    }
    let (own, file) = name.split_once('/')?;
    let folder = folder.canonicalize().ok()?;
    let below = folder.join(file);
    (folder.file_name()? == own && below.exists()).then_some(below)
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
    if let (Err(ours), Some(prefix)) = (ours, case["error_prefix"].as_str())
        && ours.starts_with(prefix)
    {
        return None;
    }
    outcomes(case, "expected", "error", ours)
}

/// Compares with the output or the error of a case, under the names that the table gives them.
fn outcomes(
    case: &Value,
    expected: &str,
    error: &str,
    ours: &Result<String, String>,
) -> Option<String> {
    let shown = |outcome: Result<&str, &str>| match outcome {
        Ok(output) => output.to_owned(),
        Err(error) => format!("error: {error}"),
    };
    let theirs = case[expected].as_str().ok_or_else(|| text(case, error));
    compare::texts(&shown(theirs), &shown(ours.as_deref().map_err(String::as_str)))
}

/// The members of ours that theirs has otherwise.
fn members(theirs: &Value, ours: &Value) -> Option<String> {
    let ours = ours.as_object()?;
    let other = ours.iter().filter(|(key, value)| !is_same(&theirs[key.as_str()], value));
    let other: serde_json::Map<String, Value> =
        other.map(|(key, value)| (key.clone(), value.clone())).collect();
    if other.is_empty() {
        return None;
    }
    let theirs: serde_json::Map<String, Value> =
        other.keys().map(|key| (key.clone(), theirs[key.as_str()].clone())).collect();
    Some(format!("-{}\n+{}", Value::Object(theirs), Value::Object(other)))
}

/// Go writes an empty list as null.
fn is_same(theirs: &Value, ours: &Value) -> bool {
    theirs == ours || (theirs.is_null() && ours.as_array().is_some_and(Vec::is_empty))
}
