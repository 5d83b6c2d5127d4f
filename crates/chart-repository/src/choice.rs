//! Which version of a chart Flux takes.

use std::borrow::Borrow;

use helm_chart::index::IndexEntry;
use semver_range::{Constraint, ConstraintError, Version};

/// Why there is none. The words are Flux's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoVersion {
    /// The repository has no chart of that name.
    #[error("no chart name found")]
    NoChart,
    /// The range is none.
    #[error(transparent)]
    Range(#[from] ConstraintError),
    /// No version lies in the range.
    #[error("no '{name}' chart with version matching '{range}' found")]
    NoMatch {
        /// Name of the chart.
        name: String,
        /// The range.
        range: String,
    },
}

/// A choice among the versions of a chart, which are looked at one by one: of an index with a million
/// of them, two are held.
#[derive(Debug)]
pub struct Choice<'a, T> {
    name: &'a str,
    range: &'a str,
    wanted: Result<Constraint, ConstraintError>,
    is_empty: bool,
    /// The first one that is written like the range.
    exact: Option<T>,
    newest: Option<(Version, T)>,
}

impl<'a, T: Borrow<IndexEntry>> Choice<'a, T> {
    /// A choice of a version of the chart `name` that lies in `range`.
    pub fn new(name: &'a str, range: &'a str) -> Self {
        let wanted = Constraint::parse(if range.is_empty() { "*" } else { range });
        Self { name, range, wanted, is_empty: true, exact: None, newest: None }
    }

    /// Takes a version into consideration.
    pub fn look_at(&mut self, candidate: T) {
        self.is_empty = false;
        let entry = candidate.borrow();
        if self.exact.is_some() {
            return;
        }
        if *entry.version == *self.range {
            self.exact = Some(candidate);
            return;
        }
        let Ok(wanted) = &self.wanted else { return };
        let Some(version) = exact(&entry.version).filter(|it| wanted.check(it)) else { return };
        let is_newer = self.newest.as_ref().is_none_or(|(newest, held)| {
            (&version, &entry.created) > (newest, &held.borrow().created)
        });
        if is_newer {
            self.newest = Some((version, candidate));
        }
    }

    /// The version that is written like the range, else the newest one in the range; the newest release
    /// if the range is empty. Among equal versions, the one published last.
    ///
    /// # Errors
    /// If there is none, or the range is none.
    pub fn end(self) -> Result<T, NoVersion> {
        if self.is_empty {
            return Err(NoVersion::NoChart);
        }
        if let Some(exact) = self.exact {
            return Ok(exact);
        }
        self.wanted?;
        let no_match =
            || NoVersion::NoMatch { name: self.name.to_owned(), range: self.range.to_owned() };
        self.newest.map(|(_, found)| found).ok_or_else(no_match)
    }
}

/// A [`Choice`] among these.
///
/// # Errors
/// As for [`Choice::end`].
pub fn version<'e>(
    entries: &'e [IndexEntry],
    name: &str,
    range: &str,
) -> Result<&'e IndexEntry, NoVersion> {
    let mut choice = Choice::new(name, range);
    for entry in entries {
        choice.look_at(entry);
    }
    choice.end()
}

/// The newest of some tags that lies in a range, where no index says when each was published.
///
/// # Errors
/// If there is none, or `range` is no range.
pub fn tag<'a>(tags: &'a [String], name: &str, range: &str) -> Result<&'a str, NoVersion> {
    if let Some(exact) = tags.iter().find(|tag| *tag == range) {
        return Ok(exact);
    }
    let wanted = Constraint::parse(if range.is_empty() { "*" } else { range })?;
    tags.iter()
        .filter_map(|tag| Some((exact(tag).filter(|version| wanted.check(version))?, tag)))
        .max()
        .map(|(_, tag)| tag.as_str())
        .ok_or_else(|| NoVersion::NoMatch { name: name.to_owned(), range: range.to_owned() })
}

/// Flux: a version has all of its three parts, or it is not looked at.
pub fn exact(text: &str) -> Option<Version> {
    let core = text.strip_prefix('v').unwrap_or(text);
    let core = core.split(['-', '+']).next().unwrap_or(core);
    (core.split('.').count() == 3).then(|| Version::parse(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(version: &str, created: &str) -> IndexEntry {
        IndexEntry { version: version.into(), created: created.into(), ..IndexEntry::default() }
    }

    fn chosen(range: &str) -> Result<String, String> {
        let entries = [
            entry("2.0.0-rc.1", ""),
            entry("1.2", ""),
            entry("1.1.0+b", "2024-01-02T00:00:00Z"),
            entry("1.1.0+a", "2024-01-03T00:00:00Z"),
            entry("1.0.0", ""),
        ];
        let found = version(&entries, "c", range);
        found.map(|entry| entry.version.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn the_newest_in_the_range_is_taken() {
        for (range, version) in [
            ("", "1.1.0+a"),
            ("*", "1.1.0+a"),
            ("<1.1.0", "1.0.0"),
            ("1.1.0+b", "1.1.0+b"),
            (">=2.0.0-0", "2.0.0-rc.1"),
            // It is there as written.
            ("1.2", "1.2"),
        ] {
            assert_eq!(chosen(range).as_deref(), Ok(version), "{range}");
        }
        assert_eq!(
            chosen(">9.0.0").unwrap_err(),
            "no 'c' chart with version matching '>9.0.0' found"
        );
        assert_eq!(chosen("x y").unwrap_err(), "improper constraint: \"x y\"");
        assert_eq!(version(&[], "c", "*"), Err(NoVersion::NoChart));
    }

    #[test]
    fn tags_are_chosen_as_versions_are() {
        let tags = ["latest", "1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1"].map(str::to_owned);
        assert_eq!(tag(&tags, "c", "1.x"), Ok("1.10.0"));
        assert_eq!(tag(&tags, "c", "latest"), Ok("latest"));
        assert!(tag(&tags, "c", ">2").is_err());
    }
}
