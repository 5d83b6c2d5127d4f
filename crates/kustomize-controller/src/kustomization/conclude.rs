//! What an attempt means: conditions, status, events, and when to come back. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use crd_types::conditions::{HEALTHY, READY, RECONCILING, STALLED};
use crd_types::kustomize::{Kustomization, KustomizationStatus, ReconciliationSnapshot};
use crd_types::{GoDuration, Time};
use jiff::Timestamp;
use kube::Resource as _;
use reconcile_loop::conditions::Status::{False, True, Unknown};
use reconcile_loop::conditions::{Conditions, find};
use reconcile_loop::controller::REQUESTED_AT;
use reconcile_loop::events::{Event, Severity};
use reconcile_loop::requeue::Next;

use super::halt::Halt;
use super::progress::{Health, Holding, Phase, Progress, Step};
use super::spec::Timing;

/// The condition that tells of deletions that wait for a person.
pub(crate) const PRUNE_HELD: &str = "PruneHeld";

const PROGRESSING: &str = "Progressing";
const PROGRESSING_WITH_RETRY: &str = "ProgressingWithRetry";
const SUCCEEDED: &str = "ReconciliationSucceeded";

/// The longest pause after a failure that passes by itself.
const PASSING: Duration = Duration::from_secs(10);

/// Limit: snapshots in the history.
const HISTORY: usize = 5;

pub(crate) const REVISION_KEY: &str = "kustomize.toolkit.fluxcd.io/revision";
pub(crate) const ORIGIN_REVISION_KEY: &str = "kustomize.toolkit.fluxcd.io/originRevision";
const COMMIT_STATUS_KEY: &str = "kustomize.toolkit.fluxcd.io/commit_status";

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
    let confirms = confirms(ks, progress);
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
        remember(&mut status, progress, SUCCEEDED, took, now);
    }
    Verdict {
        event: Some(finished(&status, timing, took)),
        next: no_later(Next::Interval(timing.interval), progress),
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
        remember(&mut status, progress, reason, took, now);
    }
    Verdict {
        event: failure_event(halt, reason, message, timing).map(|event| tag(event, progress, ks)),
        next: no_later(retry(halt, timing), progress),
        status,
    }
}

/// How Flux says that everything is healthy.
pub(crate) fn passed(after: Duration) -> String {
    format!("Health check passed in {}", go_duration::format(after))
}

/// The next attempt, but no later than what waits for others wants to be looked at.
fn no_later(next: Next, progress: &Progress) -> Next {
    match (next, progress.come_back) {
        (Next::Interval(due) | Next::After(due), Some(back)) if back < due => Next::After(back),
        (next, _) => next,
    }
}

/// When a failed attempt is repeated.
fn retry(halt: &Halt, timing: &Timing) -> Next {
    match halt {
        Halt::Stalled { .. } => Next::Await,
        Halt::SourceUnreadable { .. } => Next::Backoff { error: reconcile_loop::chain(halt) },
        Halt::NoArtifact { retry_in }
        | Halt::ArtifactGone { retry_in }
        | Halt::Dependency { retry_in, .. } => Next::After(*retry_in),
        // Differs: Flux waits for the retry interval, be it an hour, until an API server that was
        // restarted is asked again.
        Halt::Disturbed { .. } => Next::After(timing.retry.min(PASSING)),
        Halt::SourceNotFound { .. }
        | Halt::Fetch(_)
        | Halt::Client { .. }
        | Halt::Build(_)
        | Halt::Inputs(_)
        | Halt::Apply { .. }
        | Halt::Prune { .. }
        | Halt::Unhealthy { .. } => Next::After(timing.retry),
    }
}

/// What a failure is worth telling. Waiting for a source is no news: the source tells it itself.
fn failure_event(
    halt: &Halt,
    reason: &'static str,
    message: String,
    timing: &Timing,
) -> Option<Event> {
    match halt {
        Halt::SourceNotFound { .. }
        | Halt::SourceUnreadable { .. }
        | Halt::NoArtifact { .. }
        | Halt::ArtifactGone { .. } => None,
        Halt::Dependency { .. } => {
            let retry = go_duration::format(timing.dependency);
            let message = format!("Dependencies do not meet ready condition, retrying in {retry}");
            Some(Event::new(Severity::Info, reason, message))
        }
        Halt::Client { .. } => {
            let message = format!("failed to build kube client: {message}");
            Some(Event::new(Severity::Error, reason, message))
        }
        Halt::Stalled { .. }
        | Halt::Fetch(_)
        | Halt::Build(_)
        | Halt::Inputs(_)
        | Halt::Apply { .. }
        | Halt::Disturbed { .. }
        | Halt::Prune { .. }
        | Halt::Unhealthy { .. } => Some(Event::new(Severity::Error, reason, message)),
    }
}

