//! `index.yaml` of a Helm repository, read as a stream.
//!
//! An index may have 100 MB, of which one chart is wanted: entries are looked at one by one, and of
//! those that stay only what is needed to choose and fetch a chart is kept. Entries that Helm skips
//! (null, no name, no version) are skipped and counted.
//!
//! Differs: an entry whose fields have other types, or fields nobody knows, is skipped or read as
//! far as it goes, where Helm refuses the whole index.

mod collect;
mod events;
mod json;
mod rewrite;

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use semver_range::{Constraint, ConstraintError, Version};
use serde_json::Value;

use crate::metadata::{RawMetadata, ValidationError};
use collect::{Collect, Each, Kept};
use events::{Events, Item};

pub use rewrite::{RewriteError, rewrite};

/// Most entries that are kept.
const MAX_ENTRIES: usize = 1_000_000;

/// The charts of a repository.
#[derive(Clone, Debug, Default)]
pub struct Index {
    entries: BTreeMap<String, Vec<IndexEntry>>,
    skipped: usize,
    weight_bytes: usize,
}

/// One version of a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexEntry {
    /// The version as written.
    pub version: Box<str>,
    /// Where the archive is, absolute or relative to the index.
    pub urls: Vec<Box<str>>,
    /// SHA-256 of the archive in hex; often empty.
    pub digest: Box<str>,
    /// When the version was published, as written; often empty.
    pub created: Box<str>,
}

/// Which charts of an index are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep<'a> {
    /// All of them. Limit: about 400 bytes for each version.
    All,
    /// All of them, if they take no more than so many bytes.
    Within(usize),
    /// One chart; the others cost no memory.
    Chart(&'a str),
}

