//! Bases in other git repositories and plain files, where the operator lets Kustomizations fetch them.
//!
//! Whoever can commit to a source can name any address here, so it is reached without any login, at
//! public addresses only, and under limits of number, size and time. What a branch holds may change
//! while the source does not: a build of this kind proves nothing about the next one.

mod address;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use file_tree::{BuildError, File, FileTree, PathError, TreePath};
use git_client::{Access, Client, EntryKind, Error as GitError, Limits, Reach, Remote, Session};
use kustomize_build::generate::Kustomization;
use kustomize_build::{Built, Options, Reads, build_noting};
use tokio::runtime::Handle;
use tokio::time::Instant;

use self::address::{Address, AddressError, Place};
use super::render;
use crate::context::Context;

/// Limit: bases of one build. Each costs a build that ends where it is missing.
const MAX_BASES: usize = 16;
/// Limit: bytes of all files of the repositories of one build.
const MAX_BYTES: u64 = 64 << 20;

/// Fetches what builds lack.
#[derive(Clone, Debug)]
pub(super) struct Fetcher {
    client: Arc<Client>,
    /// Where packs are kept while they are read.
    scratch: PathBuf,
    deadline: Instant,
}

/// What an address stands for.
enum Base {
    File(Vec<u8>),
    Directory(FileTree, TreePath),
}

/// Why there is no base.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Its address is of no use.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The repository cannot be read.
    #[error(transparent)]
    Git(#[from] GitError),
    /// There are too many.
    #[error("a build may use {MAX_BASES} remote bases")]
    TooMany,
    /// They are too large.
    #[error("the remote bases of a build may hold {} MiB", MAX_BYTES >> 20)]
    TooLarge,
    /// A name in the repository cannot be one of a tree.
    #[error(transparent)]
    Path(#[from] PathError),
    /// A name in the repository is taken.
    #[error(transparent)]
    Tree(#[from] BuildError),
}

/// The client that fetches bases. It goes to public addresses, and to `hosts`.
pub(crate) fn client(hosts: &[String]) -> Client {
    let limits = Limits {
        refs_bytes: 32 << 20,
        pack_bytes: MAX_BYTES,
        objects: 200_000,
        object_bytes: 16 << 20,
        tree_entries: 50_000,
        ..Limits::default()
    };
    Client::within(Reach::Public { also: hosts.to_vec() }, limits)
}

impl Fetcher {
    /// For one build; none if remote bases are refused.
    pub(super) fn of(ctx: &Context, timeout: Duration) -> Option<Self> {
        let client = Arc::clone(ctx.bases.as_ref()?);
        let scratch = ctx.settings.scratch.clone();
        Some(Self { client, scratch, deadline: Instant::now() + timeout })
    }

    /// Builds, and begins again with each base that turns out to be missing. Blocks; must be called
    /// within a tokio runtime, outside of its workers.
    pub(super) fn build(
        &self,
        tree: &FileTree,
        kustomization: &Kustomization,
        options: &mut Options,
        reads: &mut Reads,
    ) -> Result<Built, render::Error> {
        let mut left_bytes = MAX_BYTES;
        loop {
            let error = match build_noting(tree, kustomization, options, reads) {
                Ok(built) => return Ok(built),
                Err(error) => error,
            };
            let Some(url) = error.missing_base().map(ToOwned::to_owned) else {
                return Err(render::Error::Build(Box::new(error)));
            };
            let fetched = if options.remote_bases.len() < MAX_BASES {
                self.fetch(&url, left_bytes)
            } else {
                Err(Error::TooMany)
            };
            let fetched = fetched.map_err(|source| render::Error::RemoteBase {
                url: url.clone(),
                source: Box::new(source),
            })?;
            match fetched {
                Base::File(content) => {
                    left_bytes -= content.len() as u64;
                    options.remote_bases.insert_file(url, content.into());
                }
                Base::Directory(tree, directory) => {
                    left_bytes -= tree.size_bytes();
                    options.remote_bases.insert(url, tree, directory);
                }
            }
        }
    }

    fn fetch(&self, url: &str, limit_bytes: u64) -> Result<Base, Error> {
        match address::parse(url)? {
            Address::File(url) => self.file(url, limit_bytes).map(Base::File),
            Address::Directory(place) => self.directory(place, limit_bytes),
        }
    }

    fn file(&self, url: String, limit_bytes: u64) -> Result<Vec<u8>, Error> {
        let remote = Remote { url, access: Access::default(), deadline: self.deadline };
        let content = Handle::current().block_on(self.client.file(remote, limit_bytes));
        content.map_err(|error| match error {
            GitError::TooLarge { .. } => Error::TooLarge,
            error => Error::Git(error),
        })
    }

    fn directory(&self, place: Place, limit_bytes: u64) -> Result<Base, Error> {
        let Place { repository, revisions, directory } = place;
        let fetched = async {
            let remote =
                Remote { url: repository, access: Access::default(), deadline: self.deadline };
            let session = Session::open(&self.client, remote).await?;
            let mut target = Err(GitError::EmptyRepository);
            for revision in &revisions {
                target = session.resolve(revision, &self.scratch).await;
                if !matches!(target, Err(GitError::ReferenceNotFound { .. })) {
                    break;
                }
            }
            let target = target?;
            let snapshot = session.fetch(&target, &self.scratch).await?;
            Ok::<_, GitError>((target, snapshot))
        };
        let (target, snapshot) = Handle::current().block_on(fetched)?;
        let mut objects = snapshot.objects();
        let root = objects.commit(&target.commit)?.tree;
        let mut tree = FileTree::builder();
        let mut left_bytes = limit_bytes;
        for entry in objects.tree(&root)? {
            // As in artifacts, links and submodules are left out.
            match entry.kind {
                EntryKind::Directory => drop(tree.directory(&TreePath::parse(&entry.path)?)?),
                EntryKind::File { executable } => {
                    let bytes = objects.blob(&entry.id)?.to_vec();
                    left_bytes =
                        left_bytes.checked_sub(bytes.len() as u64).ok_or(Error::TooLarge)?;
                    let file = File { bytes: bytes.into(), executable };
                    tree.file(&TreePath::parse(&entry.path)?, file)?;
                }
                EntryKind::Symlink | EntryKind::Submodule => {}
            }
        }
        Ok(Base::Directory(tree.build(), directory))
    }
}
