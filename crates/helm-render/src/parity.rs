//! Comparison with what the real tools printed.
//!
//! [`charts`] renders every chart of a folder laid out like the corpus of real charts and compares
//! with Helm's output; [`tables`] replays the golden tables. Neither knows any case by name.

mod charts;
mod compare;
mod tables;
mod unpack;

use std::fmt;

pub use charts::charts;
pub use tables::tables;

/// How many differences of a set are shown.
const SHOWN: usize = 5;

/// What was compared, and what differs.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One for each table or chart repository.
    pub sets: Vec<Set>,
}

/// The cases of one table or of the charts of one repository.
#[derive(Clone, Debug)]
pub struct Set {
    /// `templates/helm.json`, `charts/OWNER__REPO`.
    pub name: String,
    /// How many cases there are.
    pub total: usize,
    /// Those that differ.
    pub different: Vec<Difference>,
}

/// A case that came out otherwise.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Name of the case.
    pub case: String,
    /// The first lines that differ, `-` theirs and `+` ours.
    pub text: String,
}

/// Why a folder could not be compared with.
#[derive(Debug, thiserror::Error)]
pub enum ParityError {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file is not laid out as the corpus describes.
    #[error("{path} is not laid out like the corpus: {reason}")]
    Layout {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

/// What functions need of the outside, for tests: a clock that runs and true chance.
fn host(lint: bool) -> helm_functions::Helm {
    let now = jiff::Timestamp::now();
    let mut host = helm_functions::Helm::new(now, helm_functions::SystemEntropy);
    host.lint = lint;
    host
}

impl Set {
    fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), total: 0, different: Vec::new() }
    }

    /// Counts a case; `difference` is none if it is the same.
    fn count(&mut self, case: impl Into<String>, difference: Option<String>) {
        self.total += 1;
        if let Some(text) = difference {
            self.different.push(Difference { case: case.into(), text });
        }
    }
}

impl Report {
    /// How many cases there are.
    pub fn total(&self) -> usize {
        self.sets.iter().map(|set| set.total).sum()
    }

    /// How many cases differ.
    pub fn different(&self) -> usize {
        self.sets.iter().map(|set| set.different.len()).sum()
    }
}

impl fmt::Display for Report {
    /// A line for each set, its first differences below it, a total.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for set in &self.sets {
            let same = set.total - set.different.len();
            writeln!(f, "{}: {same} of {} same", set.name, set.total)?;
            for difference in set.different.iter().take(SHOWN) {
                writeln!(f, "  {}", difference.case)?;
                for line in difference.text.lines() {
                    writeln!(f, "    {line}")?;
                }
            }
            if let Some(more) = set.different.len().checked_sub(SHOWN + 1) {
                writeln!(f, "  and {} more", more + 1)?;
            }
        }
        let (total, different) = (self.total(), self.different());
        write!(f, "total: {} of {total} same", total - different)
    }
}
