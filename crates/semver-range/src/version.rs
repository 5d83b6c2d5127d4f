//! One version: reading, comparing, printing, raising.

use std::cmp::Ordering;
use std::fmt;

/// Longest text that is read as a version, in bytes.
const MAX_VERSION_BYTES: usize = 256;

/// A semantic version that remembers how it was written.
///
/// Ordering and equality follow precedence: build metadata and the original spelling do not count,
/// so `v1.2 == 1.2.0+build`.
#[derive(Clone, Debug)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    prerelease: String,
    metadata: String,
    original: String,
}

/// Why a text is not a version. The words are those of `Masterminds/semver`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Nothing of the shape `1.2.3-pre+meta` was found.
    #[error("invalid semantic version")]
    Invalid,
    /// An empty text, where a strict version was wanted.
    #[error("version string empty")]
    Empty,
    /// A strict version holds something other than digits in major, minor or patch.
    #[error("invalid characters in version")]
    InvalidCharacters,
    /// A number begins with a zero, where that is not allowed.
    #[error("version segment starts with 0")]
    LeadingZero,
    /// The part after `+` is not dot-separated identifiers.
    #[error("invalid metadata string")]
    InvalidMetadata,
    /// The part after `-` is not dot-separated identifiers.
    #[error("invalid prerelease string")]
    InvalidPrerelease,
    /// The text is longer than 256 bytes.
    #[error("version string is too long (max {MAX_VERSION_BYTES} bytes)")]
    TooLong,
    /// A number does not fit 64 bits.
    #[error(
        "error parsing version segment: strconv.ParseUint: parsing \"{digits}\": value out of range"
    )]
    SegmentOverflow {
        /// The number as written.
        digits: String,
    },
    /// A number of a strict version does not fit 64 bits.
    #[error("strconv.ParseUint: parsing \"{digits}\": value out of range")]
    StrictSegmentOverflow {
        /// The number as written.
        digits: String,
    },
    /// A strict version lacks a number, as in `1..3`.
    #[error("strconv.ParseUint: parsing \"\": invalid syntax")]
    StrictSegmentEmpty,
}

impl Version {
    /// Reads a version leniently: a leading `v`, missing minor or patch and leading zeros are
    /// accepted (`NewVersion`).
    ///
    /// # Errors
    /// If the text is no version even so, is longer than 256 bytes, or holds a number over 64 bits.
    pub fn parse(text: &str) -> Result<Self, VersionError> {
        if text.len() > MAX_VERSION_BYTES {
            return Err(VersionError::TooLong);
        }
        let parts = LooseParts::split(text).ok_or(VersionError::Invalid)?;
        let number = |digits: &str| {
            digits.parse().map_err(|_too_large: std::num::ParseIntError| {
                VersionError::SegmentOverflow { digits: digits.to_owned() }
            })
        };
        let version = Self {
            major: number(parts.major)?,
            minor: parts.minor.map_or(Ok(0), number)?,
            patch: parts.patch.map_or(Ok(0), number)?,
            prerelease: parts.prerelease.to_owned(),
            metadata: parts.metadata.to_owned(),
            original: text.to_owned(),
        };
        if !version.prerelease.is_empty() {
            check_prerelease(&version.prerelease)?;
        }
        Ok(version)
    }

    /// Reads a version as the specification wants it (`StrictNewVersion`).
    ///
    /// # Errors
    /// If the text is anything but `major.minor.patch[-prerelease][+metadata]`.
    pub fn parse_strict(text: &str) -> Result<Self, VersionError> {
        if text.is_empty() {
            return Err(VersionError::Empty);
        }
        if text.len() > MAX_VERSION_BYTES {
            return Err(VersionError::TooLong);
        }
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(VersionError::Invalid);
        };
        let (rest, metadata) = rest.split_once('+').map_or((rest, None), |(r, m)| (r, Some(m)));
        if let Some(metadata) = metadata {
            check_metadata(metadata)?;
        }
        let (patch, prerelease) = rest.split_once('-').map_or((rest, None), |(r, p)| (r, Some(p)));
        if let Some(prerelease) = prerelease {
            check_prerelease(prerelease)?;
        }
        for number in [major, minor, patch] {
            if !number.bytes().all(|b| b.is_ascii_digit()) {
                return Err(VersionError::InvalidCharacters);
            }
            if has_leading_zero(number) {
                return Err(VersionError::LeadingZero);
            }
        }
        let number = |digits: &str| {
            if digits.is_empty() {
                return Err(VersionError::StrictSegmentEmpty);
            }
            digits.parse().map_err(|_too_large: std::num::ParseIntError| {
                VersionError::StrictSegmentOverflow { digits: digits.to_owned() }
            })
        };
        Ok(Self {
            major: number(major)?,
            minor: number(minor)?,
            patch: number(patch)?,
            prerelease: prerelease.unwrap_or_default().to_owned(),
            metadata: metadata.unwrap_or_default().to_owned(),
            original: text.to_owned(),
        })
    }

    /// The first number.
    pub const fn major(&self) -> u64 {
        self.major
    }

    /// The second number.
    pub const fn minor(&self) -> u64 {
        self.minor
    }

    /// The third number.
    pub const fn patch(&self) -> u64 {
        self.patch
    }

    /// What stands after `-`, empty for a release.
    pub fn prerelease(&self) -> &str {
        &self.prerelease
    }

    /// What stands after `+`, often empty.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// The text as it was given.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// Whether this is no release.
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }

    /// The next major version; `None` if the number would not fit 64 bits.
    pub fn inc_major(&self) -> Option<Self> {
        Some(self.raised(self.major.checked_add(1)?, 0, 0))
    }

    /// The next minor version; `None` if the number would not fit 64 bits.
    pub fn inc_minor(&self) -> Option<Self> {
        Some(self.raised(self.major, self.minor.checked_add(1)?, 0))
    }

    /// The next patch version; of a pre-release that is the release itself. `None` if the number
    /// would not fit 64 bits.
    pub fn inc_patch(&self) -> Option<Self> {
        let patch = if self.is_prerelease() { self.patch } else { self.patch.checked_add(1)? };
        Some(self.raised(self.major, self.minor, patch))
    }

    /// The same version with another pre-release; an empty one makes it a release.
    ///
    /// # Errors
    /// If `prerelease` is not dot-separated identifiers.
    pub fn with_prerelease(&self, prerelease: &str) -> Result<Self, VersionError> {
        if !prerelease.is_empty() {
            check_prerelease(prerelease)?;
        }
        Ok(Self { prerelease: prerelease.to_owned(), ..self.clone() }.respelled(self))
    }

    /// The same version with other build metadata; empty takes it away.
    ///
    /// # Errors
    /// If `metadata` is not dot-separated identifiers.
    pub fn with_metadata(&self, metadata: &str) -> Result<Self, VersionError> {
        if !metadata.is_empty() {
            check_metadata(metadata)?;
        }
        Ok(Self { metadata: metadata.to_owned(), ..self.clone() }.respelled(self))
    }

    fn raised(&self, major: u64, minor: u64, patch: u64) -> Self {
        let (prerelease, metadata, original) = (String::new(), String::new(), String::new());
        Self { major, minor, patch, prerelease, metadata, original }.respelled(self)
    }

    /// A changed version keeps of the old spelling only the leading `v`.
    fn respelled(mut self, before: &Self) -> Self {
        let v = if before.original.starts_with('v') { "v" } else { "" };
        self.original = format!("{v}{self}");
        self
    }
}

