//! Charts rendered here and by the `helm` on the PATH, side by side.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use file_tree::{Entry, FileTree, TreePath};
use helm_chart::{Chart, directory, disk};
use helm_render::TemplateCache;
use serde_json::{Value, json};

use crate::charts::{Recorded, case_output, entries, file_name, repositories};
use crate::report::{ParityError, Report, Set};
use crate::{compare, corpus};

/// Renders the recorded charts of a folder with `helm`, or else the charts that are plain folders
/// in it, and compares. Nothing recorded is looked at.
///
/// # Errors
/// If there are no charts or `helm` cannot be started. What differs is in the report.
pub fn live(folder: &Path) -> Result<Report, ParityError> {
    let failed = |source| corpus::failed(folder, source);
    let scratch = tempfile::tempdir().map_err(failed)?;
    let mut report = Report::default();
    for (repository, archives) in repositories(folder)? {
        let mut set = Set::new(format!("charts/{repository}"));
        for archive in archives {
            let recorded = Recorded::read(&archive)?;
            let place = scratch.path().join(&repository).join(&recorded.name);
            write(&recorded.tree, &place).map_err(failed)?;
            for case in recorded.index["cases"].as_array().into_iter().flatten() {
                let values = recorded.values(case).map_err(|e| corpus::layout(&archive, e))?;
                compare_case(&recorded.name, &place, &recorded.tree, case, &values, &mut set)?;
            }
        }
        report.sets.push(set);
    }
    let mut plain = Set::new("charts");
    for chart in entries(folder)?.into_iter().filter(|path| path.join("Chart.yaml").is_file()) {
        let tree = disk::read(&chart).map_err(failed)?;
        let case = json!({
            "id": "default", "release": { "name": "rel", "namespace": "ns" },
            "kube_version": "1.34.0", "include_crds": true,
        });
        compare_case(&file_name(&chart), &chart, &tree, &case, &[], &mut plain)?;
    }
    if plain.total > 0 {
        report.sets.push(plain);
    }
    if report.sets.is_empty() {
        return Err(ParityError::Nothing { path: folder.display().to_string() });
    }
    Ok(report)
}

fn compare_case(
    name: &str,
    place: &Path,
    tree: &FileTree,
    case: &Value,
    values: &[&[u8]],
    set: &mut Set,
) -> Result<(), ParityError> {
    let chart = directory::files(tree, &TreePath::ROOT).and_then(Chart::from_files_of_any_format);
    let ours = chart.map_err(|error| error.to_string());
    let ours = ours.and_then(|chart| case_output(&chart, case, values, &TemplateCache::new(0)));
    let (first, second) = (helm(place, case, values)?, helm(place, case, values)?);
    let masked = match (&first, &second) {
        (Ok(first), Ok(second)) => varying_lines(first, second),
        _ => BTreeSet::new(),
    };
    let theirs = first.as_deref().map_err(String::as_str);
    let id = case["id"].as_str().unwrap_or_default();
    set.count(format!("{name} {id}"), compare::outcomes(theirs, &ours, &masked));
    Ok(())
}

/// What `helm template` prints.
fn helm(
    chart: &Path,
    case: &Value,
    values: &[&[u8]],
) -> Result<Result<String, String>, ParityError> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut command = Command::new("helm");
    command.env("TZ", "UTC").arg("template").arg(text(&case["release"]["name"])).arg(chart);
    command.arg("--namespace").arg(text(&case["release"]["namespace"]));
    command.arg("--kube-version").arg(text(&case["kube_version"]));
    for (key, flag) in [("include_crds", "--include-crds"), ("is_upgrade", "--is-upgrade")] {
        if case[key] == Value::Bool(true) {
            command.arg(flag);
        }
    }
    for version in case["api_versions"].as_array().into_iter().flatten() {
        command.arg("--api-versions").arg(text(version));
    }
    let failed = |source| corpus::failed(chart, source);
    let scratch = tempfile::tempdir().map_err(failed)?;
    for (number, file) in values.iter().enumerate() {
        let path = scratch.path().join(format!("{number}.yaml"));
        std::fs::write(&path, file).map_err(failed)?;
        command.arg("-f").arg(path);
    }
    let output = command.output().map_err(ParityError::Helm)?;
    if output.status.success() {
        return Ok(Ok(String::from_utf8_lossy(&output.stdout).into_owned()));
    }
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let error = words.find("Error: ").map_or(words.as_str(), |at| &words[at..]);
    // It offers a flag for looking into it.
    let error = error.split("\n\nUse --debug").next().unwrap_or_default();
    Ok(Err(error.replace(&*chart.to_string_lossy(), "$CHART")))
}

/// The lines, from 1, in which two runs differ: chance or the time made them.
fn varying_lines(first: &str, second: &str) -> BTreeSet<usize> {
    let lines = first.lines().zip(second.lines()).enumerate();
    lines.filter(|(_, (first, second))| first != second).map(|(at, _)| at + 1).collect()
}

fn write(tree: &FileTree, place: &Path) -> std::io::Result<()> {
    for (path, entries) in tree.directories() {
        let folder: PathBuf = place.join(path.as_str());
        std::fs::create_dir_all(&folder)?;
        for (name, entry) in entries {
            if let Entry::File(file) = entry {
                std::fs::write(folder.join(name), &file.bytes)?;
            }
        }
    }
    Ok(())
}
