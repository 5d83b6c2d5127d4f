//! One reconciliation of a HelmRepository: storage, access, download, store, conclude.

pub(crate) mod access;
mod index;
mod kind;
mod size;

use std::sync::Arc;

use crd_types::{
    conditions::FETCH_FAILED,
    metadata::FINALIZER,
    reasons,
    source::{HelmRepository, HelmRepositoryStatus},
};
use kube::{ResourceExt as _, runtime::reflector::ObjectRef};
use reconcile_loop::{
    chain,
    controller::{Finalized, Reconciler, api_error},
    requeue::Next,
};

use self::size::human;
use crate::{
    context::Context,
    helm_chart::origin::{wake_charts_of, wake_charts_of_registry},
    source::{
        self, Attempt, Reached, Source as _, Stop, Stored,
        conclude::{Retry, Told},
        progress::Outdated,
        storage,
    },
    watches,
};

/// Reconciles objects of the kind `HelmRepository`.
#[derive(Debug)]
pub(crate) struct HelmRepositories(pub(crate) Arc<Context>);

impl Reconciler for HelmRepositories {
    type Kind = HelmRepository;

    async fn reconcile(&self, object: Arc<HelmRepository>) -> Next {
        if kind::is_oci(&object) {
            return lay_down(object, &self.0).await;
        }
        watches::cover(&*object, &self.0);
        let mut attempt = match Attempt::begin(object, &self.0).await {
            Ok(attempt) => attempt,
            Err(next) => return next,
        };
        let end = Box::pin(advance(&mut attempt)).await;
        let object = Arc::clone(&attempt.object);
        let revision = attempt.progress.artifact().map(|artifact| artifact.revision.clone());
        let next = attempt.end(end).await;
        if let Some(revision) = revision {
            wake_charts_of(&*object, &revision, &self.0);
        }
        next
    }

    async fn finalize(&self, object: Arc<HelmRepository>) -> Finalized {
        source::attempt::finalize(object, HelmRepository::FOLDER, &self.0).await
    }

    fn forget(&self, object: &ObjectRef<HelmRepository>) {
        let namespace = object.namespace.clone().unwrap_or_default();
        self.0.indexes.forget(&(namespace, object.name.clone()));
    }

    /// Flux: a repository of type `oci` is data for others and nothing happens to it.
    fn finalizes(&self, object: &HelmRepository) -> bool {
        !kind::is_oci(object)
    }
}

/// Offers the index that the repository has now.
async fn advance(attempt: &mut Attempt<HelmRepository>) -> Result<Reached, Stop> {
    attempt.look_into_storage().await?;
    let (object, ctx) = (Arc::clone(&attempt.object), Arc::clone(&attempt.ctx));
    let reach = access::resolve(&object, &ctx).await.map_err(|error| refused(&error))?;
    let repository = reach.repository(&object.spec.url).map_err(|error| refused(&error))?;
    attempt.progress.outdated = Outdated::Cleared;
    let downloading = Box::pin(index::download(&repository, reach.deadline(), &ctx));
    let downloaded = attempt.while_telling(downloading).await.map_err(|error| {
        let message = format!("failed to fetch Helm repository index: {}", chain(&error));
        Stop::new(FETCH_FAILED, reasons::FAILED, message, Retry::Backoff)
    })?;
    let is_up_to_date = attempt.progress.has(&downloaded.revision);
    if is_up_to_date {
        attempt.progress.fetched = true;
        if let Some(artifact) = attempt.progress.artifact() {
            ctx.indexes.extend(&artifact.path.clone());
        }
    } else {
        let message = format!("new index revision '{}'", downloaded.revision);
        attempt.progress.news(reasons::NEW_REVISION, message);
        attempt.tell().await;
        let storing = index::store(Arc::clone(&object), downloaded, Arc::clone(&ctx));
        let artifact = attempt.while_telling(storing).await?;
        attempt.progress.fetched = true;
        attempt.offer(artifact);
    }
    Ok(reached(attempt, is_up_to_date))
}

fn reached(attempt: &mut Attempt<HelmRepository>, is_up_to_date: bool) -> Reached {
    let url = &attempt.object.spec.url.clone();
    let artifact = attempt.progress.artifact();
    let revision = artifact.map(|it| it.revision.clone()).unwrap_or_default();
    let size = artifact
        .and_then(|it| it.size)
        .map_or_else(|| "unknown size".to_owned(), |size| format!("size {}", human(size)));
    Reached {
        in_storage: Told {
            reason: reasons::SUCCEEDED,
            message: format!("stored artifact: revision '{revision}'"),
        },
        stored: Stored {
            when_new: "NewArtifact",
            when_recovered: reasons::SUCCEEDED,
            message: format!("stored fetched index of {size} from '{url}'"),
        },
        unchanged: is_up_to_date.then(|| Told::up_to_date(&revision)),
    }
}

fn refused(error: &access::Error) -> Stop {
    let retry = if error.needs_edit() { Retry::Edit } else { Retry::Backoff };
    Stop::new(FETCH_FAILED, error.reason(), chain(error), retry)
}

/// Takes away what an object had while it was of the other type.
async fn lay_down(mut object: Arc<HelmRepository>, ctx: &Arc<Context>) -> Next {
    if object.spec.suspend {
        return Next::Await;
    }
    let had_one = object.finalizers().iter().any(|it| it == FINALIZER);
    if had_one && let Err(error) = storage::remove_all(&*object, HelmRepository::FOLDER, ctx).await
    {
        return Next::Backoff { error: chain(&error) };
    }
    let writer = &HelmRepository::of(ctx).writer;
    let laid_down = async {
        writer.remove_finalizer(&mut object).await?;
        writer.status(&mut object, &HelmRepositoryStatus::default()).await
    };
    match laid_down.await {
        Ok(_) => {
            wake_charts_of_registry(&object, ctx);
            Next::Await
        }
        Err(error) => Next::Backoff { error: api_error(&error) },
    }
}
