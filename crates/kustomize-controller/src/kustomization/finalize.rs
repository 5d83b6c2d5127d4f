//! The end of a Kustomization: what becomes of its objects.

use std::sync::Arc;
use std::time::Instant;

use cluster_apply::{Stale, TerminationError, prune, prune_in_order, wait_for_termination};
use crd_types::kustomize::Kustomization;
use kube::runtime::reflector::ObjectRef;
use reconcile_loop::conditions::is_true;
use reconcile_loop::controller::{Finalized, confined};
use reconcile_loop::events::Severity;
use reconcile_loop::metrics::Metrics;

use super::conclude::{farewell, finished};
use super::memory::Termination;
use super::progress::{Tracked, tracked};
use super::prune::{heirs_in, ordered};
use super::spec::Timing;
use super::tenant;
use crate::context::Context;

/// Deletes the objects of a Kustomization that is being deleted, as far as its policy says.
/// May be repeated.
pub(super) async fn finalize(ks: &Kustomization, ctx: &Arc<Context>) -> Finalized {
    let began = Instant::now();
    let key = ObjectRef::from_obj(ks);
    let in_order = ordered::is_wanted(ks, ctx);
    let end = match ctx.memory.termination(&key) {
        None => {
            ctx.memory.doubt(&key);
            delete(ks, in_order, ctx).await
        }
        Some(Termination::UnderWay) => return Finalized::UnderWay,
        Some(Termination::Ended { all_gone: true }) if in_order => {
            ctx.memory.next_termination(&key);
            delete(ks, in_order, ctx).await
        }
        Some(Termination::Ended { all_gone: true }) => Ok(Deletion::Done),
        Some(Termination::Ended { all_gone: false }) => {
            // Flux: the object goes nevertheless.
            let message = "failed to wait for resources termination".to_owned();
            ctx.runtime.events.publish(ks, farewell(ks, Severity::Error, message)).await;
            // What was to wait for its turn must not be left behind.
            if in_order { abandon(ks, ctx).await } else { Ok(Deletion::Done) }
        }
    };
    match end {
        Ok(Deletion::Done) => {}
        Ok(Deletion::Waiting) => return Finalized::UnderWay,
        Err(error) => return Finalized::Retry { error },
    }
    // Flux: the run that ends an object says that it ended well, if Ready says so still.
    if let Some(status) = ks.status.as_ref().filter(|status| is_true(&status.conditions, "Ready")) {
        let timing = Timing::of(ks, ctx.runtime.flags.requeue_dependency);
        ctx.runtime.events.publish(ks, finished(status, &timing, began.elapsed())).await;
    }
    Finalized::Gone
}

/// Whether the objects go with their Kustomization. Pure.
///
/// Flux: a suspended one leaves everything, whatever its policy says.
fn wants_deletion(ks: &Kustomization) -> bool {
    if ks.spec.suspend {
        return false;
    }
    match ks.spec.deletion_policy.as_deref() {
        Some("Delete" | "WaitForTermination") => true,
        Some("Orphan") => false,
        _ => ks.spec.prune,
    }
}

/// How far a deletion is.
enum Deletion {
    Done,
    /// The objects are on their way out; their end is waited for outside of any worker.
    Waiting,
}

async fn delete(
    ks: &Kustomization,
    in_order: bool,
    ctx: &Arc<Context>,
) -> Result<Deletion, String> {
    let inventory = ks.status.as_ref().and_then(|status| status.inventory.as_ref());
    let objects = inventory.map(tracked).unwrap_or_default();
    if !wants_deletion(ks) || objects.is_empty() {
        return Ok(Deletion::Done);
    }
    if !tenant::exists(ks, ctx).await? {
        let list: Vec<String> = objects.iter().map(|object| object.id.to_string()).collect();
        let message = format!("unable to prune objects: \n{}", list.join("\n"));
        ctx.runtime.events.publish(ks, farewell(ks, Severity::Error, message)).await;
        return Ok(Deletion::Done);
    }
    let stale: Vec<Stale> =
        objects.into_iter().map(|Tracked { id, version }| Stale { id, version }).collect();
    if let Some(retry_in) = heirs_in(ks, &stale, ctx).await {
        tracing::info!("deletions wait for Kustomizations of this source");
        let (ctx, key) = (Arc::clone(ctx), ObjectRef::from_obj(ks));
        tokio::spawn(async move {
            tokio::time::sleep(retry_in).await;
            ctx.trigger.reconcile(key);
        });
        return Ok(Deletion::Waiting);
    }
    let client = tenant::client(ks, ctx).await.map_err(|halt| halt.to_string())?;
    let owner = tenant::owner(ks);
    let (pruned, terminating) = if in_order {
        let end = prune_in_order(&client, &owner, stale).await;
        (end.pruned, end.terminating)
    } else {
        let pruned = prune(&client, &owner, stale).await;
        let waits = ks.spec.deletion_policy.as_deref() == Some("WaitForTermination");
        // What was left alone on purpose never goes.
        let deleted = if waits { pruned.deleted() } else { Vec::new() };
        (pruned, deleted)
    };
    if let Some(failure) = pruned.failure() {
        let message = "pruning for deleted resource failed".to_owned();
        ctx.runtime.events.publish(ks, farewell(ks, Severity::Error, message)).await;
        return Err(failure);
    }
    let log = pruned.done.full_log();
    if !log.is_empty() {
        ctx.runtime.events.publish(ks, farewell(ks, Severity::Info, log)).await;
    }
    if !terminating.is_empty() {
        let key = ObjectRef::from_obj(ks);
        let timeout = Timing::of(ks, ctx.runtime.flags.requeue_dependency).timeout;
        ctx.memory.begin_termination(&key);
        let ctx = Arc::clone(ctx);
        tokio::spawn(async move {
            let wait = wait_for_termination(&client, &terminating, timeout);
            let all_gone = are_gone(&ctx.runtime.metrics, wait).await;
            ctx.memory.end_termination(&key, all_gone);
            ctx.trigger.reconcile(key);
        });
        return Ok(Deletion::Waiting);
    }
    Ok(Deletion::Done)
}

/// Whether a wait ends well: one that panics does not, or its object would wait for it for ever.
async fn are_gone(
    metrics: &Metrics,
    wait: impl Future<Output = Result<(), TerminationError>>,
) -> bool {
    match confined::<Kustomization, _>(metrics, wait).await {
        Ok(end) => end.is_ok(),
        Err(panic) => {
            tracing::error!("{panic}");
            false
        }
    }
}

/// Deletes what is left without waiting for anything any more.
async fn abandon(ks: &Kustomization, ctx: &Arc<Context>) -> Result<Deletion, String> {
    let objects = ks.status.as_ref().and_then(|status| status.inventory.as_ref()).map(tracked);
    let stale = objects.unwrap_or_default().into_iter();
    let stale = stale.map(|Tracked { id, version }| Stale { id, version }).collect();
    let client = tenant::client(ks, ctx).await.map_err(|halt| halt.to_string())?;
    let pruned = prune(&client, &tenant::owner(ks), stale).await;
    pruned.failure().map_or(Ok(Deletion::Done), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_that_panics_is_no_proof() {
        let metrics = Metrics::default();
        assert!(!are_gone(&metrics, async { panic!("no such luck") }).await);
        assert!(are_gone(&metrics, async { Ok(()) }).await);
        let text = metrics.text();
        let counted = |line: &str| line.contains("panics") && line.ends_with(" 1");
        assert!(text.lines().any(counted), "{text}");
    }
}
