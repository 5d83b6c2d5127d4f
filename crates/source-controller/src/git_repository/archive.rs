//! From the objects of a commit to an artifact in the storage.

use std::{collections::BTreeSet, sync::Arc};

use artifact::{
    pack::{self, Packer},
    store,
};
use crd_types::{Artifact, source::GitRepository};
use git_client::{EntryKind, Error as GitError, Objects, Snapshot, TreeEntry};
use source_ignore::{FILE_NAME, Rules, TooManyPatterns};

use super::{halt::Halt, resolve::Found, spec::Wish};
use crate::{
    context::Context,
    source::storage::{self, in_thread},
};

/// A new artifact.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    pub(crate) artifact: Artifact,
    /// The first line of the commit's message, cut.
    pub(crate) subject: String,
}

/// Why there is no artifact.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Store(store::Error),
    #[error(transparent)]
    Name(store::InvalidName),
    /// The disk that artifacts are made on is full.
    #[error(transparent)]
    Scratch(Box<GitError>),
    #[error("cannot read the commit")]
    Objects(#[source] Box<GitError>),
}

/// Which directory of `spec.sparseCheckout` cannot be had.
#[derive(Debug, thiserror::Error)]
#[error(
    "sparse checkout dir '{directory}' does not exist in repository: \
     lstat {directory}: no such file or directory"
)]
pub(crate) struct SparseError {
    directory: String,
}

/// Why the rules of the source cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IgnoreError {
    #[error(transparent)]
    TooMany(#[from] TooManyPatterns),
    #[error("cannot read `{path}`")]
    Read {
        path: String,
        #[source]
        source: Box<GitError>,
    },
}

/// Longest part of a commit's first line that is told, in characters.
const SUBJECT_CHARS: usize = 50;

/// Packs and stores, in a thread that may block. When cancelled, the work goes on to its end, which
/// does no harm: an artifact that nobody advertises is garbage.
///
/// # Errors
/// If the objects are broken or too many, or the storage is full.
pub(crate) async fn pack(
    object: Arc<GitRepository>,
    wish: Wish,
    found: Found,
    snapshot: Snapshot,
    ctx: Arc<Context>,
) -> Result<Packed, Halt> {
    in_thread(move || store_commit(&object, &wish, &found, &snapshot, &ctx)).await
}

fn store_commit(
    object: &GitRepository,
    wish: &Wish,
    found: &Found,
    snapshot: &Snapshot,
    ctx: &Context,
) -> Result<Packed, Halt> {
    let broken = |error| Halt::Archive(Error::Objects(Box::new(error)));
    let id = &found.target.commit;
    let mut objects = snapshot.objects();
    let commit = objects.commit(id).map_err(broken)?;
    let entries = objects.tree(&commit.tree).map_err(broken)?;
    let entries = sparse(entries, &wish.sparse_checkout).map_err(Halt::Sparse)?;
    let rules = rules(&mut objects, &entries, wish.ignore.as_deref()).map_err(Halt::Ignore)?;

    let path = storage::path(object, &format!("{id}.tar.gz"))
        .map_err(|error| Halt::Archive(Error::Name(error)))?;
    // Reading and writing take turns, so a broken object is noticed in the middle of writing.
    let mut unreadable = None;
    let stored = storage::write::<GitRepository>(&path, &found.revision, ctx, |out| {
        let mut packer = Packer::new(out, pack::Limits::default())?;
        for entry in &entries {
            if let Err(stop) = add(&mut packer, &mut objects, entry, &rules) {
                return Err(stop.into_pack_error(&mut unreadable));
            }
        }
        packer.finish()?;
        Ok(())
    });
    if let Some(error) = unreadable {
        return Err(broken(error));
    }
    let artifact = stored.map_err(|error| Halt::Archive(Error::Store(error)))?;
    Ok(Packed { artifact, subject: subject(&commit.message) })
}

/// Why packing stopped in the middle.
enum Stop {
    Pack(pack::Error),
    Objects(GitError),
}

impl Stop {
    /// Sets an error of the objects aside, for which packing has no word.
    fn into_pack_error(self, aside: &mut Option<GitError>) -> pack::Error {
        match self {
            Self::Pack(error) => error,
            Self::Objects(error) => {
                *aside = Some(error);
                pack::Error::Write(std::io::ErrorKind::InvalidData.into())
            }
        }
    }
}