/// Why an index could not be read.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// There is nothing.
    #[error("empty index.yaml file")]
    Empty,
    /// There is no `apiVersion`.
    #[error("no API version specified")]
    NoApiVersion,
    /// The text is no YAML, or the source of it failed.
    #[error("error converting YAML to JSON: yaml: {0}")]
    Yaml(String),
    /// The file cannot be read.
    #[error("cannot read the index")]
    Read(#[source] std::io::Error),
    /// The text is no JSON.
    #[error("error unmarshaling JSON")]
    Json(#[source] serde_json::Error),
    /// The document, or `entries` in it, is no map.
    #[error("cannot read index: {0} is no map")]
    NotAMap(&'static str),
    /// A member of the document stands twice. The words are those of Helm's YAML reader.
    #[error("error converting YAML to JSON: yaml: key \"{0}\" already set in map")]
    KeyTwice(&'static str),
    /// There are more entries than anyone has.
    #[error("index has more than {MAX_ENTRIES} entries")]
    TooManyEntries,
    /// They take more memory than they may ([`Keep::Within`]).
    #[error("index takes more than {limit_bytes} bytes of memory")]
    TooHeavy {
        /// What they may take.
        limit_bytes: usize,
    },
}

/// Why no version of a chart was found. The words are Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FindError {
    /// The repository has no chart of that name.
    #[error("no chart name found")]
    NoChart,
    /// The chart has no versions.
    #[error("no chart version found")]
    NoVersions,
    /// The range is none.
    #[error(transparent)]
    Range(#[from] ConstraintError),
    /// No version lies in the range.
    #[error("no chart version found for {name}-{range}")]
    NoMatch {
        /// Name of the chart.
        name: String,
        /// The range.
        range: String,
    },
}

impl Index {
    /// Reads an index.
    ///
    /// # Errors
    /// If the text is no index. Single entries that are broken are skipped.
    pub fn read(input: impl BufRead, keep: Keep<'_>) -> Result<Self, IndexError> {
        let mut kept = Kept::new(keep);
        read_yaml(input, &mut kept)?;
        Ok(kept.end())
    }

    /// Reads an index that is JSON, as [`rewrite`] writes it: faster, and without the rules of YAML.
    ///
    /// # Errors
    /// If the text is no index. Single entries that are broken are skipped.
    pub fn read_json(input: impl Read, keep: Keep<'_>) -> Result<Self, IndexError> {
        let mut kept = Kept::new(keep);
        json::read(input, &mut kept)?;
        Ok(kept.end())
    }

    /// How many bytes the entries occupy, roughly.
    pub const fn weight_bytes(&self) -> usize {
        self.weight_bytes
    }

    /// The names of the charts that were kept.
    pub fn charts(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The versions of a chart, newest first.
    pub fn versions(&self, chart: &str) -> &[IndexEntry] {
        self.entries.get(chart).map_or(&[], Vec::as_slice)
    }

    /// How many entries were skipped because they are broken.
    pub const fn skipped(&self) -> usize {
        self.skipped
    }

    /// The version that Helm would take: the one that is written like `range`, else the newest one
    /// in the range; the newest release if the range is empty.
    ///
    /// # Errors
    /// If there is none, or `range` is no range.
    pub fn find(&self, name: &str, range: &str) -> Result<&IndexEntry, FindError> {
        let versions = self.entries.get(name).ok_or(FindError::NoChart)?;
        if versions.is_empty() {
            return Err(FindError::NoVersions);
        }
        let wanted = Constraint::parse(if range.is_empty() { "*" } else { range })?;
        if let Some(exact) = versions.iter().find(|entry| *entry.version == *range) {
            return Ok(exact);
        }
        versions
            .iter()
            .find(|entry| Version::parse(&entry.version).is_ok_and(|v| wanted.check(&v)))
            .ok_or_else(|| FindError::NoMatch { name: name.to_owned(), range: range.to_owned() })
    }
}

/// Hands over the versions of a chart one by one, in the order of the index, and holds none.
///
/// # Errors
/// If the text is no index. Single entries that are broken are skipped.
pub fn each(
    input: impl BufRead,
    chart: &str,
    take: impl FnMut(IndexEntry),
) -> Result<(), IndexError> {
    read_yaml(input, &mut Each { chart, take })
}

/// As [`each`], of an index that is JSON, as [`rewrite`] writes it.
///
/// # Errors
/// As for [`each`].
pub fn each_json(
    input: impl Read,
    chart: &str,
    take: impl FnMut(IndexEntry),
) -> Result<(), IndexError> {
    json::read(input, &mut Each { chart, take })
}

fn read_yaml(input: impl BufRead, into: &mut impl Collect) -> Result<(), IndexError> {
    let mut events = Events::new(input);
    let mut has_api_version = false;
    events.enter()?;
    while let Some(member) = events.member()? {
        match member {
            "entries" => read_entries(&mut events, into)?,
            "apiVersion" => has_api_version = events.value()?.is_some_and(|v| !is_empty(&v)),
            _ => events.skip()?,
        }
    }
    if has_api_version { Ok(()) } else { Err(IndexError::NoApiVersion) }
}

fn read_entries(
    events: &mut Events<impl BufRead>,
    into: &mut impl Collect,
) -> Result<(), IndexError> {
    match events.item()? {
        Item::Map => {}
        Item::Null => return Ok(()),
        Item::List | Item::Scalar => return Err(IndexError::NotAMap("entries")),
    }
    let mut read = 0;
    while let Some(chart) = events.key()? {
        if !into.wants(&chart) {
            events.skip()?;
            continue;
        }
        into.chart(&chart);
        if events.item_or_skip()? == Item::List {
            while events.has_more()? {
                read += 1;
                if read > MAX_ENTRIES {
                    return Err(IndexError::TooManyEntries);
                }
                into.take(&chart, events.value()?.as_ref().and_then(entry))?;
            }
        }
    }
    Ok(())
}

/// The entry, unless Helm would skip it.
fn entry(value: &Value) -> Option<IndexEntry> {
    let members = value.as_object()?;
    let mut metadata = RawMetadata::default();
    metadata.apply(value).ok()?;
    metadata.set_default_api_version();
    let version = metadata.version().into();
    match metadata.validated() {
        // Some registries strip the aliases that would tell the dependencies apart.
        Ok(_) | Err(ValidationError::DuplicateDependency { .. }) => {}
        Err(_) => return None,
    }
    let text = |key: &str| members.get(key).and_then(Value::as_str).unwrap_or_default().into();
    let urls = members.get("urls").and_then(Value::as_array).into_iter().flatten();
    Some(IndexEntry {
        version,
        urls: urls.filter_map(Value::as_str).map(Into::into).collect(),
        digest: text("digest"),
        created: text("created"),
    })
}

/// What Go's `omitempty` omits.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) | Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}
