//! Compares builds with golden ones that the real tool made.
//!
//! A directory of golden builds holds `cases.json`, the archives that it names, and
//! `goldens.tar.gz`. The caller reads its files; nothing here touches a disk.

mod json_patch;

pub use json_patch::{Table, json_patch};

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::Read as _;

use bytes::Bytes;
use file_tree::{File, FileTree, TreePath};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{LoadRestriction, Mode, Options, build};

/// One golden build.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Case {
    /// A unique name.
    pub id: String,
    /// The archive that holds the tree.
    pub archive: String,
    /// The directory to build, seen from the top of the archive.
    pub root: String,
    /// The directory that `$TREE` stands for in messages.
    pub tree: String,
    /// `none` if the build may read the whole tree.
    pub load_restrictor: String,
    /// The file of `goldens.tar.gz` with what the command printed.
    pub golden: Option<String>,
    /// What the command said when it failed.
    pub error: Option<String>,
    /// Whether that changes from run to run.
    pub error_varies: bool,
    /// The order of the controllers: places in the golden.
    pub flux_order: Option<Vec<usize>>,
    /// The file of `goldens.tar.gz` with what the controllers build.
    pub flux_golden: Option<String>,
    /// What the controllers say where the command succeeds.
    pub flux_error: Option<String>,
}

/// What became of one case in one mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// As the real tool: the same bytes, the same documents, the same message.
    Same,
    /// Both fail, with other words.
    OtherMessage,
    /// Something else.
    Different,
}

/// One comparison.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The case.
    pub id: String,
    /// Whose build was compared.
    pub mode: Mode,
    /// What became of it.
    pub outcome: Outcome,
    /// Where it differs first; empty if it does not.
    pub difference: String,
}

/// All comparisons.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// In the order of the cases.
    pub comparisons: Vec<Comparison>,
}

/// Why a directory of golden builds cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file is missing.
    #[error("`{name}` is not there")]
    Missing {
        /// The file.
        name: String,
    },
    /// The list of cases is malformed.
    #[error("`cases.json` is malformed")]
    Cases(#[from] serde_json::Error),
    /// An archive is malformed.
    #[error("`{name}` is no archive")]
    Archive {
        /// The archive.
        name: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Report {
    /// How many comparisons of a mode came out so, and how many there are.
    pub fn count(&self, mode: Mode, outcome: Outcome) -> (usize, usize) {
        let of_mode = || self.comparisons.iter().filter(|comparison| comparison.mode == mode);
        let so = of_mode().filter(|comparison| comparison.outcome == outcome).count();
        (so, of_mode().count())
    }
}

/// Every difference, then the totals.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for comparison in self.comparisons.iter().filter(|c| c.outcome != Outcome::Same) {
            let Comparison { id, mode, outcome, difference } = comparison;
            writeln!(f, "{id} ({mode:?}): {outcome:?}\n{difference}")?;
        }
        for mode in [Mode::Command, Mode::Controller] {
            let (same, all) = self.count(mode, Outcome::Same);
            let (words, _) = self.count(mode, Outcome::OtherMessage);
            writeln!(f, "{mode:?}: {same} of {all} the same, {words} fail with other words")?;
        }
        Ok(())
    }
}

/// Builds all cases in both modes and compares.
///
/// `read` answers the content of a file of the directory, or nothing if there is none.
///
/// # Errors
/// If a file is missing or malformed.
pub fn run(
    read: &dyn Fn(&str) -> Option<Vec<u8>>,
    filter: &dyn Fn(&Case) -> bool,
) -> Result<Report, Error> {
    let file = |name: &str| read(name).ok_or_else(|| Error::Missing { name: name.to_owned() });
    let cases: Vec<Case> = serde_json::from_slice(&file("cases.json")?)?;
    let goldens = unpack("goldens.tar.gz", &file("goldens.tar.gz")?)?;
    let mut archives: HashMap<String, BTreeMap<String, Bytes>> = HashMap::new();
    let mut report = Report::default();
    for case in cases.iter().filter(|case| filter(case)) {
        if !archives.contains_key(&case.archive) {
            let files = unpack(&case.archive, &file(&case.archive)?)?;
            archives.insert(case.archive.clone(), files);
        }
        let Some(files) = archives.get(&case.archive) else { continue };
        report.comparisons.extend(compare(case, files, &goldens));
    }
    Ok(report)
}

/// The files of a packed archive.
fn unpack(name: &str, packed: &[u8]) -> Result<BTreeMap<String, Bytes>, Error> {
    let failed = |source| Error::Archive { name: name.to_owned(), source };
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed));
    let mut files = BTreeMap::new();
    for entry in archive.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let path = entry.path().map_err(failed)?.to_string_lossy().into_owned();
        let path = path.trim_start_matches("./").trim_end_matches('/').to_owned();
        if entry.header().entry_type().is_file() {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(failed)?;
            files.insert(path, Bytes::from(content));
        } else if entry.header().entry_type().is_dir() {
            files.entry(format!("{path}/")).or_default();
        }
    }
    Ok(files)
}

/// The part of an archive that a case builds in.
fn tree_of(case: &Case, files: &BTreeMap<String, Bytes>) -> FileTree {
    let mut builder = FileTree::builder();
    let prefix = if case.tree.is_empty() { String::new() } else { format!("{}/", case.tree) };
    for (path, content) in files {
        let Some(path) = path.strip_prefix(&prefix) else { continue };
        let Ok(place) = TreePath::parse(path) else { continue };
        let file = File { bytes: content.clone(), executable: false };
        let added = if path.ends_with('/') || path.is_empty() {
            builder.directory(&place)
        } else {
            builder.file(&place, file)
        };
        // What is a file and a directory at once is left out.
        added.ok();
    }
    builder.build()
}

