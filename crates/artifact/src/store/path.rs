//! Where an artifact lies below the root, and in its URL.

use std::fmt;

/// `<kind>/<namespace>/<name>/<file>`, each a single harmless name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArtifactPath {
    text: String,
    file_start: usize,
}

/// A part of an artifact's path that is not a single, harmless name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{part}` cannot be a part of an artifact's path")]
pub struct InvalidName {
    /// The part in question.
    pub part: String,
}

impl ArtifactPath {
    /// The path of `file` of an object; the kind is written in lower case.
    ///
    /// # Errors
    /// If a part is empty, starts with a dot, or holds a slash or a control character.
    pub fn new(kind: &str, namespace: &str, name: &str, file: &str) -> Result<Self, InvalidName> {
        let kind = kind.to_lowercase();
        for part in [&kind, namespace, name, file] {
            if !is_harmless(part) {
                return Err(InvalidName { part: part.to_owned() });
            }
        }
        let directory = format!("{kind}/{namespace}/{name}/");
        Ok(Self { file_start: directory.len(), text: directory + file })
    }

    /// Reads the path of a status; none where it is not of the form that [`Self::new`] gives.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('/').collect();
        match parts[..] {
            [kind, namespace, name, file] if kind == kind.to_lowercase() => {
                Self::new(kind, namespace, name, file).ok()
            }
            _ => None,
        }
    }

    /// The whole path.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The directory of the object, without a slash at the end.
    pub fn directory(&self) -> &str {
        &self.text[..self.file_start - 1]
    }

    /// The name of the file.
    pub fn file(&self) -> &str {
        &self.text[self.file_start..]
    }
}

impl fmt::Display for ArtifactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether `part` is one visible file name and nothing else.
pub(crate) fn is_harmless(part: &str) -> bool {
    !part.is_empty()
        && !part.starts_with('.')
        && part.len() <= 255
        && !part.contains(|c: char| c == '/' || c == '\\' || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_four_harmless_parts() {
        let path = ArtifactPath::new("GitRepository", "apps", "web", "abc.tar.gz").unwrap();
        assert_eq!(path.as_str(), "gitrepository/apps/web/abc.tar.gz");
        assert_eq!(path.directory(), "gitrepository/apps/web");
        assert_eq!(path.file(), "abc.tar.gz");
        assert_eq!(ArtifactPath::parse(path.as_str()), Some(path));
        for part in ["", ".", "..", "a/b", "a\\b", "a\0b", ".hidden"] {
            assert!(ArtifactPath::new("k", "n", "x", part).is_err(), "{part:?}");
        }
        for text in ["a/b/c", "a/b/c/d/e", "a/../c/d", "/a/b/c", "A/b/c/d"] {
            assert_eq!(ArtifactPath::parse(text), None, "{text}");
        }
    }
}
