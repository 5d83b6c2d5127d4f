//! The text of a range.
//!
//! The library defines its grammar by regular expressions and so do we: what is greedy and what
//! backtracks decides odd inputs such as `1.2.3-a - 2`.

use std::sync::LazyLock;

use regex::Regex;

use super::{Comparison, Constraint, ConstraintError, Group, Open, Operator};
use crate::version::Version;

/// Longest text that is read as a range, in bytes.
pub(super) const MAX_CONSTRAINT_BYTES: usize = 512;
/// Most groups joined by `||`.
pub(super) const MAX_GROUPS: usize = 32;

const OPERATORS: &str = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^";
/// A version in which a number may be a wildcard. Three groups for the numbers, one for the
/// pre-release with its dash.
const VERSION: &str = concat!(
    r"v?([0-9|xX*]+)(\.[0-9|xX*]+)?(\.[0-9|xX*]+)?",
    r"(-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
);
/// Go's `\s`.
const SPACE: &str = r"[\t\n\f\r ]";

struct Grammar {
    /// `1.0 - 2.0`
    hyphen_range: Regex,
    /// A whole group.
    group: Regex,
    /// One comparison: operator, version, its numbers, its pre-release.
    comparison: Regex,
}

static GRAMMAR: LazyLock<Grammar> = LazyLock::new(|| {
    let one = format!("(?:{OPERATORS}){SPACE}*(?:{VERSION})");
    Grammar {
        hyphen_range: pattern(&format!(
            "{SPACE}*(?P<low>{VERSION}){SPACE}+-{SPACE}+(?P<high>{VERSION}){SPACE}*"
        )),
        group: pattern(&format!(
            "^(?:{SPACE}*{one}{SPACE}*)(?:(?:{SPACE}+|,{SPACE}*){one}{SPACE}*)*$"
        )),
        comparison: pattern(&format!("({OPERATORS}){SPACE}*({VERSION})")),
    }
});

#[expect(clippy::expect_used, reason = "the patterns are constants; every test compiles them")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a constant pattern")
}

pub(super) fn constraint(text: &str) -> Result<Constraint, ConstraintError> {
    if text.len() > MAX_CONSTRAINT_BYTES {
        return Err(ConstraintError::TooLong);
    }
    let text = without_hyphen_ranges(text);
    if text.split("||").count() > MAX_GROUPS {
        return Err(ConstraintError::TooManyGroups);
    }
    let groups = text.split("||").map(group).collect::<Result<_, _>>()?;
    Ok(Constraint { groups, include_prereleases: false })
}

/// Writes `1.0 - 2.0` as `>= 1.0, <= 2.0`.
fn without_hyphen_ranges(text: &str) -> String {
    let mut out = text.to_owned();
    for found in GRAMMAR.hyphen_range.captures_iter(text) {
        out = out.replacen(&found[0], &format!(">= {}, <= {} ", &found["low"], &found["high"]), 1);
    }
    out
}

fn group(text: &str) -> Result<Group, ConstraintError> {
    if !GRAMMAR.group.is_match(text) {
        return Err(ConstraintError::Improper { text: text.to_owned() });
    }
    let comparisons = GRAMMAR
        .comparison
        .captures_iter(text)
        .map(|c| comparison(&c))
        .collect::<Result<Vec<_>, _>>()?;
    let names_prerelease = comparisons.iter().any(|c| c.version.is_prerelease());
    Ok(Group { comparisons, names_prerelease })
}

fn comparison(found: &regex::Captures<'_>) -> Result<Comparison, ConstraintError> {
    let part = |i: usize| found.get(i).map_or("", |m| m.as_str());
    let (operator_text, version_text) = (part(1), part(2));
    let (major, minor, patch, prerelease) = (part(3), part(4), part(5), part(6));
    let open_or_absent =
        |number: &str| matches!(number.trim_start_matches('.'), "" | "x" | "X" | "*");
    let (open, version) = if open_or_absent(major) {
        (Open::Major, format!("0.0.0{prerelease}"))
    } else if open_or_absent(minor) {
        (Open::Minor, format!("{major}.0.0{prerelease}"))
    } else if open_or_absent(patch) {
        (Open::Patch, format!("{major}{minor}.0{prerelease}"))
    } else {
        (Open::Nothing, version_text.to_owned())
    };
    let operator = match operator_text {
        "!=" => Operator::NotEqual,
        ">" => Operator::Greater,
        "<" => Operator::Less,
        ">=" | "=>" => Operator::GreaterOrEqual,
        "<=" | "=<" => Operator::LessOrEqual,
        "~" | "~>" => Operator::Tilde,
        "^" => Operator::Caret,
        _ => Operator::Equal,
    };
    Ok(Comparison {
        operator,
        operator_text: operator_text.to_owned(),
        version_text: version_text.to_owned(),
        version: Version::parse(&version).map_err(|_detail| ConstraintError::Version)?,
        open,
    })
}
