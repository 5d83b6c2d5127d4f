//! From a layer to an artifact in the storage.

use artifact::{
    open,
    pack::{self, Packer},
};
use bytes::Bytes;
use crd_types::{Artifact, conditions::FETCH_FAILED, reasons, source::OCIRepository};
use file_tree::{Entry, FileTree, TreePath};
use reconcile_loop::chain;
use registry_client::{Descriptor, Manifest};
use source_ignore::{FILE_NAME, Rules, TooManyPatterns};

use super::reference::Found;
use crate::{
    context::Context,
    source::{Stop, conclude::Retry, storage},
};

/// Largest layer that is taken. Limit: it is held in memory, and what is in it too.
pub(super) const MAX_LAYER_BYTES: u64 = 128 << 20;

fn failed(message: impl Into<String>) -> Stop {
    Stop::new(FETCH_FAILED, "OCIArtifactLayerOperationFailed", message, Retry::Backoff)
}

/// The layer that the object asks for.
///
/// # Errors
/// If the manifest has none.
pub(super) fn select<'a>(
    object: &OCIRepository,
    manifest: &'a Manifest,
) -> Result<&'a Descriptor, Stop> {
    if manifest.layers.is_empty() && !manifest.manifests.is_empty() {
        return Err(failed("the artifact is an index of manifests, name one by its digest"));
    }
    let first = manifest.layers.first().ok_or_else(|| failed("no layers found in artifact"))?;
    let selector = object.spec.layer_selector.as_ref();
    let Some(wanted) = selector.and_then(|it| it.media_type.as_deref()).filter(|it| !it.is_empty())
    else {
        return Ok(first);
    };
    manifest.layers.iter().find(|layer| layer.media_type == wanted).ok_or_else(|| {
        failed(format!("failed to find layer with media type '{wanted}' in artifact"))
    })
}

/// Stores a layer as it is, or packed anew by the ignore rules. Blocks.
///
/// # Errors
/// If it is no archive, or the storage is full.
pub(super) fn store(
    object: &OCIRepository,
    found: &Found,
    layer: &Bytes,
    ctx: &Context,
) -> Result<Artifact, Stop> {
    let not_stored = |error: &dyn std::error::Error| {
        let message = format!("unable to archive artifact to storage: {}", chain(error));
        Stop::not_stored(reasons::ARCHIVE_OPERATION_FAILED, message)
    };
    let path = storage::path(object, &format!("{}.tar.gz", found.manifest.digest))
        .map_err(|error| not_stored(&error))?;
    let selector = object.spec.layer_selector.as_ref();
    let operation = selector.and_then(|it| it.operation.as_deref()).unwrap_or("extract");
    let stored = if operation == "copy" {
        storage::write::<OCIRepository>(&path, &found.revision, ctx, |out| {
            out.write_all(layer).map_err(pack::Error::Write)
        })
    } else {
        let tree = open::tree(layer, &open::Limits::default()).map_err(|error| {
            let why = chain(&error);
            failed(format!("failed to extract layer contents from artifact: {why}"))
        })?;
        let rules = rules(&tree, object.spec.ignore.as_deref()).map_err(|error| {
            let message = format!("failed to load source ignore patterns: {}", chain(&error));
            Stop::not_stored("SourceIgnoreError", message)
        })?;
        storage::write::<OCIRepository>(&path, &found.revision, ctx, |out| {
            let mut packer = Packer::new(out, pack::Limits::default())?;
            add(&mut packer, &tree, &rules)?;
            packer.finish().map(drop)
        })
    };
    let mut artifact = stored.map_err(|error| not_stored(&error))?;
    artifact.metadata.clone_from(&found.manifest.annotations);
    Ok(artifact)
}

fn rules(tree: &FileTree, ignore: Option<&str>) -> Result<Rules, TooManyPatterns> {
    let mut builder = Rules::builder();
    for (directory, entries) in tree.directories() {
        if let Some(Entry::File(file)) = entries.get(FILE_NAME) {
            let names: Vec<&str> = directory.segments().collect();
            builder.file(&names, &String::from_utf8_lossy(&file.bytes))?;
        }
    }
    builder.overrides(ignore.unwrap_or_default())?;
    Ok(builder.build())
}

fn add<W: std::io::Write>(
    packer: &mut Packer<W>,
    tree: &FileTree,
    rules: &Rules,
) -> Result<(), pack::Error> {
    // Limit: as deep as the entries that the archive may have. A stack of our own, so that no depth
    // is too much for that of the thread.
    let mut open = vec![(TreePath::ROOT, tree.children(&TreePath::ROOT))];
    while let Some((directory, entries)) = open.last_mut() {
        let Some((name, entry)) = entries.next() else {
            open.pop();
            continue;
        };
        let Ok(path) = directory.join(name) else { continue };
        let names: Vec<&str> = path.segments().collect();
        match entry {
            Entry::File(file) => {
                if !rules.excludes(&names, false) {
                    packer.file(path.as_str(), file.executable, &file.bytes)?;
                }
            }
            Entry::Directory => {
                if !rules.excludes(&names, true) {
                    packer.directory(path.as_str())?;
                }
                let below = tree.children(&path);
                open.push((path, below));
            }
        }
    }
    Ok(())
}
