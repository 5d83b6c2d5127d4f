//! Deletion of what is not wanted any more, unless something speaks against it.

mod guard;
mod hand_over;
pub(super) mod ordered;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use cluster_apply::{Doomed, PruneError, Stale, TenantClient, doomed};
use crd_types::kustomize::Kustomization;
use kube::runtime::reflector::ObjectRef;
use manifest::ObjectId;
use reconcile_loop::conditions::{find, is_true};
use reconcile_loop::events::Severity;

use super::apply::tell;
use super::conclude::{PRUNE_HELD, about};
use super::halt::Halt;
use super::progress::{Held, Holding, Progress, Tracked};
use super::resolve::source_key;
use super::spec::Timing;
use super::tenant::owner;
use crate::context::Context;

use self::guard::Plan;
pub(crate) use self::guard::{Guard, Mode};
pub(crate) use self::hand_over::HandOvers;
use self::hand_over::Sorted;

/// Deletes the objects of the old inventory that the new one does not have, if the object says so.
/// What could not be deleted, or waits for somebody, stays in the inventory. May be repeated.
pub(super) async fn execute(
    ks: &Kustomization,
    old: Vec<Tracked>,
    tenant: &TenantClient,
    ctx: &Arc<Context>,
    progress: &mut Progress,
) -> Result<(), Halt> {
    let inventory = progress.inventory.get_or_insert_default();
    let (before, built) = (old.len(), inventory.len());
    let wanted: HashSet<&ObjectId> = inventory.iter().map(|tracked| &tracked.id).collect();
    let stale: Vec<Stale> = old
        .into_iter()
        .filter(|tracked| !wanted.contains(&tracked.id))
        .map(|Tracked { id, version }| Stale { id, version })
        .collect();
    let stale = if ks.spec.prune { stale } else { Vec::new() };
    let revision = progress.advertised_revision.clone().unwrap_or_default();
    let Sorted { ripe, waiting, retry_in, inventory } =
        hand_over::sort(ks, stale, &revision, before, ctx);
    if waiting.is_empty() {
        progress.holding = Holding::Nothing;
    } else {
        tracing::info!(objects = waiting.len(), "deletions wait for Kustomizations of this source");
        keep(waiting, progress);
        progress.come_back = Some(retry_in);
    }
    if ripe.is_empty() {
        ctx.memory.left(&ObjectRef::from_obj(ks));
        return Ok(());
    }
    let Cleared { free, held } = cleared(ks, ripe, (inventory, built), tenant, ctx).await;
    if let Some((held, waiting)) = held {
        keep(waiting, progress);
        announce(ks, &held, ctx, progress).await;
        progress.holding = Holding::Held(held);
    }
    let (pruned, overdue) = if ordered::is_wanted(ks, ctx) {
        let limit = Timing::of(ks, ctx.runtime.flags.requeue_dependency).timeout;
        let end = cluster_apply::prune_in_order(tenant, &owner(ks), free).await;
        let overdue = ordered::follow(ks, &end, limit, tenant, ctx).err();
        if !end.terminating.is_empty() {
            progress.come_back = Some(progress.come_back.map_or(limit, |other| other.min(limit)));
        }
        keep(end.terminating, progress);
        keep(end.later, progress);
        (end.pruned, overdue)
    } else {
        (cluster_apply::prune(tenant, &owner(ks), free).await, None)
    };
    keep(pruned.failed.iter().map(PruneError::stale).cloned(), progress);
    tell(ks, &pruned.done.full_log(), ctx, progress).await;
    match pruned.failure().or_else(|| overdue.map(|error| error.to_string())) {
        Some(message) => Err(Halt::Prune { message }),
        None => Ok(()),
    }
}

