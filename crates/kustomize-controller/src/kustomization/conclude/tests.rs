use std::time::Instant;

use crd_types::Condition;
use crd_types::kustomize::KustomizationSpec;
use manifest::ObjectId;
use reconcile_loop::events::Severity;

use super::super::progress::Tracked;
use super::events::COMMIT_STATUS_KEY;
use super::retry::PASSING;
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
    let halt = Halt::Unhealthy { message: "timeout".to_owned(), after: Duration::from_secs(30) };
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
    let halt = Halt::SourceNotFound { kind: "GitRepository".to_owned(), name: "app".to_owned() };
    let verdict = verdict(&ks, &Progress::resume(&ks), &Err(halt), &TIMING, NOON);
    assert_eq!(verdict.status.inventory.unwrap().entries.len(), 1);
    assert_eq!(
        verdict.status.conditions[0].message,
        "GitRepository.source.toolkit.fluxcd.io \"app\" not found"
    );
}
