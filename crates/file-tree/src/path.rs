//! A path inside a tree: relative, normalised, without `.` or `..`.

use std::fmt;

/// A normalised path below the root of a tree; the root itself is the empty path.
///
/// Holding one is the proof that the path cannot leave the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(String);

/// Why a path is not inside a tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// The path climbs above the root.
    #[error("path `{path}` is outside the tree")]
    Escapes {
        /// The path as it was written.
        path: String,
    },
    /// The path starts at the root of a file system.
    #[error("path `{path}` is absolute")]
    Absolute {
        /// The path as it was written.
        path: String,
    },
    /// The path holds a NUL byte.
    #[error("path `{path}` holds a NUL byte")]
    Nul {
        /// The path as it was written.
        path: String,
    },
}

impl TreePath {
    /// The root of every tree.
    pub const ROOT: Self = Self(String::new());

    /// Reads a path that is relative to the root.
    ///
    /// # Errors
    /// If the path is absolute, holds a NUL byte, or climbs above the root.
    pub fn parse(path: &str) -> Result<Self, PathError> {
        Self::ROOT.join(path)
    }

    /// The path that `relative` names when it stands in this directory.
    ///
    /// # Errors
    /// If `relative` is absolute, holds a NUL byte, or climbs above the root.
    pub fn join(&self, relative: &str) -> Result<Self, PathError> {
        if relative.starts_with('/') {
            return Err(PathError::Absolute { path: relative.to_owned() });
        }
        if relative.contains('\0') {
            return Err(PathError::Nul { path: relative.to_owned() });
        }
        let mut segments: Vec<&str> = self.segments().collect();
        for segment in relative.split('/') {
            match segment {
                "" | "." => {}
                ".." => {
                    if segments.pop().is_none() {
                        return Err(PathError::Escapes { path: relative.to_owned() });
                    }
                }
                name => segments.push(name),
            }
        }
        Ok(Self(segments.join("/")))
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path as text, without a leading or trailing slash; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names between the root and this path.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|segment| !segment.is_empty())
    }

    /// The directory that holds this path; none for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(Self(self.0.rsplit_once('/').map_or_else(String::new, |(dir, _)| dir.to_owned())))
    }

    /// The last name of the path; none for the root.
    pub fn file_name(&self) -> Option<&str> {
        self.0.rsplit('/').next().filter(|name| !name.is_empty())
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_normalised() {
        for (written, read) in [
            ("", ""),
            (".", ""),
            ("./a//b/./c/", "a/b/c"),
            ("a/../b", "b"),
            ("a/b/../../c", "c"),
            ("..a/b", "..a/b"),
        ] {
            assert_eq!(TreePath::parse(written).unwrap().as_str(), read, "{written}");
        }
    }

    #[test]
    fn a_path_cannot_leave_the_tree() {
        for path in ["..", "../a", "a/../..", "a/../../b", "./../a"] {
            assert!(matches!(TreePath::parse(path), Err(PathError::Escapes { .. })), "{path}");
        }
        assert!(matches!(TreePath::parse("/etc"), Err(PathError::Absolute { .. })));
        assert!(matches!(TreePath::parse("a\0b"), Err(PathError::Nul { .. })));
    }

    #[test]
    fn a_sibling_is_reached_through_the_parent() {
        let base = TreePath::parse("overlays/prod").unwrap();
        assert_eq!(base.join("../../base").unwrap().as_str(), "base");
        assert_eq!(base.parent().unwrap().as_str(), "overlays");
        assert_eq!(base.file_name(), Some("prod"));
        assert_eq!(TreePath::ROOT.parent(), None);
    }
}
