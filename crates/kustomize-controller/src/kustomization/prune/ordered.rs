//! Deletion in the reverse order of application, where that is wanted.

use std::sync::Arc;
use std::time::Duration;

use cluster_apply::{PrunedInOrder, Stale, TenantClient, TerminationError, wait_for_termination};
use crd_types::kustomize::Kustomization;
use kube::ResourceExt as _;
use kube::runtime::reflector::ObjectRef;
use reconcile_loop::controller::confined;

use crate::context::Context;

/// The annotation by which a Kustomization says how its objects are deleted: `ordered`, or
/// `background`, which is Flux's way.
const DELETION: &str = "ferroflux.dev/deletion";

/// Whether objects are deleted in order, each stage when those after it are gone.
pub(crate) fn is_wanted(ks: &Kustomization, ctx: &Context) -> bool {
    match ks.annotations().get(DELETION).map(String::as_str) {
        None => ctx.settings.ordered_deletion,
        Some(said) => said == "ordered",
    }
}

/// Waits for what is on its way out, outside of any worker, and queues the Kustomization then.
///
/// # Errors
/// If it has taken longer than `limit` already.
pub(super) fn follow(
    ks: &Kustomization,
    end: &PrunedInOrder,
    limit: Duration,
    tenant: &TenantClient,
    ctx: &Arc<Context>,
) -> Result<(), TerminationError> {
    let key = ObjectRef::from_obj(ks);
    if end.terminating.is_empty() {
        ctx.memory.left(&key);
        return Ok(());
    }
    let remaining = end.terminating.iter().map(|stale| stale.id.clone()).collect();
    let wait =
        until_gone(end.terminating.clone(), limit, tenant.clone(), Arc::clone(ctx), key.clone());
    if ctx.memory.leaving(&key, tokio::spawn(wait).abort_handle()) < limit {
        Ok(())
    } else {
        Err(TerminationError { remaining })
    }
}

async fn until_gone(
    leaving: Vec<Stale>,
    limit: Duration,
    tenant: TenantClient,
    ctx: Arc<Context>,
    key: ObjectRef<Kustomization>,
) {
    let wait = wait_for_termination(&tenant, &leaving, limit);
    match confined::<Kustomization, _>(&ctx.runtime.metrics, wait).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::info!(%error, "deleted objects are still there"),
        Err(panic) => tracing::error!("{panic}"),
    }
    ctx.trigger.reconcile(key);
}
