//! A range of versions: reading, checking, saying why not.

mod check;
mod parse;

use std::fmt;

use crate::version::Version;

/// A range: groups joined by `||`, of which one must hold in all its comparisons.
#[derive(Clone, Debug)]
pub struct Constraint {
    groups: Vec<Group>,
    include_prereleases: bool,
}

/// Comparisons that must all hold.
#[derive(Clone, Debug)]
struct Group {
    comparisons: Vec<Comparison>,
    /// One of the comparisons names a pre-release, so pre-releases may match.
    names_prerelease: bool,
}

#[derive(Clone, Debug)]
struct Comparison {
    operator: Operator,
    /// The operator as written; synonyms are kept when the range is printed.
    operator_text: String,
    /// The version as written, wildcards included.
    version_text: String,
    /// The version with every open part set to zero.
    version: Version,
    open: Open,
}

/// Which part of the version is the first one that was left out or is a wildcard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    Patch,
    Minor,
    Major,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Tilde,
    Caret,
}

/// Why a text is no range. The words are those of `Masterminds/semver`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintError {
    /// The text, or the group of it shown, has no form of a range.
    #[error("improper constraint: {}", go_quote::double(.text.as_bytes()))]
    Improper {
        /// The group that was not understood.
        text: String,
    },
    /// The form is right, but a version in it is none.
    #[error("constraint parser error")]
    Version,
    /// The text is longer than 512 bytes.
    #[error("constraint string is too long (max {} bytes)", parse::MAX_CONSTRAINT_BYTES)]
    TooLong,
    /// There are more than 32 groups joined by `||`.
    #[error("too many constraint groups (max {})", parse::MAX_GROUPS)]
    TooManyGroups,
}

/// Why a version is outside a range: one comparison that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    version: String,
    wanted: String,
    failure: Failure,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    Prerelease,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    OtherMajor,
    OtherMajorOrMinor,
    OtherMinorOfZero,
    OtherMinor,
    OtherPatchOfZero,
}

impl Constraint {
    /// Reads a range such as `>=1.2, <2`, `1.x || ~2.3`, `1.0 - 2.0` or `^1.2.0-0`
    /// (`NewConstraint`).
    ///
    /// # Errors
    /// If the text is no range, is longer than 512 bytes or has more than 32 groups.
    pub fn parse(text: &str) -> Result<Self, ConstraintError> {
        parse::constraint(text)
    }

    /// The same range, in which pre-releases match as releases do.
    #[must_use]
    pub fn including_prereleases(mut self) -> Self {
        self.include_prereleases = true;
        self
    }

    /// Whether the version is within the range.
    pub fn check(&self, version: &Version) -> bool {
        self.groups.iter().any(|group| {
            let prereleases = self.include_prereleases || group.names_prerelease;
            group.comparisons.iter().all(|c| c.failure(version, prereleases).is_none())
        })
    }

    /// Whether the version is within the range, and if not, what speaks against it.
    ///
    /// # Errors
    /// Every comparison of every group that does not hold; that the version is a pre-release is
    /// said once.
    pub fn validate(&self, version: &Version) -> Result<(), Vec<Reason>> {
        let mut reasons = Vec::new();
        let mut prerelease_said = false;
        for group in &self.groups {
            let prereleases = self.include_prereleases || group.names_prerelease;
            let mut holds = true;
            for comparison in &group.comparisons {
                let Some(failure) = comparison.failure(version, prereleases) else { continue };
                holds = false;
                if failure == Failure::Prerelease && std::mem::replace(&mut prerelease_said, true) {
                    continue;
                }
                reasons.push(Reason {
                    version: version.to_string(),
                    wanted: comparison.version_text.clone(),
                    failure,
                });
            }
            if holds {
                return Ok(());
            }
        }
        Err(reasons)
    }
}

impl fmt::Display for Constraint {
    /// Operators and versions as written, single spaces between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, group) in self.groups.iter().enumerate() {
            if i > 0 {
                f.write_str(" || ")?;
            }
            for (j, comparison) in group.comparisons.iter().enumerate() {
                if j > 0 {
                    f.write_str(" ")?;
                }
                write!(f, "{}{}", comparison.operator_text, comparison.version_text)?;
            }
        }
        Ok(())
    }
}

impl std::str::FromStr for Constraint {
    type Err = ConstraintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (version, wanted) =
            (go_quote::double(self.version.as_bytes()), go_quote::double(self.wanted.as_bytes()));
        match self.failure {
            Failure::Prerelease => {
                let only = "is a prerelease version and the constraint is only looking for release versions";
                write!(f, "{version} {only}")
            }
            Failure::Equal => write!(f, "{version} is equal to {wanted}"),
            Failure::NotEqual => write!(f, "{version} is not equal to {wanted}"),
            Failure::Less => write!(f, "{version} is less than {wanted}"),
            Failure::LessOrEqual => write!(f, "{version} is less than or equal to {wanted}"),
            Failure::Greater => write!(f, "{version} is greater than {wanted}"),
            Failure::GreaterOrEqual => write!(f, "{version} is greater than or equal to {wanted}"),
            Failure::OtherMajor => {
                write!(f, "{version} does not have same major version as {wanted}")
            }
            Failure::OtherMajorOrMinor => {
                write!(f, "{version} does not have same major and minor version as {wanted}")
            }
            Failure::OtherMinorOfZero => {
                let hint = "Expected minor versions to match when constraint major version is 0";
                write!(f, "{version} does not have same minor version as {wanted}. {hint}")
            }
            Failure::OtherMinor => {
                write!(f, "{version} does not have same minor version as {wanted}")
            }
            Failure::OtherPatchOfZero => {
                let hint =
                    "Expect version and constraint to equal when major and minor versions are 0";
                write!(f, "{version} does not equal {wanted}. {hint}")
            }
        }
    }
}
