//! What this replica has of an object's artifacts.

use std::sync::Arc;

use artifact::store::{self, ArtifactPath, Condition};
use crd_types::{Artifact, source::GitRepository};
use kube::ResourceExt as _;
use reconcile_loop::{
    chain,
    events::{Event, Severity},
};

use super::halt::Halt;
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
pub(crate) async fn look(repository: &GitRepository, ctx: &Arc<Context>) -> Result<Looked, Halt> {
    let advertised = repository.status.as_ref().and_then(|status| status.artifact.clone());
    let Some(advertised) = advertised else { return Ok(Looked::default()) };
    let ctx = Arc::clone(ctx);
    let looked = tokio::task::spawn_blocking(move || examine(advertised, &ctx)).await;
    // A panic there is one here, which ends this reconciliation only.
    looked.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}

/// Removes all artifacts of an object, and says how many there were.
pub(crate) async fn remove_all(
    repository: &GitRepository,
    ctx: &Arc<Context>,
) -> Result<usize, store::Error> {
    let (namespace, name) = (repository.namespace().unwrap_or_default(), repository.name_any());
    let Ok(any) = path(&namespace, &name, "any") else { return Ok(0) };
    let ctx = Arc::clone(ctx);
    let removed = tokio::task::spawn_blocking(move || ctx.store.remove_all(&any)).await;
    removed.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}

/// Where an artifact of the object lies.
pub(crate) fn path(
    namespace: &str,
    name: &str,
    file: &str,
) -> Result<ArtifactPath, store::InvalidName> {
    ArtifactPath::new("gitrepository", namespace, name, file)
}

fn examine(mut advertised: Artifact, ctx: &Context) -> Result<Looked, Halt> {
    let mut looked = Looked::default();
    let Some(path) = ArtifactPath::parse(&advertised.path) else { return Ok(looked) };
    match ctx.store.collect_garbage(&path, ctx.settings.retention) {
        Ok(0) => {}
        Ok(count) => {
            let message = format!("garbage collected {count} artifacts");
            let reason = "GarbageCollectionSucceeded";
            looked.events.push(Event::new(Severity::Trace, reason, message));
        }
        // Flux swallows it: the next round tries again.
        Err(error) => tracing::warn!(error = chain(&error), "garbage collection failed"),
    }
    if let Some(problem) = problem(&advertised, &path, ctx) {
        let message = format!("failed to verify integrity of artifact: {problem}");
        looked.events.push(Event::new(Severity::Error, "ArtifactVerificationFailed", message));
        ctx.store.remove(&path).map_err(Halt::Storage)?;
        return Ok(looked);
    }
    if ctx.store.has(&path) {
        advertised.url = ctx.settings.artifact_url(&advertised.path);
        looked.artifact = Some(advertised);
    }
    Ok(looked)
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
