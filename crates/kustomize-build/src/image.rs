//! References to container images.

use std::fmt;

use go_regex::Regex;

use crate::selector::{SelectorError, regex};

/// A reference in its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ImageRef<'a> {
    pub(crate) name: &'a str,
    pub(crate) tag: &'a str,
    pub(crate) digest: &'a str,
}

impl<'a> ImageRef<'a> {
    /// Splits a reference; a port of the registry is no tag.
    pub(crate) fn split(image: &'a str) -> Self {
        let path = image.find('/').unwrap_or(0);
        let find = |mark| image.get(path..).and_then(|rest| rest.find(mark)).map(|at| at + path);
        let (at, colon) = (find('@'), find(':'));
        let part = |from: Option<usize>, to: usize| {
            from.and_then(|from| image.get(from + 1..to)).unwrap_or_default()
        };
        match (at, colon) {
            (Some(at), Some(colon)) if colon < at => Self {
                name: image.get(..colon).unwrap_or_default(),
                tag: part(Some(colon), at),
                digest: part(Some(at), image.len()),
            },
            (Some(at), _) => Self {
                name: image.get(..at).unwrap_or_default(),
                tag: "",
                digest: part(Some(at), image.len()),
            },
            (None, Some(colon)) => Self {
                name: image.get(..colon).unwrap_or_default(),
                tag: part(Some(colon), image.len()),
                digest: "",
            },
            (None, None) => Self { name: image, tag: "", digest: "" },
        }
    }
}

impl fmt::Display for ImageRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if !self.tag.is_empty() {
            write!(f, ":{}", self.tag)?;
        }
        if !self.digest.is_empty() {
            write!(f, "@{}", self.digest)?;
        }
        Ok(())
    }
}

/// Whether a reference is of an image, whatever its tag and digest.
///
/// Flux: the name is a regular expression, so its dots stand for anything.
#[derive(Debug)]
pub(crate) enum ImageMatcher {
    /// A name in which only dots are special.
    Name(String),
    Regex(Box<Regex>),
}

impl ImageMatcher {
    pub(crate) fn new(name: &str) -> Result<Self, SelectorError> {
        if name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@".contains(c)) {
            return Ok(Self::Name(name.to_owned()));
        }
        let tail = "(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$";
        regex(&format!("^{name}{tail}")).map(|regex| Self::Regex(Box::new(regex)))
    }

    pub(crate) fn matches(&self, image: &str) -> bool {
        let name = match self {
            Self::Regex(regex) => return regex.is_match(image),
            Self::Name(name) => name,
        };
        let mut rest = image.chars();
        let starts = name.chars().all(|want| {
            rest.next().is_some_and(|have| want == have || want == '.' && have != '\n')
        });
        if !starts {
            return false;
        }
        let word =
            |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "_.{}-".contains(c));
        let rest = rest.as_str();
        let (tag, digest) = rest.split_once("@sha256:").map_or((rest, None), |(t, d)| (t, Some(d)));
        (tag.is_empty() || tag.strip_prefix(':').is_some_and(word)) && digest.is_none_or(word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_split_and_put_together_again() {
        for (image, name, tag, digest) in [
            ("nginx", "nginx", "", ""),
            ("nginx:1.2", "nginx", "1.2", ""),
            ("host:5000/a/b", "host:5000/a/b", "", ""),
            ("host:5000/a/b:c@sha256:d", "host:5000/a/b", "c", "sha256:d"),
            ("a@sha256:b", "a", "", "sha256:b"),
        ] {
            let split = ImageRef::split(image);
            assert_eq!(split, ImageRef { name, tag, digest }, "{image}");
            assert_eq!(split.to_string(), image);
        }
    }

    #[test]
    fn a_name_matches_whatever_the_tag() {
        for (name, image, matches) in [
            ("nginx", "nginx:1.2", true),
            ("nginx", "nginx@sha256:ab", true),
            ("nginx", "nginx:1@sha256:ab", true),
            ("nginx", "my/nginx", false),
            ("ng.nx", "nginx", true),
            ("ngi+nx", "ngiinx", true),
            ("nginx", "nginxx", false),
            ("nginx", "nginx:a/b", false),
        ] {
            assert_eq!(ImageMatcher::new(name).unwrap().matches(image), matches, "{name} {image}");
        }
    }
}
