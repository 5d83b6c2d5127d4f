//! From a list of files to a chart.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::archive::{self, ArchiveError, Budget};
use crate::chart::{Chart, ChartFile};
use crate::document::{self, DocumentError};
use crate::metadata::{Lock, RawMetadata, ValidationError};
use crate::quote::quoted;
use crate::values;

/// Deepest nesting of charts within charts.
const MAX_CHART_DEPTH: usize = 32;

/// Why files are no chart. The words are Helm's.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no `Chart.yaml`.
    #[error("Chart.yaml file is missing")]
    NoMetadata,
    /// A file of the chart is not what it should be.
    #[error("cannot load {file}: {reason}")]
    File {
        /// Name of the file.
        file: &'static str,
        /// What the decoder says; part of one message, as in Helm.
        reason: DocumentError,
    },
    /// A chart of the next format, which Helm loads but does not install.
    #[error("invalid chart apiVersion")]
    ApiVersion,
    /// A chart of no format that Helm knows.
    #[error("unsupported chart version")]
    UnsupportedVersion,
    /// `values.yaml` is not a stream of maps.
    #[error("cannot load values.yaml: {0}")]
    Values(ValuesError),
    /// Something in `Chart.yaml` is not allowed.
    #[error(transparent)]
    Invalid(#[from] ValidationError),
    /// The archive, or one within it, cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A sub-chart cannot be loaded.
    #[error("error unpacking subchart {name} in {parent}: {reason}")]
    Subchart {
        /// The entry below `charts/`.
        name: String,
        /// Name of the chart that holds it.
        parent: String,
        /// Why; part of one message, as in Helm.
        reason: Box<Self>,
    },
    /// A name that ends in `.tgz` is a folder.
    #[error("error unpacking subchart tar in {parent}: expected {name}, got {found}")]
    SubchartFolder {
        /// The entry below `charts/`.
        name: String,
        /// Name of the chart that holds it.
        parent: String,
        /// The first file found.
        found: String,
    },
    /// Charts lie within charts too deep.
    #[error("charts nest deeper than {MAX_CHART_DEPTH} levels")]
    TooDeep,
    /// `.helmignore` holds a pattern that is none.
    #[error(transparent)]
    Ignore(#[from] crate::ignore::IgnoreError),
    /// A file is too large.
    #[error("chart file {} is larger than the maximum file size {limit}", quoted(.name))]
    FileTooLarge {
        /// Name of the file.
        name: String,
        /// The limit, in bytes.
        limit: u64,
    },
}

/// Why `values.yaml` could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ValuesError {
    /// Something follows a `---`.
    #[error("error reading yaml document: invalid Yaml document separator: {found}")]
    Separator {
        /// What was found.
        found: String,
    },
    /// A document is no YAML or no map.
    #[error("cannot unmarshal yaml document: {0}")]
    Document(DocumentError),
}

impl Chart {
    /// Makes a chart of its files; names are relative to the chart's folder.
    ///
    /// # Errors
    /// If the files are no chart, or hold one that is none.
    pub fn from_files(files: Vec<ChartFile>) -> Result<Self, LoadError> {
        load(files, &mut Budget::default(), 0)
    }

    /// The same for files whose format is not known: [`Chart::from_files`] takes every
    /// `apiVersion`, as Helm's loader for the second format does.
    ///
    /// # Errors
    /// If the files are no chart, one of another format, or hold one that is none.
    pub fn from_files_of_any_format(files: Vec<ChartFile>) -> Result<Self, LoadError> {
        check_format(&files)?;
        Self::from_files(files)
    }
}

/// Whether it is a chart of a format that is installed. Charts within it are not asked.
pub(crate) fn check_format(files: &[ChartFile]) -> Result<(), LoadError> {
    let Some(file) = files.iter().find(|file| file.name == "Chart.yaml") else { return Ok(()) };
    let version = document::parse(&file.bytes)
        .and_then(|document| RawMetadata::api_version_of(&document))
        .map_err(|reason| LoadError::File { file: "Chart.yaml", reason })?;
    match version.as_str() {
        "" | "v1" | "v2" => Ok(()),
        "v3" => Err(LoadError::ApiVersion),
        _ => Err(LoadError::UnsupportedVersion),
    }
}