/// How long the objects of a Kustomization that is being deleted wait at most for siblings that may
/// claim them; none if they need not.
pub(super) async fn heirs_in(
    ks: &Kustomization,
    objects: &[Stale],
    ctx: &Context,
) -> Option<Duration> {
    // Without an artifact nobody can be built from it.
    let artifact = ctx.sources.artifact(&source_key(ks).ok()?).await.ok()???;
    let count = objects.len();
    let sorted = hand_over::sort(ks, objects.to_vec(), &artifact.revision, count, ctx);
    (!sorted.waiting.is_empty()).then_some(sorted.retry_in)
}

/// Wakes those whose deletions waited for this object alone.
pub(super) fn wake(key: &ObjectRef<Kustomization>, ctx: &Context) {
    let free = match ctx.store.get(key) {
        Some(ks) => ctx.hand_overs.seen(&ks),
        None => ctx.hand_overs.forget(key),
    };
    for waiting in free {
        ctx.trigger.reconcile(waiting);
    }
}

/// What may be deleted, and what waits for a person and why.
struct Cleared {
    free: Vec<Stale>,
    held: Option<(Held, Vec<Stale>)>,
}

/// Asks the guard. The cluster is read only if it objects at first sight, because objects that are
/// gone, have another owner or ask to be kept are no loss.
async fn cleared(
    ks: &Kustomization,
    stale: Vec<Stale>,
    (inventory, built): (usize, usize),
    tenant: &TenantClient,
    ctx: &Context,
) -> Cleared {
    let guard = ctx.settings.prune_guard.of(ks);
    let conditions = ks.status.as_ref().map_or(&[][..], |status| &status.conditions);
    let was_held = is_true(conditions, PRUNE_HELD);
    let all: Vec<Doomed> =
        stale.iter().map(|stale| Doomed { stale: stale.clone(), uid: None }).collect();
    if guard.objection(&Plan { inventory, built, doomed: &all, was_held }).is_none() {
        return Cleared { free: stale, held: None };
    }
    let doomed = doomed(tenant, &owner(ks), &stale).await;
    let plan = Plan { inventory, built, doomed: &doomed, was_held };
    match guard.objection(&plan) {
        Some(reason) if !is_confirmed(&plan, ks, ctx) => {
            let message = plan.message(&reason, ks);
            let held = Held { reason: reason.as_str(), message };
            let kept: Vec<Stale> = doomed.into_iter().map(|doomed| doomed.stale).collect();
            let ids: HashSet<&ObjectId> = kept.iter().map(|stale| &stale.id).collect();
            let free = stale.into_iter().filter(|stale| !ids.contains(&stale.id)).collect();
            Cleared { free, held: Some((held, kept)) }
        }
        _ => Cleared { free: stale, held: None },
    }
}

/// Whether a person has confirmed this plan, or one that this is a rest of.
fn is_confirmed(plan: &Plan<'_>, ks: &Kustomization, ctx: &Context) -> bool {
    let Some(word) = guard::confirmation(ks) else { return false };
    let key = ObjectRef::from_obj(ks);
    if plan.is_confirmed(ks) {
        ctx.memory.confirm(&key, word, plan.doomed.to_vec());
        return true;
    }
    ctx.memory.has_confirmed(&key, word, plan.doomed)
}

fn keep(objects: impl IntoIterator<Item = Stale>, progress: &mut Progress) {
    let tracked = objects.into_iter().map(|Stale { id, version }| Tracked { id, version });
    progress.inventory.get_or_insert_default().extend(tracked);
}

/// Tells once that deletions are held.
async fn announce(ks: &Kustomization, held: &Held, ctx: &Context, progress: &Progress) {
    let conditions = ks.status.as_ref().map_or(&[][..], |status| &status.conditions);
    if find(conditions, PRUNE_HELD).is_some_and(|told| told.message == held.message) {
        return;
    }
    tracing::warn!(reason = held.reason, "{}", held.message);
    let event = about(Severity::Error, PRUNE_HELD, held.message.clone(), progress, ks);
    ctx.runtime.events.publish(ks, event).await;
}
