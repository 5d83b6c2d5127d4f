//! Recorded kustomizations; the comparison itself is `kustomize-build`'s own.

use std::path::Path;

use kustomize_build::parity::{Error, Outcome, run, run_inline};

use crate::corpus;
use crate::report::{ParityError, Report, Set};

/// Builds the cases of a folder laid out like the corpus or its `kustomize` whose name holds `word`,
/// as the command and as the controllers do.
///
/// # Errors
/// If the folder is laid out otherwise. What differs is in the report.
pub fn kustomize(folder: &Path, word: &str) -> Result<Report, ParityError> {
    let inner = folder.join("kustomize");
    let folder = if inner.is_dir() { inner } else { folder.to_path_buf() };
    let malformed = |error: &Error| corpus::layout(&folder, error.to_string());
    let read = |name: &str| std::fs::read(folder.join(name)).ok();
    let mut report = Report::default();
    if folder.join("cases.json").is_file() {
        let builds = run(&read, &|case| case.id.contains(word)).map_err(|e| malformed(&e))?;
        report.sets.extend(sets("kustomize/cases.json", builds));
    }
    if let Some(inline) = read("units-handwritten.json") {
        let mut builds = run_inline(&inline).map_err(|e| malformed(&e))?;
        builds.comparisons.retain(|comparison| comparison.id.contains(word));
        report.sets.extend(sets("kustomize/units-handwritten.json", builds));
    }
    if report.sets.is_empty() {
        return Err(ParityError::Nothing { path: folder.display().to_string() });
    }
    Ok(report)
}

/// One set for each way of building.
fn sets(name: &str, builds: kustomize_build::parity::Report) -> Vec<Set> {
    let mut sets: Vec<Set> = Vec::new();
    for comparison in builds.comparisons {
        let name = format!("{name} ({})", format!("{:?}", comparison.mode).to_lowercase());
        let at = sets.iter().position(|set| set.name == name).unwrap_or_else(|| {
            sets.push(Set::new(name));
            sets.len() - 1
        });
        let difference = match comparison.outcome {
            Outcome::Same => None,
            Outcome::OtherMessage => Some(format!("other words\n{}", comparison.difference)),
            Outcome::Different => Some(comparison.difference),
        };
        sets[at].count(comparison.id, difference);
    }
    sets
}