fn add<W: std::io::Write>(
    packer: &mut Packer<W>,
    objects: &mut Objects<'_>,
    entry: &TreeEntry,
    rules: &Rules,
) -> Result<(), Stop> {
    let names: Vec<&str> = entry.path.split('/').collect();
    let is_directory = match entry.kind {
        // Flux: a submodule that is not fetched is an empty directory.
        EntryKind::Directory | EntryKind::Submodule => true,
        EntryKind::File { .. } => false,
        EntryKind::Symlink => return Ok(()),
    };
    if rules.excludes(&names, is_directory) {
        return Ok(());
    }
    match entry.kind {
        EntryKind::File { executable } => {
            let content = objects.blob(&entry.id).map_err(Stop::Objects)?;
            packer.file(&entry.path, executable, content).map_err(Stop::Pack)
        }
        EntryKind::Directory | EntryKind::Submodule | EntryKind::Symlink => {
            packer.directory(&entry.path).map_err(Stop::Pack)
        }
    }
}

/// The entries that a sparse checkout has.
///
/// Flux: a directory is a prefix of paths, so `app` takes `app.yaml` and `apps/` in too.
fn sparse(entries: Vec<TreeEntry>, wanted: &[String]) -> Result<Vec<TreeEntry>, SparseError> {
    if wanted.is_empty() {
        return Ok(entries);
    }
    let prefixes: Vec<&str> = wanted.iter().map(|it| it.trim_start_matches("./")).collect();
    let is_wanted = |path: &str| prefixes.iter().any(|prefix| path.starts_with(prefix));
    // A directory is there if something in it is.
    let mut directories = BTreeSet::new();
    for entry in &entries {
        if entry.kind != EntryKind::Directory && is_wanted(&entry.path) {
            let mut path = entry.path.as_str();
            while let Some((parent, _)) = path.rsplit_once('/') {
                if !directories.insert(parent.to_owned()) {
                    break;
                }
                path = parent;
            }
        }
    }
    let kept: Vec<TreeEntry> = entries
        .into_iter()
        .filter(|entry| match entry.kind {
            EntryKind::Directory => directories.contains(&entry.path),
            EntryKind::File { .. } | EntryKind::Symlink | EntryKind::Submodule => {
                is_wanted(&entry.path)
            }
        })
        .collect();
    for directory in wanted {
        let path: Vec<&str> =
            directory.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
        let path = path.join("/");
        if !path.is_empty() && !kept.iter().any(|entry| entry.path == path) {
            return Err(SparseError { directory: directory.clone() });
        }
    }
    Ok(kept)
}

/// The ignore rules of the tree and of the specification.
fn rules(
    objects: &mut Objects<'_>,
    entries: &[TreeEntry],
    ignore: Option<&str>,
) -> Result<Rules, IgnoreError> {
    let mut builder = Rules::builder();
    for entry in entries {
        let (directory, name) = entry.path.rsplit_once('/').unwrap_or(("", &entry.path));
        if name != FILE_NAME || !matches!(entry.kind, EntryKind::File { .. }) {
            continue;
        }
        let content = objects.blob(&entry.id).map_err(|source| {
            let path = entry.path.clone();
            IgnoreError::Read { path, source: Box::new(source) }
        })?;
        let directory: Vec<&str> = directory.split('/').filter(|name| !name.is_empty()).collect();
        builder.file(&directory, &String::from_utf8_lossy(content))?;
    }
    builder.overrides(ignore.unwrap_or_default())?;
    Ok(builder.build())
}

/// The first line of a message, cut as Flux cuts it.
fn subject(message: &str) -> String {
    let line = message.split('\n').next().unwrap_or_default();
    match line.char_indices().nth(SUBJECT_CHARS) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(paths: &[&str]) -> Vec<TreeEntry> {
        let kind = |path: &str| {
            if path.ends_with('/') {
                EntryKind::Directory
            } else {
                EntryKind::File { executable: false }
            }
        };
        let entry = |path: &&str| TreeEntry {
            kind: kind(path),
            path: path.trim_end_matches('/').to_owned(),
            id: String::new(),
        };
        paths.iter().map(entry).collect()
    }

    #[test]
    fn a_sparse_checkout_takes_prefixes_and_the_directories_above() {
        let all = entries(&["a/", "a/x", "app.yaml", "b/", "b/c/", "b/c/y", "b/d/", "b/d/z"]);
        let wanted = ["a".to_owned(), "./b/c".to_owned()];
        let kept = sparse(all.clone(), &wanted).unwrap();
        let paths: Vec<_> = kept.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, ["a", "a/x", "app.yaml", "b", "b/c", "b/c/y"]);
        let error = sparse(all, &["none/".to_owned()]).unwrap_err();
        assert!(error.to_string().starts_with("sparse checkout dir 'none/' does not exist"));
    }

    #[test]
    fn a_long_subject_is_cut() {
        assert_eq!(subject("one\n\ntwo"), "one");
        assert_eq!(subject(&"é".repeat(51)), format!("{}...", "é".repeat(50)));
    }
}