fn compare(
    case: &Case,
    files: &BTreeMap<String, Bytes>,
    goldens: &BTreeMap<String, Bytes>,
) -> Vec<Comparison> {
    let tree = tree_of(case, files);
    let root = case.root.strip_prefix(&case.tree).unwrap_or(&case.root);
    let root = TreePath::parse(root.trim_start_matches('/')).unwrap_or_default();
    let golden = |name: &Option<String>| {
        let bytes = name.as_ref().and_then(|name| goldens.get(name));
        bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    };
    let mut compared = Vec::new();
    for mode in [Mode::Command, Mode::Controller] {
        let mut options = match mode {
            Mode::Command => Options::command(),
            Mode::Controller => Options::controller(),
        };
        "$TREE".clone_into(&mut options.root_name);
        if case.load_restrictor == "none" {
            options.load = LoadRestriction::Tree;
        }
        let built = build(&tree, &root, &options);
        let printed = built.as_ref().map(crate::Built::to_yaml).map_err(crate::Error::message);
        let (outcome, difference) = match (mode, &case.flux_error) {
            (Mode::Controller, Some(_)) => match printed {
                Err(_) => (Outcome::Same, String::new()),
                Ok(_) => (Outcome::Different, "builds, the controllers fail".to_owned()),
            },
            (Mode::Command, _) => match (golden(&case.golden), printed) {
                (Some(golden), Ok(printed)) => texts(&golden, &printed),
                (golden, printed) => failures(case, golden.is_some(), mode, printed),
            },
            (Mode::Controller, _) => {
                let wanted = golden(&case.flux_golden).or_else(|| {
                    let golden = golden(&case.golden)?;
                    Some(reordered(&golden, case.flux_order.as_deref()))
                });
                match (wanted, printed) {
                    (Some(wanted), Ok(printed)) => texts(&wanted, &printed),
                    (wanted, printed) => failures(case, wanted.is_some(), mode, printed),
                }
            }
        };
        compared.push(Comparison { id: case.id.clone(), mode, outcome, difference });
    }
    compared
}

/// The documents of a golden in another order.
fn reordered(golden: &str, order: Option<&[usize]>) -> String {
    let Some(order) = order else { return golden.to_owned() };
    let documents: Vec<&str> = golden.split("\n---\n").collect();
    let last = documents.len().saturating_sub(1);
    let whole = |place: &usize| {
        let document = documents.get(*place).copied().unwrap_or_default();
        if *place == last { document.to_owned() } else { format!("{document}\n") }
    };
    order.iter().map(whole).collect::<Vec<_>>().join("---\n")
}

/// Compares two texts; names the first line in which they differ.
fn texts(golden: &str, printed: &str) -> (Outcome, String) {
    if golden == printed {
        return (Outcome::Same, String::new());
    }
    let mut lines = golden.lines().zip(printed.lines()).enumerate();
    let difference = match lines.find(|(_, (golden, printed))| golden != printed) {
        Some((number, (golden, printed))) => {
            format!("  line {}\n  want {golden}\n  have {printed}", number + 1)
        }
        None => {
            format!("  want {} lines, have {}", golden.lines().count(), printed.lines().count())
        }
    };
    (Outcome::Different, difference)
}

/// Compares where at least one of both failed.
fn failures(
    case: &Case,
    is_golden: bool,
    mode: Mode,
    printed: Result<String, String>,
) -> (Outcome, String) {
    let wanted = case.error.as_deref().unwrap_or_default();
    match printed {
        Ok(_) => (Outcome::Different, format!("  builds\n  want {wanted}")),
        Err(have) if is_golden => (Outcome::Different, format!("  have {have}")),
        Err(have) => {
            // The controllers read without restrictions, which changes the words of some messages.
            let same = wanted.trim_end() == format!("Error: {have}").trim_end();
            if same || case.error_varies || mode == Mode::Controller {
                return (Outcome::Same, String::new());
            }
            (Outcome::OtherMessage, format!("  want {wanted}\n  have Error: {have}"))
        }
    }
}

/// The cases of a file that holds whole trees, as `units-handwritten.json` does: each with `files`
/// by path and what is `expected`, or the `error`.
///
/// # Errors
/// If the file is malformed.
pub fn run_inline(json: &[u8]) -> Result<Report, Error> {
    #[derive(Deserialize)]
    struct Inline {
        id: String,
        root: String,
        files: Map<String, Value>,
        #[serde(default)]
        load_restrictor: String,
        expected: Option<String>,
        error: Option<String>,
    }
    let cases: Vec<Inline> = serde_json::from_slice(json)?;
    let mut report = Report::default();
    for inline in cases {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let files =
            inline.files.iter().map(|(path, content)| (path.clone(), Bytes::from(text(content))));
        let goldens = inline.expected.into_iter().map(|golden| ("g".to_owned(), golden.into()));
        let goldens: BTreeMap<String, Bytes> = goldens.collect();
        let case = Case {
            id: inline.id,
            root: inline.root,
            load_restrictor: inline.load_restrictor,
            golden: goldens.keys().next().cloned(),
            error: inline.error,
            ..Case::default()
        };
        let compared = compare(&case, &files.collect(), &goldens);
        report.comparisons.extend(compared.into_iter().filter(|c| c.mode == Mode::Command));
    }
    Ok(report)
}
