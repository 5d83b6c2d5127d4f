//! What was compared, and what came out otherwise.

use std::fmt;

use crate::known::Known;

/// How many differences of a set are shown.
const SHOWN: usize = 5;

/// How many characters of a line are shown.
const WIDTH: usize = 300;

/// What was compared, and what differs.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// One for each table, chart repository or file of builds.
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
    /// Whether COMPATIBILITY.md names it.
    pub is_known: bool,
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
    /// There is nothing in the folder that could be compared with.
    #[error("{path} holds nothing to compare with: it should be laid out like the corpus")]
    Nothing {
        /// The folder.
        path: String,
    },
    /// The program to compare with cannot be started.
    #[error("cannot start `helm`: put it on the PATH")]
    Helm(#[source] std::io::Error),
}

impl Set {
    /// A set without cases.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), total: 0, different: Vec::new() }
    }

    /// Counts a case; `difference` is none if it is the same.
    pub fn count(&mut self, case: impl Into<String>, difference: Option<String>) {
        self.total += 1;
        if let Some(text) = difference {
            self.different.push(Difference { case: case.into(), text, is_known: false });
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

    /// How many cases differ that COMPATIBILITY.md does not name.
    pub fn unexplained(&self) -> usize {
        let all = self.sets.iter().flat_map(|set| &set.different);
        all.filter(|difference| !difference.is_known).count()
    }

    /// Marks the differences that are known.
    #[must_use]
    pub fn explained_by(mut self, known: &Known) -> Self {
        for set in &mut self.sets {
            for difference in &mut set.different {
                difference.is_known = known.names(&set.name, &difference.case);
            }
            // What nobody knows yet is what the reader looks for.
            set.different.sort_by_key(|difference| difference.is_known);
        }
        self
    }
}

impl fmt::Display for Report {
    /// A line for each set, its first differences below it, a total.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for set in &self.sets {
            let same = set.total - set.different.len();
            writeln!(f, "{}: {same} of {} same", set.name, set.total)?;
            for difference in set.different.iter().take(SHOWN) {
                let known = if difference.is_known { " (known)" } else { "" };
                writeln!(f, "  {}{known}", difference.case)?;
                for line in difference.text.lines() {
                    let (shown, more) = match line.char_indices().nth(WIDTH) {
                        Some((end, _)) => (&line[..end], "…"),
                        None => (line, ""),
                    };
                    writeln!(f, "    {shown}{more}")?;
                }
            }
            if let Some(more) = set.different.len().checked_sub(SHOWN + 1) {
                writeln!(f, "  and {} more", more + 1)?;
            }
        }
        let (total, different) = (self.total(), self.different());
        write!(
            f,
            "total: {} of {total} same, {} of the others unexplained",
            total - different,
            self.unexplained()
        )
    }
}