impl fmt::Display for Version {
    /// The normalized form: three numbers, no `v`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

impl std::str::FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.major, self.minor, self.patch)
            .cmp(&(other.major, other.minor, other.patch))
            .then_with(|| match (self.is_prerelease(), other.is_prerelease()) {
                (false, false) => Ordering::Equal,
                (false, true) => Ordering::Greater,
                (true, false) => Ordering::Less,
                (true, true) => compare_prereleases(&self.prerelease, &other.prerelease),
            })
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Version {}

/// Identifier by identifier; the shorter of two that agree so far comes first.
pub(crate) fn compare_prereleases(left: &str, right: &str) -> Ordering {
    let mut left = left.split('.');
    let mut right = right.split('.');
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(l), Some(r)) => compare_identifiers(l, r),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Numbers come before words. A number over 64 bits counts as a word, as in the Go library.
fn compare_identifiers(left: &str, right: &str) -> Ordering {
    match (left.parse::<u64>(), right.parse::<u64>()) {
        (Ok(l), Ok(r)) => l.cmp(&r),
        (Ok(_), Err(_)) => Ordering::Less,
        (Err(_), Ok(_)) => Ordering::Greater,
        (Err(_), Err(_)) => left.cmp(right),
    }
}

/// The pieces of `v?1[.2][.3][-pre][+meta]`, numbers unread.
struct LooseParts<'a> {
    major: &'a str,
    minor: Option<&'a str>,
    patch: Option<&'a str>,
    prerelease: &'a str,
    metadata: &'a str,
}

impl<'a> LooseParts<'a> {
    fn split(text: &'a str) -> Option<Self> {
        let (major, rest) = digits(text.strip_prefix('v').unwrap_or(text))?;
        let (minor, rest) = dotted_digits(rest)?;
        let (patch, rest) = if minor.is_some() { dotted_digits(rest)? } else { (None, rest) };
        let (rest, metadata) = match rest.split_once('+') {
            Some((rest, metadata)) => (rest, identifiers(metadata)?),
            None => (rest, ""),
        };
        let prerelease = match rest.strip_prefix('-') {
            Some(prerelease) => identifiers(prerelease)?,
            None if rest.is_empty() => "",
            None => return None,
        };
        Some(Self { major, minor, patch, prerelease, metadata })
    }
}

/// The digits that a text begins with, at least one, and what follows.
fn digits(text: &str) -> Option<(&str, &str)> {
    let end = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// `.digits` if a dot comes next, nothing otherwise; `None` for a dot without digits.
fn dotted_digits(text: &str) -> Option<(Option<&str>, &str)> {
    match text.strip_prefix('.') {
        Some(rest) => digits(rest).map(|(number, rest)| (Some(number), rest)),
        None => Some((None, text)),
    }
}

fn identifiers(text: &str) -> Option<&str> {
    text.split('.').all(is_identifier).then_some(text)
}

fn is_identifier(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn has_leading_zero(digits: &str) -> bool {
    digits.len() > 1 && digits.starts_with('0')
}

fn check_prerelease(text: &str) -> Result<(), VersionError> {
    for part in text.split('.') {
        if !is_identifier(part) {
            return Err(VersionError::InvalidPrerelease);
        }
        if has_leading_zero(part) && part.bytes().all(|b| b.is_ascii_digit()) {
            return Err(VersionError::LeadingZero);
        }
    }
    Ok(())
}

fn check_metadata(text: &str) -> Result<(), VersionError> {
    if text.split('.').all(is_identifier) { Ok(()) } else { Err(VersionError::InvalidMetadata) }
}
