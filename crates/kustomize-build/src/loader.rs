//! Reads files of the tree, seen from the directory of a kustomization.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use bytes::Bytes;
use file_tree::{FileTree, TreePath};

use crate::error::Error;
use crate::options::{LoadRestriction, Options};
use crate::reads::Reads;

/// Words that say that a path names something remote.
const REMOTE: [&str; 8] =
    ["git::", "gh:", "ssh://", "https://", "http://", "git@", "github.com:", "github.com/"];

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// A name is not there, and links were to be resolved.
    #[error("evalsymlink failure on '{path}' : lstat {missing}: {reason}")]
    NotFound {
        /// What was to be read.
        path: String,
        /// The first part of it that is not there.
        missing: String,
        /// Why.
        reason: &'static str,
    },
    /// A name is not there.
    #[error("open {path}: {reason}")]
    CannotOpen {
        /// What was to be read.
        path: String,
        /// Why.
        reason: &'static str,
    },
    /// A directory stands where a file is wanted.
    #[error("'{path}' must resolve to a file")]
    NotAFile {
        /// The directory.
        path: String,
    },
    /// A directory was read.
    #[error("read {path}: is a directory")]
    IsDirectory {
        /// The directory.
        path: String,
    },
    /// The file may not be read from here.
    #[error("security; file '{path}' is not in or below '{root}'")]
    Outside {
        /// The file.
        path: String,
        /// What may be read.
        root: String,
    },
    /// An empty path.
    #[error("new root cannot be empty")]
    EmptyRoot,
    /// A kustomization is named by an absolute path.
    #[error("new root '{path}' cannot be absolute")]
    AbsoluteRoot {
        /// The path.
        path: String,
    },
    /// A file stands where a kustomization is wanted.
    #[error("must build at directory: '{path}': file is not directory")]
    NotADirectory {
        /// The file.
        path: String,
    },
    /// There is no such directory.
    #[error("must build at directory: not a valid directory: {0}")]
    NoDirectory(Box<Self>),
    /// A kustomization leads back to one that is being built.
    #[error("cycle detected: candidate root '{candidate}' contains visited root '{visited}'")]
    Cycle {
        /// Where it leads.
        candidate: String,
        /// What is being built.
        visited: String,
    },
    /// There is no kustomization file.
    #[error(
        "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in \
         directory '{directory}'"
    )]
    NoKustomization {
        /// The directory.
        directory: String,
    },
    /// There are several kustomization files.
    #[error("Found multiple kustomization files under: {directory}\n")]
    SeveralKustomizations {
        /// The directory.
        directory: String,
    },
    /// A file is named by an address.
    #[error("remote file '{url}' is refused, only what the source contains can be built")]
    Remote {
        /// The address.
        url: String,
    },
    /// More is read than may be.
    #[error("the build needs more than {limit} {what}")]
    LimitExceeded {
        /// What is limited, in the plural.
        what: &'static str,
        /// How much there may be.
        limit: u64,
    },
}

/// What a build has cost and looked at so far.
#[derive(Debug, Default)]
struct Spent {
    files: Cell<usize>,
    bytes: Cell<u64>,
    looked_up: RefCell<BTreeSet<TreePath>>,
}

/// Reads files, seen from one directory.
#[derive(Clone, Debug)]
pub(crate) struct Loader<'a> {
    tree: &'a FileTree,
    options: &'a Options,
    root: TreePath,
    /// The address of the tree, if it is that of another repository.
    remote: Option<&'a str>,
    /// How many kustomizations this one is inside of.
    depth: usize,
    /// The directories from which this one was reached, the first one first.
    visited: Vec<TreePath>,
    spent: Rc<Spent>,
}

impl<'a> Loader<'a> {
    /// A loader for the directory where a build begins.
    ///
    /// # Errors
    /// If there is no such directory.
    pub(crate) fn new(
        tree: &'a FileTree,
        root: &TreePath,
        options: &'a Options,
    ) -> Result<Self, LoadError> {
        let loader = Self {
            tree,
            options,
            root: root.clone(),
            remote: None,
            depth: 0,
            visited: Vec::new(),
            spent: Rc::new(Spent::default()),
        };
        if !tree.is_directory(root) {
            return Err(loader.no_directory(&loader.shown(root), root));
        }
        Ok(loader)
    }

