//! The artifact, brought here and opened. Reads the artifact server.

use std::sync::Arc;
use std::time::Duration;

use artifact::{Digest, shelf};
use crd_types::Artifact;
use crd_types::kustomize::Kustomization;
use file_tree::{FileTree, PathError, TreePath};

use super::halt::Halt;
use super::resolve::retry_in;
use super::spec::Timing;
use crate::context::Context;

/// The directory that Flux would have unpacked the artifact to.
///
/// Flux: messages name files by their place on the controller's disk. There is no such place here,
/// but whoever looks for a message should find it.
pub(crate) const TREE_NAME: &str = "/tmp/kustomization";

/// An artifact that is open, and the directory in it that is to be built.
#[derive(Clone, Debug)]
pub(super) struct Checkout {
    pub(super) tree: Arc<FileTree>,
    pub(super) root: TreePath,
}

/// Why an artifact could not be brought here.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It could not be downloaded, verified or opened.
    #[error(transparent)]
    Artifact(#[from] shelf::Error),
    /// It took longer than the object allows.
    #[error("failed to download archive: not done within {}", go_duration::format(*.limit))]
    TimedOut { limit: Duration },
    /// The source advertises a digest that is none.
    #[error("failed to verify archive: invalid digest '{digest}'")]
    Digest { digest: String },
    /// The path leads out of the artifact.
    #[error("invalid path '{path}'")]
    Path {
        path: String,
        #[source]
        source: PathError,
    },
    /// The path leads nowhere.
    #[error("kustomization path not found: stat {TREE_NAME}/{path}: no such file or directory")]
    PathNotFound { path: TreePath },
}

/// Brings the artifact here, or takes it off the shelf, and finds the path in it. May be repeated.
pub(super) async fn checkout(
    ks: &Kustomization,
    artifact: &Artifact,
    ctx: &Context,
) -> Result<Checkout, Halt> {
    let digest = artifact
        .digest
        .parse::<Digest>()
        .map_err(|_invalid| Halt::Fetch(Error::Digest { digest: artifact.digest.clone() }))?;
    let url = ctx.settings.artifact_url(&artifact.url);
    // Retries are for a server that comes back soon; a worker is not held for longer than this.
    let limit = Timing::of(ks, ctx.runtime.flags.requeue_dependency).timeout;
    let Ok(fetched) = tokio::time::timeout(limit, ctx.shelf.tree(&url, &digest)).await else {
        return Err(Halt::Fetch(Error::TimedOut { limit }));
    };
    let tree = match fetched {
        Ok(tree) => tree,
        Err(shelf::Error::Fetch(error)) if matches!(*error, artifact::fetch::Error::NotFound) => {
            return Err(Halt::ArtifactGone { retry_in: retry_in(ctx) });
        }
        Err(error) => return Err(Halt::Fetch(error.into())),
    };
    let root = root(ks.spec.path.as_deref().unwrap_or_default()).map_err(Halt::Fetch)?;
    if !tree.is_directory(&root) && tree.file(&root).is_none() {
        return Err(Halt::Fetch(Error::PathNotFound { path: root }));
    }
    Ok(Checkout { tree, root })
}

/// The directory that `spec.path` names.
///
/// Flux: the path is joined below the root whatever it says, so `/deploy` is `deploy` (securejoin).
/// Differs: a path that climbs out is an error here, where Flux takes it for the root.
fn root(path: &str) -> Result<TreePath, Error> {
    TreePath::parse(path.trim_start_matches('/'))
        .map_err(|source| Error::Path { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_in_the_artifact() {
        assert_eq!(root("./deploy/").unwrap().as_str(), "deploy");
        assert_eq!(root("/deploy").unwrap().as_str(), "deploy");
        assert_eq!(root("").unwrap(), TreePath::ROOT);
        assert!(root("../x").is_err());
    }
}
