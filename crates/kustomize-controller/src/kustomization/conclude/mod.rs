//! What an attempt means: conditions, status, events, and when to come back. Pure.

mod events;
mod history;
mod retry;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crd_types::conditions::{HEALTHY, READY, RECONCILING, STALLED};
use crd_types::kustomize::{Kustomization, KustomizationStatus};
use crd_types::metadata::REQUESTED_AT;
use jiff::Timestamp;
use kube::Resource as _;
use reconcile_loop::conditions::Conditions;
use reconcile_loop::conditions::Status::{False, True, Unknown};
use reconcile_loop::events::Event;
use reconcile_loop::requeue::Next;

pub(crate) use self::events::{about, farewell, finished, news};

use super::halt::Halt;
use super::progress::{Health, Holding, Phase, Progress, Step};
use super::spec::Timing;

/// The condition that tells of deletions that wait for a person.
pub(crate) const PRUNE_HELD: &str = "PruneHeld";

const PROGRESSING: &str = "Progressing";
const PROGRESSING_WITH_RETRY: &str = "ProgressingWithRetry";
const SUCCEEDED: &str = "ReconciliationSucceeded";

/// What an attempt means.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    /// The status to record.
    pub(crate) status: KustomizationStatus,
    /// The event to publish once the status is recorded.
    pub(crate) event: Option<Event>,
    /// When to come back.
    pub(crate) next: Next,
}

impl Verdict {
    /// Takes secrets out of everything that people will read.
    pub(crate) fn mask(&mut self, masked: impl Fn(&str) -> String) {
        for condition in &mut self.status.conditions {
            condition.message = masked(&condition.message);
        }
        if let Some(event) = &mut self.event {
            event.message = masked(&event.message);
        }
        if let Next::Backoff { error } = &mut self.next {
            *error = masked(error);
        }
    }
}

/// The verdict over an attempt.
pub(crate) fn verdict(
    ks: &Kustomization,
    progress: &Progress,
    end: &Result<(), Halt>,
    timing: &Timing,
    now: Timestamp,
) -> Verdict {
    let took = progress.began.elapsed();
    match end {
        Ok(()) => success(ks, progress, timing, took, now),
        Err(halt) => failure(ks, progress, halt, timing, took, now),
    }
}

/// The status while a step is under way.
pub(crate) fn under_way(
    ks: &Kustomization,
    progress: &Progress,
    step: &Step,
    now: Timestamp,
) -> KustomizationStatus {
    let mut status = ks.status.clone().unwrap_or_default();
    let mut conditions = standing(ks, now);
    conditions.remove(STALLED);
    conditions.set(READY, Unknown, PROGRESSING, "Reconciliation in progress");
    conditions.set(RECONCILING, True, PROGRESSING, step.message());
    match progress.health {
        Health::Passed(after) => conditions.set(HEALTHY, True, "Succeeded", passed(after)),
        Health::Unasked | Health::Unwanted if step.phase == Phase::Health => {
            conditions.set(HEALTHY, Unknown, PROGRESSING, step.message());
        }
        Health::Unasked | Health::Unwanted => {}
    }
    hold(&mut conditions, progress);
    carry(&mut status, ks, progress);
    status.conditions = conditions.into_list();
    status
}

/// The status of a suspended object: it has heard the request.
pub(crate) fn suspended(ks: &Kustomization) -> KustomizationStatus {
    let mut status = ks.status.clone().unwrap_or_default();
    acknowledge(&mut status, ks);
    status
}