    pub(crate) fn options(&self) -> &'a Options {
        self.options
    }

    pub(crate) fn root(&self) -> &TreePath {
        &self.root
    }

    /// How messages name the directory.
    pub(crate) fn root_name(&self) -> String {
        self.shown(&self.root)
    }

    /// A loader for a directory that is named from here.
    ///
    /// # Errors
    /// If there is no such directory, or it leads back to one that is being built.
    pub(crate) fn below(&self, path: &str) -> Result<Self, Error> {
        if path.is_empty() {
            return Err(LoadError::EmptyRoot.into());
        }
        if path.starts_with('/') {
            return Err(LoadError::AbsoluteRoot { path: path.to_owned() }.into());
        }
        let joined = self.join(path)?;
        self.note(&joined);
        if self.tree.file(&joined).is_some() {
            return Err(LoadError::NotADirectory { path: self.shown(&joined) }.into());
        }
        if !self.tree.is_directory(&joined) {
            return Err(self.no_directory(&self.shown(&joined), &joined).into());
        }
        for visited in std::iter::once(&self.root).chain(self.visited.iter().rev()) {
            if contains(&joined, visited) {
                return Err(LoadError::Cycle {
                    candidate: self.shown(&joined),
                    visited: self.shown(visited),
                }
                .into());
            }
        }
        let mut visited = self.visited.clone();
        visited.push(self.root.clone());
        Ok(Self { root: joined, visited, depth: self.deeper()?, ..self.clone() })
    }

    /// A loader for a directory of another repository; none if it was not brought along.
    ///
    /// # Errors
    /// If it is too many kustomizations deep, which also ends a circle.
    pub(crate) fn remote(&self, url: &str) -> Result<Option<Self>, Error> {
        let Some((url, base)) = self.options.remote_bases.get(url) else { return Ok(None) };
        let (tree, root) = (&base.tree, base.directory.clone());
        let (remote, depth) = (Some(url), self.deeper()?);
        let spent = self.spent.clone();
        let loader =
            Self { tree, options: self.options, root, remote, depth, visited: Vec::new(), spent };
        if !loader.tree.is_directory(&loader.root) {
            return Err(loader.no_directory(&loader.root_name(), &loader.root).into());
        }
        Ok(Some(loader))
    }

    /// Whether an address stands for a file that was brought along.
    pub(crate) fn brings(&self, url: &str) -> bool {
        self.options.remote_bases.file(url).is_some()
    }

    /// Whether the directory is in another repository.
    pub(crate) fn is_remote(&self) -> bool {
        self.remote.is_some()
    }

    fn deeper(&self) -> Result<usize, Error> {
        let limit = self.options.limits.depth;
        if self.depth + 1 >= limit {
            let limit = limit as u64;
            return Err(Error::LimitExceeded { what: "kustomizations inside each other", limit });
        }
        Ok(self.depth + 1)
    }

    /// Whether the directory holds such a file.
    pub(crate) fn has_file(&self, name: &str) -> bool {
        self.root.join(name).is_ok_and(|path| {
            self.note(&path);
            self.tree.file(&path).is_some()
        })
    }

    /// The content of a file that is named from here.
    ///
    /// # Errors
    /// If it is not there, may not be read from here, or the build has read enough.
    pub(crate) fn load(&self, path: &str) -> Result<Bytes, LoadError> {
        if is_remote_file(path) {
            let Some(content) = self.options.remote_bases.file(path) else {
                return Err(LoadError::Remote { url: path.to_owned() });
            };
            self.spend(content.len())?;
            return Ok(content.clone());
        }
        let joined = self.join(path)?;
        self.note(&joined);
        let confined = self.options.load == LoadRestriction::RootOnly;
        let Some(file) = self.tree.file(&joined) else {
            let shown = self.shown(&joined);
            return Err(if self.tree.is_directory(&joined) {
                if confined {
                    LoadError::NotAFile { path: shown }
                } else {
                    LoadError::IsDirectory { path: shown }
                }
            } else if confined {
                self.not_found(&shown, &joined)
            } else {
                LoadError::CannotOpen { path: shown, reason: self.missing(&joined).1 }
            });
        };
        if confined && !contains(&self.root, &joined) {
            return Err(LoadError::Outside { path: self.shown(&joined), root: self.root_name() });
        }
        self.spend(file.bytes.len())?;
        Ok(file.bytes.clone())
    }

    /// The kustomization file of the directory: its name and content.
    ///
    /// # Errors
    /// If there is none, or more than one.
    pub(crate) fn kustomization(&self) -> Result<(&'static str, Bytes), LoadError> {
        let names = crate::kustomization::FILE_NAMES;
        let mut found = names.into_iter().filter(|name| self.has_file(name));
        let directory = || self.root_name();
        let Some(name) = found.next() else {
            return Err(LoadError::NoKustomization { directory: directory() });
        };
        if found.next().is_some() {
            return Err(LoadError::SeveralKustomizations { directory: directory() });
        }
        Ok((name, self.load(name)?))
    }

    /// Adds what all loaders of the build have looked at.
    pub(crate) fn tell_reads(&self, reads: &mut Reads) {
        reads.paths.append(&mut self.spent.looked_up.borrow_mut());
    }

    fn note(&self, path: &TreePath) {
        // Another repository is no part of the source.
        if self.is_remote() {
            return;
        }
        let mut looked_up = self.spent.looked_up.borrow_mut();
        if !looked_up.contains(path) {
            looked_up.insert(path.clone());
        }
    }

    fn spend(&self, bytes: usize) -> Result<(), LoadError> {
        let limits = &self.options.limits;
        self.spent.files.set(self.spent.files.get() + 1);
        self.spent.bytes.set(self.spent.bytes.get().saturating_add(bytes as u64));
        if self.spent.files.get() > limits.files {
            let limit = limits.files as u64;
            return Err(LoadError::LimitExceeded { what: "files", limit });
        }
        if self.spent.bytes.get() > limits.bytes {
            return Err(LoadError::LimitExceeded { what: "bytes", limit: limits.bytes });
        }
        Ok(())
    }

    /// The place in the tree that a path from here names.
    fn join(&self, path: &str) -> Result<TreePath, LoadError> {
        if let Some(absolute) = path.strip_prefix('/') {
            let name = self.options.root_name.trim_end_matches('/');
            let inside = path.strip_prefix(name).filter(|rest| rest.starts_with('/'));
            if let Some(inside) = inside.filter(|_| !name.is_empty()) {
                let inside = TreePath::parse(inside.trim_start_matches('/'));
                return inside.map_err(|_escapes| self.outside(path));
            }
            let first = absolute.split('/').next().unwrap_or_default();
            return Err(LoadError::NotFound {
                path: path.to_owned(),
                missing: format!("/{first}"),
                reason: NO_SUCH_FILE,
            });
        }
        self.root.join(path).map_err(|_escapes| self.outside(path))
    }

    fn outside(&self, path: &str) -> LoadError {
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("{}/{path}", self.root_name())
        };
        LoadError::Outside { path, root: self.shown(&TreePath::ROOT) }
    }

    fn no_directory(&self, shown: &str, path: &TreePath) -> LoadError {
        LoadError::NoDirectory(Box::new(self.not_found(shown, path)))
    }

    fn not_found(&self, shown: &str, path: &TreePath) -> LoadError {
        let (missing, reason) = self.missing(path);
        LoadError::NotFound { path: shown.to_owned(), missing: self.shown(&missing), reason }
    }

    /// The first part of a path that is not there, and why.
    fn missing(&self, path: &TreePath) -> (TreePath, &'static str) {
        let mut found = TreePath::ROOT;
        for segment in path.segments() {
            let Ok(next) = found.join(segment) else { break };
            if self.tree.file(&found).is_some() {
                return (next, "not a directory");
            }
            if self.tree.file(&next).is_none() && !self.tree.is_directory(&next) {
                return (next, NO_SUCH_FILE);
            }
            found = next;
        }
        (path.clone(), NO_SUCH_FILE)
    }

    fn shown(&self, path: &TreePath) -> String {
        let root = self.remote.unwrap_or(&self.options.root_name).trim_end_matches('/');
        match (root.is_empty(), path.is_root()) {
            (true, true) => "/".to_owned(),
            (_, true) => root.to_owned(),
            _ => format!("{root}/{}", path.as_str()),
        }
    }
}

const NO_SUCH_FILE: &str = "no such file or directory";

/// Whether `path` is `directory` or lies below it.
fn contains(directory: &TreePath, path: &TreePath) -> bool {
    let rest = path.as_str().strip_prefix(directory.as_str());
    rest.is_some_and(|rest| directory.is_root() || rest.is_empty() || rest.starts_with('/'))
}

/// Whether a path names a file by its address.
fn is_remote_file(path: &str) -> bool {
    path.starts_with("http://") || path.starts_with("https://")
}

/// Whether a path names a repository or something in one.
pub(crate) fn is_remote(path: &str) -> bool {
    let starts = |word: &str| {
        path.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            && path.len() > word.len()
    };
    REMOTE.into_iter().any(starts)
}
