//! Real charts, rendered as `helm template` renders them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use file_tree::{FileTree, TreePath};
use helm_chart::{Chart, directory, values};
use serde_json::{Map, Value};

use crate::report::{ParityError, Report, Set};
use crate::{compare, corpus, host};
use helm_render::{
    Capabilities, KubeVersion, Options, Release, TemplateCache, render, template_output,
};

/// Renders the charts of a folder laid out like the corpus or its `charts`: `OWNER__REPO/CHART.tgz`
/// and `CHART.cases.tar.zst` beside it.
///
/// # Errors
/// If the folder is laid out otherwise, or holds none. What differs is in the report.
pub fn charts(folder: &Path) -> Result<Report, ParityError> {
    let mut report = Report::default();
    for (repository, archives) in repositories(folder)? {
        let mut set = Set::new(format!("charts/{repository}"));
        for archive in archives {
            compare_chart(&Recorded::read(&archive)?, &mut set)?;
        }
        report.sets.push(set);
    }
    if report.sets.is_empty() {
        return Err(ParityError::Nothing { path: folder.display().to_string() });
    }
    Ok(report)
}

/// The repositories of a folder with their charts' archives.
pub(crate) fn repositories(folder: &Path) -> Result<Vec<(String, Vec<PathBuf>)>, ParityError> {
    let inner = folder.join("charts");
    let folder = if inner.is_dir() { &inner } else { folder };
    let mut repositories = Vec::new();
    for repository in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
        let mut archives = entries(&repository)?;
        archives.retain(|path| path.extension().is_some_and(|e| e == "tgz"));
        if !archives.is_empty() {
            repositories.push((file_name(&repository), archives));
        }
    }
    Ok(repositories)
}

pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The entries of a folder, sorted.
pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>, ParityError> {
    let failed = |source| corpus::failed(folder, source);
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut paths =
        entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

/// A chart of the corpus with its cases.
pub(crate) struct Recorded {
    /// Without the suffix.
    pub(crate) name: String,
    archive: PathBuf,
    /// The chart's folder.
    pub(crate) tree: FileTree,
    /// What `cases.json` says.
    pub(crate) index: Value,
    /// The files beside it.
    files: BTreeMap<String, Vec<u8>>,
}

impl Recorded {
    pub(crate) fn read(archive: &Path) -> Result<Self, ParityError> {
        let files = corpus::zstd(&archive.with_extension("cases.tar.zst"))?;
        let index = files
            .get("cases.json")
            .ok_or_else(|| corpus::layout(archive, "there is no cases.json"))?;
        let index =
            serde_json::from_slice(index).map_err(|e| corpus::layout(archive, e.to_string()))?;
        let name = archive.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let tree = corpus::chart_folder(archive)?;
        Ok(Self { name, archive: archive.to_owned(), tree, index, files })
    }

    /// A file that a case names, below the folder of such files.
    fn file(&self, folder: &str, name: &str) -> Option<&[u8]> {
        let file = self.files.get(name).or_else(|| self.files.get(&format!("{folder}/{name}")));
        file.map(Vec::as_slice)
    }

    /// The values files of a case, in order.
    pub(crate) fn values(&self, case: &Value) -> Result<Vec<&[u8]>, String> {
        let names = case["values"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let file = |name| {
            self.file("values", name).ok_or_else(|| format!("there is no values file {name}"))
        };
        names.map(file).collect()
    }
}

fn compare_chart(recorded: &Recorded, set: &mut Set) -> Result<(), ParityError> {
    let Recorded { name, tree, index, archive, .. } = recorded;
    let loaded = directory::files(tree, &TreePath::ROOT);
    if let (Some(want), Ok(found)) = (index["loader_files"].as_array(), &loaded) {
        let mut found: Vec<&str> = found.iter().map(|file| file.name.as_str()).collect();
        found.sort_unstable();
        let want: Vec<&str> = want.iter().filter_map(Value::as_str).collect();
        set.count(
            format!("{name} files"),
            compare::lines(&want.join("\n"), &found.join("\n"), &[].into()),
        );
    }
    let chart = loaded.and_then(Chart::from_files_of_any_format).map_err(|error| error.to_string());
    let cache = TemplateCache::new(64 << 20);
    for case in index["cases"].as_array().into_iter().flatten() {
        let id = case["id"].as_str().unwrap_or_default();
        let ours = chart.as_ref().map_err(Clone::clone).and_then(|chart| {
            let values = recorded.values(case)?;
            case_output(chart, case, &values, &cache)
        });
        let golden = case["golden"].as_str().and_then(|name| recorded.file("golden", name));
        let difference = match (golden, case["error"].as_str()) {
            (Some(golden), _) => {
                let lines = case["masked_lines"].as_array().into_iter().flatten();
                let masked = lines.filter_map(Value::as_u64).filter_map(|n| n.try_into().ok());
                compare::outcomes(Ok(&String::from_utf8_lossy(golden)), &ours, &masked.collect())
            }
            (None, Some(error)) => compare::outcomes(Err(error), &ours, &[].into()),
            (None, None) => {
                return Err(corpus::layout(archive, format!("case {id} has no golden")));
            }
        };
        set.count(format!("{name} {id}"), difference);
    }
    Ok(())
}

/// What `helm template` would print.
pub(crate) fn case_output(
    chart: &Chart,
    case: &Value,
    values: &[&[u8]],
    cache: &TemplateCache,
) -> Result<String, String> {
    chart.check_installable().map_err(|error| error.to_string())?;
    let mut user = Map::new();
    for file in values {
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