fn success(
    ks: &Kustomization,
    progress: &Progress,
    timing: &Timing,
    took: Duration,
    now: Timestamp,
) -> Verdict {
    let revision = progress.attempted_revision.clone().unwrap_or_default();
    let mut status = ks.status.clone().unwrap_or_default();
    let mut conditions = standing(ks, now);
    conditions.remove(STALLED);
    conditions.remove(RECONCILING);
    let confirms = history::confirms(ks, progress);
    match progress.health {
        // How long it took this time is no news.
        Health::Passed(_) if confirms && is_true(&conditions, HEALTHY) => {}
        Health::Passed(after) => {
            conditions.set(HEALTHY, True, "Succeeded", passed(after));
        }
        Health::Unwanted => conditions.remove(HEALTHY),
        Health::Unasked => {}
    }
    conditions.set(READY, True, SUCCEEDED, format!("Applied revision: {revision}"));
    hold(&mut conditions, progress);
    carry(&mut status, ks, progress);
    status.last_applied_revision = Some(revision);
    status.last_applied_origin_revision.clone_from(&progress.origin_revision);
    status.observed_generation = ks.meta().generation;
    status.conditions = conditions.into_list();
    // Differs: Flux counts every run; ours that only confirmed what stands writes nothing, so that a
    // start over thousands of objects, or a take-over from Flux, leaves them as they are.
    if !confirms || ks.status.as_ref() != Some(&status) {
        history::remember(&mut status, progress, SUCCEEDED, took, now);
    }
    Verdict {
        event: Some(finished(&status, timing, took)),
        next: retry::no_later(Next::Interval(timing.interval), progress),
        status,
    }
}

fn failure(
    ks: &Kustomization,
    progress: &Progress,
    halt: &Halt,
    timing: &Timing,
    took: Duration,
    now: Timestamp,
) -> Verdict {
    let mut status = ks.status.clone().unwrap_or_default();
    let mut conditions = standing(ks, now);
    let (reason, message) = (halt.reason(), reconcile_loop::chain(halt));
    conditions.remove(STALLED);
    conditions.set(READY, False, reason, message.clone());
    if matches!(halt, Halt::Stalled { .. }) {
        conditions.remove(RECONCILING);
        conditions.set(STALLED, True, reason, message.clone());
        status.observed_generation = ks.meta().generation;
    } else {
        // What was under way stays to be read, marked as something that will be tried again.
        let last = progress
            .step
            .as_ref()
            .map(Step::message)
            .or_else(|| conditions.get(RECONCILING).map(|condition| condition.message.clone()));
        if let Some(last) = last {
            conditions.set(RECONCILING, True, PROGRESSING_WITH_RETRY, last);
        }
    }
    if let Halt::Unhealthy { message, .. } = halt {
        conditions.set(HEALTHY, False, reason, message.clone());
    } else if progress.health == Health::Unwanted {
        conditions.remove(HEALTHY);
    }
    hold(&mut conditions, progress);
    carry(&mut status, ks, progress);
    status.conditions = conditions.into_list();
    if halt.in_history() {
        history::remember(&mut status, progress, reason, took, now);
    }
    Verdict {
        event: events::failed(halt, reason, message, timing)
            .map(|event| events::tag(event, progress, ks)),
        next: retry::no_later(retry::after(halt, timing), progress),
        status,
    }
}

/// How Flux says that everything is healthy.
pub(crate) fn passed(after: Duration) -> String {
    format!("Health check passed in {}", go_duration::format(after))
}

fn standing(ks: &Kustomization, now: Timestamp) -> Conditions {
    let conditions = ks.status.as_ref().map_or(&[][..], |status| &status.conditions);
    Conditions::resume(conditions, ks.meta().generation.unwrap_or_default(), now)
}

/// Says whether deletions wait for a person, once that is decided.
fn hold(conditions: &mut Conditions, progress: &Progress) {
    match &progress.holding {
        Holding::Undecided => {}
        Holding::Nothing => conditions.remove(PRUNE_HELD),
        Holding::Held(held) => {
            conditions.set(PRUNE_HELD, True, held.reason, held.message.clone());
        }
    }
}

/// What every status says, however the attempt ended.
fn carry(status: &mut KustomizationStatus, ks: &Kustomization, progress: &Progress) {
    acknowledge(status, ks);
    if status.observed_generation.is_none() {
        status.observed_generation = Some(-1);
    }
    if let Some(revision) = &progress.attempted_revision {
        status.last_attempted_revision = Some(revision.clone());
    }
    if let Some(inventory) = progress.status_inventory() {
        status.inventory = Some(inventory);
    }
}

fn acknowledge(status: &mut KustomizationStatus, ks: &Kustomization) {
    let requested = ks.meta().annotations.as_ref().and_then(|all| all.get(REQUESTED_AT));
    if let Some(token) = requested {
        status.last_handled_reconcile_at = Some(token.clone());
    }
}

fn is_true(conditions: &Conditions, kind: &str) -> bool {
    conditions.get(kind).is_some_and(|condition| condition.status == "True")
}