/// The event of a run that ended well.
pub(crate) fn finished(status: &KustomizationStatus, timing: &Timing, took: Duration) -> Event {
    let message = format!(
        "Reconciliation finished in {}, next run in {}",
        go_duration::format(took),
        go_duration::format(timing.interval),
    );
    let mut event =
        Event::new(Severity::Info, SUCCEEDED, message).with(COMMIT_STATUS_KEY, "update");
    if let Some(revision) = &status.last_applied_revision {
        event = event.with(REVISION_KEY, revision.clone());
    }
    if let Some(origin) = &status.last_applied_origin_revision {
        event = event.with(ORIGIN_REVISION_KEY, origin.clone());
    }
    event
}

/// An event of an attempt under way. Its reason is the one that Ready has at that time.
pub(crate) fn news(ks: &Kustomization, progress: &Progress, message: String) -> Event {
    tag(Event::new(Severity::Info, PROGRESSING, message), progress, ks)
}

/// An event about something beside the course of an attempt.
pub(crate) fn about(
    severity: Severity,
    reason: &'static str,
    message: String,
    progress: &Progress,
    ks: &Kustomization,
) -> Event {
    tag(Event::new(severity, reason, message), progress, ks)
}

/// The event about what a deletion did. Its reason is the one that Ready has.
pub(crate) fn farewell(ks: &Kustomization, severity: Severity, message: String) -> Event {
    let status = ks.status.as_ref();
    let ready = status.and_then(|status| find(&status.conditions, READY));
    let reason = ready.map_or_else(|| severity_name(severity), |ready| ready.reason.as_str());
    tag(Event::new(severity, reason, message), &Progress::resume(ks), ks)
}

const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Info | Severity::Trace => "info",
    }
}