pub(crate) fn load(
    files: Vec<ChartFile>,
    budget: &mut Budget,
    depth: usize,
) -> Result<Chart, LoadError> {
    if depth > MAX_CHART_DEPTH {
        return Err(LoadError::TooDeep);
    }
    let mut metadata = None;
    for file in files.iter().filter(|file| file.name == "Chart.yaml") {
        let raw: &mut RawMetadata = metadata.get_or_insert_default();
        apply(raw, file, "Chart.yaml")?;
        raw.set_default_api_version();
    }
    let mut chart = Chart::default();
    let mut subcharts: BTreeMap<String, Vec<ChartFile>> = BTreeMap::new();
    for file in files {
        match file.name.as_str() {
            "Chart.yaml" => {}
            "Chart.lock" => chart.lock = Some(lock(&file, "Chart.lock")?),
            "values.yaml" => {
                chart.values = default_values(&file.bytes).map_err(LoadError::Values)?;
            }
            "values.schema.json" => chart.schema = Some(file.bytes),
            // Deprecated with `apiVersion: v2`, yet still read there.
            "requirements.yaml" => {
                let raw = metadata.get_or_insert_default();
                apply(raw, &file, "requirements.yaml")?;
                if raw.is_v1() {
                    chart.files.push(file);
                }
            }
            "requirements.lock" => {
                chart.lock = Some(lock(&file, "requirements.lock")?);
                if metadata.get_or_insert_default().is_v1() {
                    chart.files.push(file);
                }
            }
            name if name.starts_with("templates/") => chart.templates.push(file),
            name => match name.strip_prefix("charts/") {
                Some(rest) if !has_extension(rest, "prov") => {
                    let entry = rest.split('/').next().unwrap_or(rest).to_owned();
                    let name = rest.to_owned();
                    subcharts.entry(entry).or_default().push(ChartFile { name, ..file });
                }
                _ => chart.files.push(file),
            },
        }
    }
    chart.metadata = metadata.ok_or(LoadError::NoMetadata)?.validated()?;
    for (name, files) in subcharts {
        if name.starts_with(['_', '.']) {
            continue;
        }
        let subchart = subchart(&name, files, chart.name(), budget, depth + 1)?;
        chart.dependencies.push(subchart);
    }
    Ok(chart)
}

fn subchart(
    name: &str,
    files: Vec<ChartFile>,
    parent: &str,
    budget: &mut Budget,
    depth: usize,
) -> Result<Chart, LoadError> {
    let loaded = if has_extension(name, "tgz") {
        let Some(file) = files.first().filter(|file| file.name == name) else {
            return Err(LoadError::SubchartFolder {
                name: name.to_owned(),
                parent: parent.to_owned(),
                found: files.into_iter().next().map(|file| file.name).unwrap_or_default(),
            });
        };
        archive::files(&file.bytes, budget)
            .map_err(LoadError::Archive)
            .and_then(|files| load(files, budget, depth))
    } else {
        let below = files.into_iter().filter_map(|file| {
            let (_, name) = file.name.split_once('/')?;
            Some(ChartFile { name: name.to_owned(), bytes: file.bytes })
        });
        load(below.collect(), budget, depth)
    };
    loaded.map_err(|reason| LoadError::Subchart {
        name: name.to_owned(),
        parent: parent.to_owned(),
        reason: Box::new(reason),
    })
}

fn apply(
    metadata: &mut RawMetadata,
    file: &ChartFile,
    name: &'static str,
) -> Result<(), LoadError> {
    document::parse(&file.bytes)
        .and_then(|document| metadata.apply(&document))
        .map_err(|reason| LoadError::File { file: name, reason })
}

fn lock(file: &ChartFile, name: &'static str) -> Result<Lock, LoadError> {
    document::parse(&file.bytes)
        .and_then(|document| Lock::read(&document))
        .map_err(|reason| LoadError::File { file: name, reason })
}

/// A chart's defaults may be several documents; later ones win.
fn default_values(text: &Bytes) -> Result<Map<String, Value>, ValuesError> {
    let documents = document::split(text).map_err(|found| ValuesError::Separator { found })?;
    let mut all = Map::new();
    for document in documents {
        values::merge(&mut all, document::map(document).map_err(ValuesError::Document)?);
    }
    Ok(all)
}

/// Go's `filepath.Ext`: what follows the last dot of the last name.
fn has_extension(path: &str, extension: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.rsplit_once('.').is_some_and(|(_, found)| found == extension)
}
