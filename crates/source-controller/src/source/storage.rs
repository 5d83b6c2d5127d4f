//! What this replica has of an object's artifacts.

use std::{io::Write, sync::Arc};

use artifact::{
    pack,
    store::{self, ArtifactPath, Condition},
};
use crd_types::{Artifact, Time};
use jiff::Timestamp;
use kube::ResourceExt as _;
use reconcile_loop::{
    chain,
    events::{Event, Severity},
    status::FluxKind,
};

use super::Source;
use crate::context::Context;

/// What a look into the storage showed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looked {
    /// The advertised artifact, if it is whole; with the URL that it has now.
    pub(crate) artifact: Option<Artifact>,
    pub(crate) events: Vec<Event>,
}

/// Checks the advertised artifact and removes superseded ones. Blocks a thread of its own.
///
/// # Errors
/// If a damaged artifact cannot be removed.
pub(crate) async fn look(
    advertised: Option<Artifact>,
    ctx: &Arc<Context>,
) -> Result<Looked, store::Error> {
    let Some(advertised) = advertised else { return Ok(Looked::default()) };
    let ctx = Arc::clone(ctx);
    in_thread(move || examine(advertised, &ctx)).await
}

/// Removes what the advertised artifact supersedes. Blocks a thread of its own.
pub(crate) async fn tidy<K: Source>(object: &K, ctx: &Arc<Context>) -> Option<Event> {
    let path = ArtifactPath::parse(&object.artifact()?.path)?;
    let ctx = Arc::clone(ctx);
    in_thread(move || collect_garbage(&path, &ctx)).await
}

/// Removes all artifacts of an object whose kind has this folder, and says how many there were.
pub(crate) async fn remove_all<K: FluxKind>(
    object: &K,
    folder: &'static str,
    ctx: &Arc<Context>,
) -> Result<usize, store::Error> {
    let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
    let Ok(any) = ArtifactPath::new(folder, &namespace, &name, "any") else { return Ok(0) };
    let ctx = Arc::clone(ctx);
    in_thread(move || ctx.store.remove_all(&any)).await
}

/// Where an artifact of the object lies.
pub(crate) fn path<K: Source>(object: &K, file: &str) -> Result<ArtifactPath, store::InvalidName> {
    let (namespace, name) = object.key();
    ArtifactPath::new(K::FOLDER, &namespace, &name, file)
}

/// Stores what `content` writes, and gives it the unchanging name too, if there is one. Blocks.
///
/// # Errors
/// If `content` fails or the storage does.
pub(crate) fn write<K: Source>(
    path: &ArtifactPath,
    revision: &str,
    ctx: &Context,
    content: impl FnOnce(&mut dyn Write) -> Result<(), pack::Error>,
) -> Result<Artifact, store::Error> {
    let stored = ctx.store.write(path, content)?;
    if let Some(alias) = K::ALIAS
        && let Err(error) = ctx.store.alias(path, alias)
    {
        // As in Flux, the artifact itself is what counts.
        tracing::warn!(error = chain(&error), "the artifact has no second name");
    }
    let now = Timestamp::now();
    // Times in a status have no fractions.
    let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
    Ok(Artifact {
        digest: stored.digest.to_string(),
        last_update_time: Some(Time(now)),
        metadata: std::collections::BTreeMap::new(),
        url: ctx.settings.artifact_url(path.as_str()),
        path: path.as_str().to_owned(),
        revision: revision.to_owned(),
        size: i64::try_from(stored.size_bytes).ok(),
        checksum: None,
    })
}

/// The address that always leads to the newest artifact, if there is one.
pub(crate) fn alias_url<K: Source>(artifact: &Artifact, ctx: &Context) -> Option<String> {
    let (path, alias) = (ArtifactPath::parse(&artifact.path)?, K::ALIAS?);
    Some(ctx.settings.artifact_url(&format!("{}/{}", path.directory(), alias.file())))
}

/// Does what blocks in a thread that may be blocked. When cancelled, the work goes on to its end,
/// which does no harm: an artifact that nobody advertises is garbage.
pub(crate) async fn in_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    // A panic there is one here, which ends this reconciliation only.
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}

fn examine(mut advertised: Artifact, ctx: &Context) -> Result<Looked, store::Error> {
    let mut looked = Looked::default();
    let Some(path) = ArtifactPath::parse(&advertised.path) else { return Ok(looked) };
    looked.events.extend(collect_garbage(&path, ctx));
    if let Some(problem) = problem(&advertised, &path, ctx) {
        let message = format!("failed to verify integrity of artifact: {problem}");
        looked.events.push(Event::new(Severity::Error, "ArtifactVerificationFailed", message));
        ctx.store.remove(&path)?;
        return Ok(looked);
    }
    if ctx.store.has(&path) {
        advertised.url = ctx.settings.artifact_url(&advertised.path);
        looked.artifact = Some(advertised);
    }
    Ok(looked)
}

/// Removes artifacts that `current` supersedes, if they are too many or too old.
fn collect_garbage(current: &ArtifactPath, ctx: &Context) -> Option<Event> {
    match ctx.store.collect_garbage(current, ctx.settings.retention) {
        Ok(0) => None,
        Ok(count) => {
            let message = format!("garbage collected {count} artifacts");
            Some(Event::new(Severity::Trace, "GarbageCollectionSucceeded", message))
        }
        Err(error) => {
            // Flux swallows it: the next round tries again.
            tracing::warn!(error = chain(&error), "garbage collection failed");
            None
        }
    }
}

/// What is wrong with an artifact that is there.
fn problem(advertised: &Artifact, path: &ArtifactPath, ctx: &Context) -> Option<String> {
    if !ctx.store.has(path) {
        return None;
    }
    if advertised.digest.is_empty() {
        return Some("artifact has no digest".to_owned());
    }
    let digest = match advertised.digest.parse() {
        Ok(digest) => digest,
        Err(error) => {
            let digest = &advertised.digest;
            return Some(format!("failed to parse artifact digest '{digest}': {error}"));
        }
    };
    match ctx.store.condition(path, &digest) {
        Ok(Condition::Intact | Condition::Missing) => None,
        Ok(Condition::Damaged { expected }) => {
            Some(format!("computed digest doesn't match '{expected}'"))
        }
        Err(error) => Some(chain(&error)),
    }
}