/// Adds the revision that an event is about: the one at hand, else the last one.
fn tag(mut event: Event, progress: &Progress, ks: &Kustomization) -> Event {
    let status = ks.status.as_ref();
    let revision = progress
        .advertised_revision
        .clone()
        .or_else(|| progress.attempted_revision.clone())
        .or_else(|| status.and_then(|status| status.last_applied_revision.clone()));
    if let Some(revision) = revision {
        event = event.with(REVISION_KEY, revision);
    }
    if let Some(origin) = &progress.origin_revision {
        event = event.with(ORIGIN_REVISION_KEY, origin.clone());
    }
    event
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

/// Whether an attempt did no more than find everything as the last one left it.
fn confirms(ks: &Kustomization, progress: &Progress) -> bool {
    let Some(status) = &ks.status else { return false };
    let last = status.history.first();
    !progress.changed
        && status.last_applied_revision == progress.attempted_revision
        && last.is_some_and(|last| {
            last.last_reconciled_status == SUCCEEDED
                && Some(&last.digest) == progress.build_digest.as_ref()
        })
}

fn is_true(conditions: &Conditions, kind: &str) -> bool {
    conditions.get(kind).is_some_and(|condition| condition.status == "True")
}

/// Puts a run at the head of the history; a run like one that is there already counts it up.
fn remember(
    status: &mut KustomizationStatus,
    progress: &Progress,
    outcome: &str,
    took: Duration,
    now: Timestamp,
) {
    let Some(digest) = &progress.build_digest else { return };
    let mut history = std::mem::take(&mut status.history);
    let like = |old: &ReconciliationSnapshot| {
        old.digest == *digest && old.last_reconciled_status == outcome
    };
    let standing = history.iter().position(like).map(|at| history.remove(at));
    let mut snapshot = ReconciliationSnapshot {
        digest: digest.clone(),
        first_reconciled: standing.as_ref().map_or(Time(now), |old| old.first_reconciled.clone()),
        last_reconciled: Time(now),
        last_reconciled_duration: GoDuration(go_duration::format(took)),
        last_reconciled_status: outcome.to_owned(),
        metadata: BTreeMap::new(),
        total_reconciliations: standing.map_or(0, |old| old.total_reconciliations) + 1,
    };
    let revision = progress.attempted_revision.clone().unwrap_or_default();
    snapshot.metadata.insert("revision".to_owned(), revision);
    if let Some(origin) = &progress.origin_revision {
        snapshot.metadata.insert("originRevision".to_owned(), origin.clone());
    }
    history.insert(0, snapshot);
    history.truncate(HISTORY);
    status.history = history;
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use crd_types::Condition;
    use crd_types::kustomize::KustomizationSpec;
    use manifest::ObjectId;

    use super::super::progress::Tracked;
    use super::*;

    const NOON: Timestamp = Timestamp::constant(43_200, 0);
    const TIMING: Timing = Timing {
        interval: Duration::from_mins(10),
        retry: Duration::from_mins(2),
        timeout: Duration::from_mins(1),
        dependency: Duration::from_secs(5),
    };

    fn ks() -> Kustomization {
        let spec = KustomizationSpec { interval: "10m".into(), ..KustomizationSpec::default() };
        let mut ks = Kustomization::new("app", spec);
        ks.metadata.generation = Some(3);
        ks.metadata.annotations = Some([(REQUESTED_AT.to_owned(), "now".to_owned())].into());
        ks
    }

    /// An attempt that fetched the revision and applied one object.
    fn progress(ks: &Kustomization) -> Progress {
        let id = ObjectId::from_inventory_id("ns_web_apps_Deployment").unwrap();
        Progress {
            began: Instant::now(),
            step: Some(step(Phase::Apply)),
            attempted_revision: Some("main@sha1:a".to_owned()),
            inventory: Some(vec![Tracked { id, version: "v1".to_owned() }]),
            build_digest: Some("sha256:d".to_owned()),
            ..Progress::resume(ks)
        }
    }

    fn step(phase: Phase) -> Step {
        Step { phase, revision: "main@sha1:a".to_owned(), timeout: Duration::from_mins(1) }
    }

    fn conditions(status: &KustomizationStatus) -> Vec<String> {
        let print = |c: &Condition| format!("{}={} {}: {}", c.type_, c.status, c.reason, c.message);
        status.conditions.iter().map(print).collect()
    }

    #[test]
    fn success_says_the_revision_and_forgets_what_was_under_way() {
        let mut ks = ks();
        ks.status = Some(under_way(&ks, &progress(&ks), &step(Phase::Build), NOON));
        let verdict = verdict(&ks, &progress(&ks), &Ok(()), &TIMING, NOON);
        assert_eq!(
            conditions(&verdict.status),
            ["Ready=True ReconciliationSucceeded: Applied revision: main@sha1:a"]
        );
        assert_eq!(verdict.status.observed_generation, Some(3));
        assert_eq!(verdict.status.last_applied_revision.as_deref(), Some("main@sha1:a"));
        assert_eq!(verdict.status.last_handled_reconcile_at.as_deref(), Some("now"));
        assert_eq!(verdict.status.inventory.unwrap().entries[0].id, "ns_web_apps_Deployment");
        assert_eq!(verdict.next, Next::Interval(TIMING.interval));
        let event = verdict.event.unwrap();
        assert!(event.message.ends_with(", next run in 10m0s"), "{}", event.message);
        assert_eq!(event.metadata[COMMIT_STATUS_KEY], "update");
    }

    #[test]
    fn what_waits_is_looked_at_in_time_whatever_becomes_of_the_rest() {
        let ks = ks();
        let waiting =
            |seconds| Progress { come_back: Some(Duration::from_secs(seconds)), ..progress(&ks) };
        let failed = || Err(Halt::Unhealthy { message: "no".to_owned(), after: TIMING.timeout });
        let next = |end, seconds| verdict(&ks, &waiting(seconds), &end, &TIMING, NOON).next;
        assert_eq!(next(Ok(()), 5), Next::After(Duration::from_secs(5)));
        assert_eq!(next(failed(), 5), Next::After(Duration::from_secs(5)));
        assert_eq!(next(Ok(()), 3600), Next::Interval(TIMING.interval));
        assert_eq!(next(failed(), 3600), Next::After(TIMING.retry));
    }

    #[test]
    fn a_failure_keeps_the_step_to_be_read_and_the_generation_behind() {
        let ks = ks();
        let halt = Halt::Apply { message: "no\n".to_owned() };
        let verdict = verdict(&ks, &progress(&ks), &Err(halt), &TIMING, NOON);
        assert_eq!(
            conditions(&verdict.status),
            [
                "Reconciling=True ProgressingWithRetry: Detecting drift for revision main@sha1:a \
                 with a timeout of 1m0s",
                "Ready=False ReconciliationFailed: no\n",
            ]
        );
        assert_eq!(verdict.status.observed_generation, Some(-1));
        assert_eq!(verdict.status.history[0].last_reconciled_status, "ReconciliationFailed");
        assert_eq!(verdict.next, Next::After(TIMING.retry));
        assert_eq!(verdict.event.unwrap().severity, Severity::Error);
    }

    #[test]
    fn what_passes_by_itself_is_tried_again_soon() {
        let ks = ks();
        let halt = Halt::Disturbed { message: "cannot reach the API server".to_owned() };
        let verdict = verdict(&ks, &progress(&ks), &Err(halt), &TIMING, NOON);
        assert_eq!(verdict.next, Next::After(PASSING));
        assert_eq!(verdict.event.unwrap().reason, "ReconciliationFailed");
    }

    #[test]
    fn what_only_an_edit_can_mend_is_not_tried_again() {
        let ks = ks();
        let halt = Halt::Stalled { reason: "AccessDenied", message: "no".to_owned() };
        let verdict = verdict(&ks, &Progress::resume(&ks), &Err(halt), &TIMING, NOON);
        assert_eq!(
            conditions(&verdict.status),
            ["Stalled=True AccessDenied: no", "Ready=False AccessDenied: no"]
        );
        assert_eq!(verdict.status.observed_generation, Some(3));
        assert_eq!(verdict.next, Next::Await);
    }

    #[test]
    fn waiting_for_a_source_is_no_news() {
        let ks = ks();
        let halt = Halt::NoArtifact { retry_in: TIMING.dependency };
        let verdict = verdict(&ks, &Progress::resume(&ks), &Err(halt), &TIMING, NOON);
        assert_eq!(
            conditions(&verdict.status),
            ["Ready=False ArtifactFailed: Source artifact not found, retrying in 5s"]
        );
        assert_eq!(verdict.event, None);
        assert_eq!(verdict.next, Next::After(TIMING.dependency));
    }

    #[test]
    fn failed_health_is_told_twice_but_the_time_once() {
        let ks = ks();
        let halt =
            Halt::Unhealthy { message: "timeout".to_owned(), after: Duration::from_secs(30) };
        let verdict = verdict(&ks, &progress(&ks), &Err(halt), &TIMING, NOON);
        let conditions = conditions(&verdict.status);
        assert!(conditions.contains(&"Healthy=False HealthCheckFailed: timeout".to_owned()));
        assert!(conditions.contains(
            &"Ready=False HealthCheckFailed: health check failed after 30s: timeout".to_owned()
        ));
    }

    #[test]
    fn a_run_that_only_confirms_what_stands_writes_nothing() {
        let mut ks = ks();
        let healthy = |seconds, ks: &Kustomization| Progress {
            health: Health::Passed(Duration::from_secs(seconds)),
            ..progress(ks)
        };
        ks.status = Some(verdict(&ks, &healthy(5, &ks), &Ok(()), &TIMING, NOON).status);
        let later = NOON + jiff::SignedDuration::from_hours(1);
        let again = verdict(&ks, &healthy(1, &ks), &Ok(()), &TIMING, later).status;
        assert_eq!(Some(&again), ks.status.as_ref());

        let drifted = Progress { changed: true, ..healthy(1, &ks) };
        let counted = verdict(&ks, &drifted, &Ok(()), &TIMING, later).status;
        assert_eq!(counted.history[0].total_reconciliations, 2);
        ks.metadata.annotations = Some([(REQUESTED_AT.to_owned(), "later".to_owned())].into());
        let asked = verdict(&ks, &healthy(1, &ks), &Ok(()), &TIMING, later).status;
        assert_eq!(asked.history[0].total_reconciliations, 2);
    }

    #[test]
    fn runs_alike_are_one_entry_of_the_history() {
        let mut ks = ks();
        for _ in 0..2 {
            let drifted = Progress { changed: true, ..progress(&ks) };
            ks.status = Some(verdict(&ks, &drifted, &Ok(()), &TIMING, NOON).status);
        }
        let other = Progress { build_digest: Some("sha256:e".to_owned()), ..progress(&ks) };
        ks.status = Some(verdict(&ks, &other, &Ok(()), &TIMING, NOON).status);
        let history = &ks.status.as_ref().unwrap().history;
        let counts: Vec<_> =
            history.iter().map(|entry| (&*entry.digest, entry.total_reconciliations)).collect();
        assert_eq!(counts, [("sha256:e", 1), ("sha256:d", 2)]);
    }

    #[test]
    fn an_early_halt_keeps_the_inventory() {
        let mut ks = ks();
        ks.status = Some(verdict(&ks, &progress(&ks), &Ok(()), &TIMING, NOON).status);
        let halt =
            Halt::SourceNotFound { kind: "GitRepository".to_owned(), name: "app".to_owned() };
        let verdict = verdict(&ks, &Progress::resume(&ks), &Err(halt), &TIMING, NOON);
        assert_eq!(verdict.status.inventory.unwrap().entries.len(), 1);
        assert_eq!(
            verdict.status.conditions[0].message,
            "GitRepository.source.toolkit.fluxcd.io \"app\" not found"
        );
    }
}
