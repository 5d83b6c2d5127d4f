//! Which version of a chart Flux takes.

use std::cmp::Reverse;

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

/// The entry that is written like `range`, else the newest one in the range; the newest release if
/// the range is empty. Among equal versions, the one published last.
///
/// # Errors
/// If there is none, or `range` is no range.
pub fn version<'a>(
    entries: &'a [IndexEntry],
    name: &str,
    range: &str,
) -> Result<&'a IndexEntry, NoVersion> {
    if entries.is_empty() {
        return Err(NoVersion::NoChart);
    }
    if let Some(exact) = entries.iter().find(|entry| *entry.version == *range) {
        return Ok(exact);
    }
    let wanted = Constraint::parse(if range.is_empty() { "*" } else { range })?;
    entries
        .iter()
        .enumerate()
        .filter_map(|(at, entry)| {
            let version = exact(&entry.version).filter(|version| wanted.check(version))?;
            Some(((version, entry.created.as_ref(), Reverse(at)), entry))
        })
        .max_by(|(one, _), (other, _)| one.cmp(other))
        .map(|(_, entry)| entry)
        .ok_or_else(|| NoVersion::NoMatch { name: name.to_owned(), range: range.to_owned() })
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
