//! One reconciliation of an OCIRepository: storage, access, manifest, layer, store, conclude.

mod access;
mod address;
mod kind;
mod layer;
mod reference;

use std::sync::Arc;

use crd_types::{conditions::FETCH_FAILED, reasons, source::OCIRepository};
use reconcile_loop::{
    chain,
    controller::{Finalized, Reconciler},
    requeue::Next,
};
use tokio::time::Instant;

use crate::{
    context::Context,
    source::{
        self, Attempt, Reached, Source as _, Stop, Stored,
        conclude::{Retry, Told},
        progress::Outdated,
        storage::in_thread,
    },
    watches,
};

/// The registry did not give something out.
const PULL_FAILED: &str = "OCIArtifactPullFailed";

/// Reconciles objects of the kind `OCIRepository`.
#[derive(Debug)]
pub(crate) struct OciRepositories(pub(crate) Arc<Context>);

impl Reconciler for OciRepositories {
    type Kind = OCIRepository;

    async fn reconcile(&self, object: Arc<OCIRepository>) -> Next {
        watches::cover(&*object, &self.0);
        let mut attempt = match Attempt::begin(object, &self.0).await {
            Ok(attempt) => attempt,
            Err(next) => return next,
        };
        let end = Box::pin(advance(&mut attempt)).await;
        attempt.end(end).await
    }

    async fn finalize(&self, object: Arc<OCIRepository>) -> Finalized {
        source::attempt::finalize(object, OCIRepository::FOLDER, &self.0).await
    }
}

/// Offers what the registry has now.
async fn advance(attempt: &mut Attempt<OCIRepository>) -> Result<Reached, Stop> {
    attempt.look_into_storage().await?;
    let (object, ctx) = (Arc::clone(&attempt.object), Arc::clone(&attempt.ctx));
    let spec = &object.spec;
    if let Some(field) = kind::unsupported(&object) {
        let message = format!("{field} is not supported yet, remove it");
        return Err(Stop::new(FETCH_FAILED, "UnsupportedField", message, Retry::Edit));
    }
    let name = address::repository(&spec.url).map_err(|error| {
        let message = format!("URL validation failed for '{}': {error}", spec.url);
        Stop::new(FETCH_FAILED, reasons::URL_INVALID, message, Retry::Edit)
    })?;
    let registry = access::registry(attempt, &ctx).await?;
    let deadline = Instant::now() + kind::timeout(&object);
    attempt.progress.outdated = Outdated::Cleared;
    let resolving = Box::pin(reference::resolve(&object, &registry, deadline));
    let found = attempt.while_telling(resolving).await?;
    let status = &attempt.progress.status;
    let is_same_content = status.observed_ignore == spec.ignore
        && status.observed_layer_selector == spec.layer_selector;
    let is_up_to_date = is_same_content && attempt.progress.has(&found.revision);
    if !is_up_to_date {
        let message = format!("new revision '{}' for '{name}{}'", found.revision, found.suffix);
        attempt.progress.news(reasons::NEW_REVISION, message);
        attempt.tell().await;
        let layer = layer::select(&object, &found.manifest)?.clone();
        let pulling = registry.blob(&layer, layer::MAX_LAYER_BYTES, deadline);
        let bytes = attempt.while_telling(Box::pin(pulling)).await.map_err(|error| {
            let why = chain(&error);
            let message = format!("failed to pull artifact from '{}': {why}", spec.url);
            Stop::new(FETCH_FAILED, PULL_FAILED, message, Retry::Backoff)
        })?;
        let (of_object, of_found) = (Arc::clone(&object), found.clone());
        let storing = in_thread(move || layer::store(&of_object, &of_found, &bytes, &ctx));
        let artifact = attempt.while_telling(storing).await?;
        attempt.offer(artifact);
        let status = &mut attempt.progress.status;
        status.observed_ignore.clone_from(&spec.ignore);
        status.observed_layer_selector.clone_from(&spec.layer_selector);
    }
    attempt.progress.fetched = true;
    Ok(reached(&object, &found, is_up_to_date))
}

fn reached(object: &OCIRepository, found: &reference::Found, is_up_to_date: bool) -> Reached {
    let (revision, url) = (&found.revision, &object.spec.url);
    let annotation =
        |name: &str| found.manifest.annotations.get(&format!("org.opencontainers.image.{name}"));
    let origin = match (annotation("source"), annotation("revision")) {
        (Some(source), Some(revision)) => {
            format!(", origin source '{source}', origin revision '{revision}'")
        }
        (Some(_), None) | (None, _) => String::new(),
    };
    Reached {
        in_storage: Told {
            reason: reasons::SUCCEEDED,
            message: format!("stored artifact for digest '{revision}'"),
        },
        stored: Stored {
            when_new: "NewArtifact",
            when_recovered: reasons::SUCCEEDED,
            message: format!("stored artifact with revision '{revision}' from '{url}'{origin}"),
        },
        unchanged: is_up_to_date.then(|| Told::up_to_date(revision)),
    }
}
