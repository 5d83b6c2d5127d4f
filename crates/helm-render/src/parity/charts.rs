//! Real charts, rendered as `helm template` renders them.

use std::collections::BTreeMap;
use std::path::Path;

use file_tree::TreePath;
use helm_chart::{Chart, directory, values};
use serde_json::{Map, Value};

use super::{ParityError, Report, Set, compare, host, unpack};
use crate::{Capabilities, KubeVersion, Options, Release, TemplateCache, render, template_output};

/// Renders the charts of a folder laid out like `corpus/charts`: `OWNER__REPO/CHART.tgz` and
/// `CHART.cases.tar.zst` beside it.
///
/// # Errors
/// If the folder is laid out otherwise. What differs is in the report.
pub fn charts(folder: &Path) -> Result<Report, ParityError> {
    let mut report = Report::default();
    for repository in entries(folder)? {
        if !repository.is_dir() {
            continue;
        }
        let name = repository.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut set = Set::new(format!("charts/{name}"));
        for archive in entries(&repository)? {
            let Some(chart) = archive.to_str().and_then(|path| path.strip_suffix(".tgz")) else {
                continue;
            };
            let cases = unpack::zstd(Path::new(&format!("{chart}.cases.tar.zst")))?;
            let name = Path::new(chart).file_name().unwrap_or_default().to_string_lossy();
            compare_chart(&name, &archive, &cases, &mut set)?;
        }
        if set.total > 0 {
            report.sets.push(set);
        }
    }
    Ok(report)
}

fn entries(folder: &Path) -> Result<Vec<std::path::PathBuf>, ParityError> {
    let failed = |source| unpack::failed(folder, source);
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut paths =
        entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

fn compare_chart(
    name: &str,
    archive: &Path,
    files: &BTreeMap<String, Vec<u8>>,
    set: &mut Set,
) -> Result<(), ParityError> {
    let missing = |what: &str| unpack::layout(archive, format!("no {what}"));
    let index = files.get("cases.json").ok_or_else(|| missing("cases.json"))?;
    let index: Value =
        serde_json::from_slice(index).map_err(|e| unpack::layout(archive, e.to_string()))?;
    let tree = unpack::chart_folder(archive)?;
    let loaded = directory::files(&tree, &TreePath::ROOT);
    if let (Some(want), Ok(found)) = (index["loader_files"].as_array(), &loaded) {
        let mut found: Vec<&str> = found.iter().map(|file| file.name.as_str()).collect();
        found.sort_unstable();
        let want: Vec<&str> = want.iter().filter_map(Value::as_str).collect();
        set.count(
            format!("{name} files"),
            compare::lines(&want.join("\n"), &found.join("\n"), &[].into()),
        );
    }
    let chart = loaded.and_then(Chart::from_files).map_err(|error| error.to_string());
    let cache = TemplateCache::new(64 << 20);
    for case in index["cases"].as_array().into_iter().flatten() {
        let id = case["id"].as_str().unwrap_or_default();
        let ours = match &chart {
            Ok(chart) => case_output(chart, case, files, &cache),
            Err(error) => Err(error.clone()),
        };
        let text = |key: &str| {
            let name = case[key].as_str()?;
            files.get(name).or_else(|| files.get(&format!("golden/{name}")))
        };
        let difference = match (text("golden"), case["error"].as_str(), ours) {
            (Some(golden), _, Ok(ours)) => {
                let lines = case["masked_lines"].as_array().into_iter().flatten();
                let masked = lines.filter_map(Value::as_u64).filter_map(|n| n.try_into().ok());
                compare::lines(&String::from_utf8_lossy(golden), &ours, &masked.collect())
            }
            (Some(_), _, Err(error)) => Some(format!("+Error: {error}")),
            (None, Some(error), Ok(_)) => Some(format!("-{error}\n+(no error)")),
            (None, Some(error), Err(ours)) => {
                compare::lines(error, &format!("Error: {ours}"), &[].into())
            }
            (None, None, _) => return Err(missing(&format!("golden of case {id}"))),
        };
        set.count(format!("{name} {id}"), difference);
    }
    Ok(())
}

/// What `helm template` would print.
fn case_output(
    chart: &Chart,
    case: &Value,
    files: &BTreeMap<String, Vec<u8>>,
    cache: &TemplateCache,
) -> Result<String, String> {
    let mut user = Map::new();
    for name in case["values"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let file = files.get(name).or_else(|| files.get(&format!("values/{name}")));
        let file = file.ok_or_else(|| format!("the corpus has no values file {name}"))?;
        values::merge(&mut user, values::read(file).map_err(|error| error.to_string())?);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let release = Release {
        name: text(&case["release"]["name"]),
        namespace: text(&case["release"]["namespace"]),
        is_upgrade: case["is_upgrade"] == Value::Bool(true),
        revision: 1,
    };
    let mut capabilities = Capabilities::without_cluster();
    capabilities.kube_version =
        KubeVersion::parse(&text(&case["kube_version"])).map_err(|error| error.to_string())?;
    let more = case["api_versions"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let capabilities = capabilities.with_api_versions(more);
    let options = Options {
        include_crds: case["include_crds"] == Value::Bool(true),
        cache: Some(cache),
        ..Options::default()
    };
    let rendered = render(chart, &user, &release, &capabilities, host(false), &options)
        .map_err(|e| e.to_string())?;
    Ok(template_output(&rendered))
}
