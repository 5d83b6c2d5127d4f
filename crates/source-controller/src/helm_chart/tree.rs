//! A chart of a source tree: a folder to be packed, or an archive.

use std::sync::Arc;

use artifact::{Store, digest, fetch as download, open};
use bytes::Bytes;
use crd_types::Artifact;
use file_tree::{FileTree, TreePath};
use helm_chart::{Chart, directory};

use super::{
    build::{Build, Wish},
    dependencies,
    failure::{Failure, Stage},
    package::Package,
    values::{self, Merged},
};
use crate::{context::Context, settings::HelmLimits, source::storage::in_thread};

/// A chart as the tree has it, its dependencies not looked at yet.
#[derive(Debug)]
struct Found {
    package: Package,
    merged: Merged,
    /// What lacks, if the chart is a folder.
    missing: Vec<helm_chart::Dependency>,
    version: String,
}

/// What the look into the tree came to.
enum Looked {
    Done(Build),
    Found(Box<Found>, FileTree),
}

/// Where the archive of a tree is.
#[derive(Clone, Debug)]
pub(super) enum Archive {
    /// In our own storage, not checked yet.
    Stored(Artifact),
    /// In memory, and what was advertised.
    Fetched(Bytes),
}

/// Why an artifact is no tree.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("cannot read the artifact")]
    Read(#[source] std::io::Error),
    #[error("cannot fetch the artifact")]
    Fetch(#[from] download::Error),
    #[error(transparent)]
    Digest(#[from] digest::ParseError),
    #[error("the artifact is not the one that is advertised")]
    Damaged,
    #[error("cannot open the artifact")]
    Open(#[from] open::Error),
}

/// Brings over an artifact that another controller serves.
///
/// # Errors
/// If that controller does not answer, or sends something else.
pub(super) async fn fetch(artifact: &Artifact, ctx: &Context) -> Result<Archive, Failure> {
    let fetched = async {
        let digest = artifact.digest.parse()?;
        Ok(ctx.fetcher.archive(&artifact.url, &digest).await?)
    };
    fetched.await.map(Archive::Fetched).map_err(|error: Error| no_tree(&error))
}

/// Makes the chart that the object asks for, unless it is there already.
///
/// # Errors
/// If the tree has no such chart, or a chart that it needs cannot be had.
pub(super) async fn build(
    wish: &Wish,
    archive: Archive,
    namespace: &str,
    ctx: &Arc<Context>,
) -> Result<Build, Failure> {
    let (of_wish, of_ctx) = (wish.clone(), Arc::clone(ctx));
    let looked = in_thread(move || look(&of_wish, &archive, &of_ctx)).await?;
    let (mut found, tree) = match looked {
        Looked::Done(build) => return Ok(build),
        Looked::Found(found, tree) => (found, tree),
    };
    if !found.missing.is_empty() {
        let folder = confined(&wish.chart);
        let asked = dependencies::Asked { tree: &tree, folder: &folder, namespace };
        dependencies::add(&mut found.package, &found.missing, &asked, ctx).await?;
    }
    let (wish, limits) = (wish.clone(), ctx.settings.helm);
    in_thread(move || pack(&wish, *found, limits)).await
}

fn look(wish: &Wish, archive: &Archive, ctx: &Context) -> Result<Looked, Failure> {
    let limits = ctx.settings.helm;
    let tree = tree(&ctx.store, archive).map_err(|error| no_tree(&error))?;
    let place = confined(&wish.chart);
    let is_folder = tree.is_directory(&place);
    let package = if is_folder {
        let files = directory::files(&tree, &place)
            .map_err(|error| Stage::Reference.because("", &error))?;
        Package::of(files, limits)
    } else {
        let Some(file) = tree.file(&place) else {
            let message = format!("no chart found at path '{}'", wish.chart);
            return Err(Stage::Reference.failed(message));
        };
        Package::open(&file.bytes, limits)
    };
    let package = package.map_err(|error| Stage::Reference.because("", &error))?;
    let name = package.metadata.name.clone();
    let version = wish.version(&package.metadata.version)?;
    let is_packaged = is_folder || wish.changes_chart();
    if let Some(reused) = wish.reused(&name, &version, is_packaged) {
        return Ok(Looked::Done(reused));
    }
    if !is_packaged && let Some(file) = tree.file(&place) {
        let archive = Some(file.bytes.clone());
        let values_files = Vec::new();
        return Ok(Looked::Done(Build { name, version, values_files, is_packaged, archive }));
    }
    let merged = values::merge(&wish.values_files, wish.passes_over_missing, "", |path| {
        let place = confined(path);
        let file = tree.file(&place).map(|file| file.bytes.to_vec());
        let place = place.as_str();
        file.ok_or_else(|| format!("no values file found at path '/{place}' (reference '{path}')"))
    })?;
    let chart = Chart::from_files(package.files.clone())
        .map_err(|error| Stage::Package.because("", &error))?;
    let missing = if is_folder { dependencies::missing(&chart) } else { Vec::new() };
    let found = Found { package, merged, missing, version };
    Ok(Looked::Found(Box::new(found), tree))
}

fn pack(wish: &Wish, found: Found, limits: HelmLimits) -> Result<Build, Failure> {
    let mut package = found.package;
    if package.metadata.version != found.version {
        package.set_version(&found.version)?;
    }
    let has_changed = !wish.values_files.is_empty() && package.set_values(found.merged.values);
    let values_files = if has_changed { found.merged.files } else { Vec::new() };
    let archive = Some(package.archive(limits)?.into());
    let (name, version) = (package.metadata.name, found.version);
    Ok(Build { name, version, values_files, is_packaged: true, archive })
}

/// Limit: the tree is held in memory while the chart is made, as large as `open::Limits` allows.
fn tree(store: &Store, archive: &Archive) -> Result<FileTree, Error> {
    let bytes = match archive {
        Archive::Stored(artifact) => stored(store, artifact)?,
        Archive::Fetched(bytes) => bytes.clone(),
    };
    Ok(open::tree(&bytes, &open::Limits::default())?)
}

fn stored(store: &Store, artifact: &Artifact) -> Result<Bytes, Error> {
    let bytes = std::fs::read(store.root().join(&artifact.path)).map_err(Error::Read)?;
    let digest: artifact::Digest = artifact.digest.parse()?;
    if digest.algorithm().digest(&bytes) != digest {
        return Err(Error::Damaged);
    }
    Ok(bytes.into())
}

fn no_tree(error: &Error) -> Failure {
    let stage = Stage::Other { reason: "ArtifactUnavailable", needs_edit: false };
    stage.because("failed to untar artifact", error)
}

/// The place that a path leads to; above the root there is only the root.
pub(super) fn confined(path: &str) -> TreePath {
    let mut names: Vec<&str> = Vec::new();
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    // Fails only for what no file is named: a NUL.
    TreePath::parse(&names.join("/")).unwrap_or(TreePath::ROOT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_tree() {
        for (path, place) in [
            ("./charts/app", "charts/app"),
            ("../../etc/passwd", "etc/passwd"),
            ("/a/../b/", "b"),
            (".", ""),
        ] {
            assert_eq!(confined(path).as_str(), place);
        }
    }
}
