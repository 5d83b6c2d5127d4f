//! Outages as an alert sees them: what is told, and what is not.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use alert_incident::{Budget, Failure, Grouping, Incidents, ObjectKey, Part, Sight, Told};
use event_api::Event;
use fuzz_input::{check, produce};
use serde_json::json;

const NO_HOST: &str = "failed to fetch: dial tcp: lookup charts.example.com: no such host";

/// An alert's incidents, with a clock.
struct Alert {
    incidents: Incidents,
    now: Instant,
}

impl Alert {
    fn new(grouping: Grouping, hold: u64) -> Self {
        let hold = Duration::from_secs(hold);
        Self { incidents: Incidents::new(grouping, hold), now: Instant::now() }
    }

    fn pass(&mut self, seconds: u64) -> Vec<Event> {
        self.passing(seconds).into_iter().map(|told| told.event).collect()
    }

    fn passing(&mut self, seconds: u64) -> Vec<Told> {
        self.now += Duration::from_secs(seconds);
        self.incidents.due(self.now)
    }

    fn hears(&mut self, event: &Event, causes: &[&str]) -> Option<Event> {
        self.tells(event, causes).map(|told| told.event)
    }

    fn tells(&mut self, event: &Event, causes: &[&str]) -> Option<Told> {
        let causes: Vec<_> = causes.iter().map(|path| key(path)).collect();
        self.incidents.take(event, &causes, self.now)
    }

    fn fails(&mut self, path: &str, message: &str, causes: &[&str]) -> Option<Event> {
        self.hears(&event(path, "error", "Failed", message), causes)
    }

    fn waits(&mut self, path: &str, causes: &[&str]) -> Option<Event> {
        self.hears(&event(path, "info", "DependencyNotReady", "wait"), causes)
    }

    fn is_well(&mut self, path: &str) -> Option<Event> {
        self.hears(&event(path, "info", "ReconciliationSucceeded", "done"), &[])
    }
}

fn parts(path: &str) -> (&str, &str) {
    path.split_once('/').unwrap()
}

fn key(path: &str) -> ObjectKey {
    let (kind, name) = parts(path);
    ObjectKey::new(kind, "apps", name)
}

fn event(path: &str, severity: &str, reason: &str, message: &str) -> Event {
    let (kind, name) = parts(path);
    serde_json::from_value(json!({
        "involvedObject": {"kind": kind, "namespace": "apps", "name": name},
        "severity": severity, "reason": reason, "message": message,
    }))
    .unwrap()
}

#[test]
fn three_hundred_failures_that_say_the_same_are_told_once_and_resolved_once() {
    let mut alert = Alert::new(Grouping::ByCause, 0);
    let mut told = Vec::new();
    for n in 0..300 {
        told.extend(alert.fails(&format!("HelmRepository/r{n}"), NO_HOST, &[]));
    }
    alert.pass(330);
    for n in 0..300 {
        told.extend(alert.is_well(&format!("HelmRepository/r{n}")));
    }
    assert_eq!(told.len(), 2, "{told:#?}");
    assert_eq!((told[0].message.as_str(), told[0].is_error()), (NO_HOST, true));
    assert_eq!((told[1].reason.as_str(), told[1].is_error()), ("IncidentResolved", false));
    assert_eq!(
        told[1].message,
        format!(
            "Resolved after 5m30s: 300 objects (HelmRepository/apps/r0, HelmRepository/apps/r1, \
             HelmRepository/apps/r10, HelmRepository/apps/r100, HelmRepository/apps/r101 and 295 \
             more) are well again. It began with: {NO_HOST}"
        )
    );
    assert_eq!(
        told[0].metadata["event.toolkit.fluxcd.io/incident"],
        told[1].metadata["event.toolkit.fluxcd.io/incident"]
    );
}

#[test]
fn a_failing_source_silences_what_waits_for_it() {
    let mut alert = Alert::new(Grouping::ByCause, 0);
    assert!(alert.fails("GitRepository/fleet", "timeout", &[]).is_some());
    assert!(alert.fails("Kustomization/a", "no artifact", &["GitRepository/fleet"]).is_none());
    // Not of the source itself, but of one that waits for it.
    assert!(alert.waits("Kustomization/b", &["Kustomization/a", "GitRepository/other"]).is_none());
    assert!(alert.waits("Kustomization/c", &["Kustomization/b"]).is_none());
    assert!(alert.fails("Kustomization/x", "bad patch", &["GitRepository/other"]).is_some());
    assert_eq!(alert.is_well("GitRepository/fleet").unwrap().reason, "IncidentResolved");
    // What recovers with it has been told of.
    for name in ["a", "b", "c"] {
        assert!(alert.is_well(&format!("Kustomization/{name}")).is_none(), "{name}");
        assert!(alert.is_well(&format!("Kustomization/{name}")).is_some(), "{name}: news again");
    }
    assert_eq!(alert.is_well("Kustomization/x").unwrap().reason, "IncidentResolved");
}

#[test]
fn what_is_done_about_a_failure_does_not_end_it() {
    let release = "HelmRelease/web";
    for (failed, steps, end) in [
        ("UpgradeFailed", &["RollbackSucceeded", "DriftCorrected"][..], "UpgradeSucceeded"),
        ("InstallFailed", &["UninstallSucceeded", "PendingRelease"], "InstallSucceeded"),
        ("HealthCheckFailed", &["HealthCheckCanceled"], "ReconciliationSucceeded"),
        ("TestFailed", &["RollbackSucceeded", "UpgradeSucceeded"], "TestSucceeded"),
        ("DriftDetected", &["HealthCheckCanceled"], "DriftCorrected"),
    ] {
        let mut alert = Alert::new(Grouping::ByCause, 0);
        let says = |severity: &str, reason: &str| event(release, severity, reason, "said");
        let opening = alert.tells(&says("error", failed), &[]).unwrap();
        let Part::Opening(id) = opening.part else { panic!("{opening:?}") };
        for _retry in 0..3 {
            for step in steps {
                assert!(alert.tells(&says("info", step), &[]).is_none(), "{failed}, {step}");
            }
            assert!(alert.tells(&says("trace", "Any"), &[]).is_none());
            assert!(alert.tells(&says("error", failed), &[]).is_none(), "{failed} again");
        }
        assert_eq!(alert.tells(&says("info", end), &[]).unwrap().part, Part::End(id), "{end}");
        // Of one that is well they are news.
        for step in steps {
            assert_eq!(alert.tells(&says("info", step), &[]).unwrap().part, Part::Alone);
        }
    }
    let mut plain = Alert::new(Grouping::ByObject, 60);
    let rolled_back = event(release, "info", "RollbackSucceeded", "said");
    assert!(plain.fails(release, "timeout", &[]).is_none());
    assert!(plain.hears(&rolled_back, &[]).is_none(), "nobody knows of the failure");
    assert_eq!(plain.pass(60).len(), 1, "it lasts");
    assert!(plain.hears(&rolled_back, &[]).is_some(), "as in Flux");
}

#[test]
fn what_became_well_without_a_word_is_seen_to_be() {
    let mut alert = Alert::new(Grouping::ByCause, 0);
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let (a, b) = (key("HelmRelease/a"), key("HelmRelease/b"));
    let failed = |alert: &mut Alert, path: &str| {
        let mut failed = event(path, "error", "UpgradeFailed", "timed out");
        failed.timestamp = Some(at("2026-01-02T03:04:05Z"));
        alert.tells(&failed, &[])
    };
    let opening = failed(&mut alert, "HelmRelease/a").unwrap();
    let Part::Opening(id) = opening.part else { panic!("{opening:?}") };
    failed(&mut alert, "HelmRelease/b");
    let (before, after) = (at("2026-01-02T03:04:04Z"), at("2026-01-02T03:05:00Z"));
    alert.pass(119);
    assert_eq!(alert.incidents.silent(alert.now).count(), 0);
    assert!(alert.incidents.see(&a, Sight::Gone, alert.now).is_none(), "it has just spoken");
    alert.pass(1);
    assert_eq!(alert.incidents.silent(alert.now).count(), 2);
    assert!(alert.incidents.see(&a, Sight::Ready(before), alert.now).is_none());
    assert!(alert.incidents.see(&a, Sight::Ready(after), alert.now).is_none(), "not all of it");
    assert!(alert.incidents.see(&b, Sight::Unwell, alert.now).is_none());
    assert_eq!(alert.incidents.silent(alert.now).count(), 0);
    alert.pass(600);
    assert!(alert.incidents.is_open(id), "neither was what denies no failure");
    let end = alert.incidents.see(&b, Sight::Ready(after), alert.now).unwrap();
    assert_eq!((end.part, end.event.timestamp), (Part::End(id), Some(after)));
    let again = failed(&mut alert, "HelmRelease/a").unwrap();
    assert!(matches!(again.part, Part::Opening(_)), "silenced by nothing");
    alert.pass(120);
    let gone = alert.incidents.see(&a, Sight::Gone, alert.now).unwrap().event.message;
    assert!(gone.starts_with("Resolved after 2m0s: it is gone."), "{gone}");
    let mut held = Alert::new(Grouping::ByObject, 300);
    assert!(held.fails("HelmRelease/a", "timed out", &[]).is_none());
    held.pass(120);
    assert!(held.incidents.see(&a, Sight::Ready(after), held.now).is_none());
    assert!(held.pass(300).is_empty(), "it did not last");
}

#[test]
fn those_that_wait_may_fail_before_what_they_wait_for() {
    let mut alert = Alert::new(Grouping::ByCause, 60);
    assert!(alert.fails("Kustomization/a", "no artifact for a", &["GitRepository/g"]).is_none());
    assert!(alert.fails("HelmChart/b", "no chart", &["GitRepository/g"]).is_none());
    assert!(alert.fails("GitRepository/g", "timeout", &[]).is_none());
    let due = alert.pass(60);
    assert_eq!(due.len(), 1, "{due:#?}");
    assert_eq!((due[0].message.as_str(), due[0].involved_object.name.as_str()), ("timeout", "g"));
    assert_eq!(
        due[0].metadata["event.toolkit.fluxcd.io/affected"],
        "3 objects (GitRepository/apps/g, HelmChart/apps/b, Kustomization/apps/a)"
    );
    assert_eq!(alert.is_well("GitRepository/g").unwrap().reason, "IncidentResolved");
}

#[test]
fn what_does_not_last_is_not_told() {
    for grouping in [Grouping::ByCause, Grouping::ByObject] {
        let mut alert = Alert::new(grouping, 120);
        assert!(alert.fails("Kustomization/a", "timeout", &[]).is_none());
        assert!(alert.pass(119).is_empty());
        assert!(alert.is_well("Kustomization/a").is_none());
        assert!(alert.pass(10).is_empty());
        assert!(alert.is_well("Kustomization/a").is_some(), "news of one that is well");
        assert_eq!(alert.incidents.next_due(), None);
    }
}

#[test]
fn without_groups_each_object_is_told_as_in_flux_but_later() {
    let mut alert = Alert::new(Grouping::ByObject, 120);
    for name in ["a", "b"] {
        assert!(alert.fails(&format!("Kustomization/{name}"), NO_HOST, &[]).is_none());
    }
    assert!(alert.fails("Kustomization/a", "something else", &[]).is_none());
    assert_eq!(alert.incidents.next_due(), Some(alert.now + Duration::from_mins(2)));
    let due: Vec<_> = alert.pass(120).into_iter().map(|event| event.message).collect();
    assert_eq!(due, ["something else", NO_HOST]);
    assert!(alert.fails("Kustomization/a", "a third one", &[]).is_some());
    assert_eq!(alert.is_well("Kustomization/a").unwrap().reason, "ReconciliationSucceeded");
}

#[test]
fn one_that_is_never_heard_of_again_does_not_last_for_ever() {
    let mut alert = Alert::new(Grouping::ByCause, 0);
    assert!(alert.fails("Kustomization/a", "timeout", &[]).is_some());
    assert!(alert.fails("Kustomization/b", "timeout", &[]).is_none());
    alert.pass(24 * 3600);
    assert!(alert.fails("Kustomization/b", "timeout", &[]).is_some(), "a new incident");
}

#[test]
fn more_than_can_be_remembered_is_told_as_it_is() {
    let mut alert = Alert::new(Grouping::ByCause, 0);
    for n in 0..50_000 {
        alert.fails(&format!("HelmRelease/r{n}"), NO_HOST, &[]);
    }
    let one_more = event("HelmRelease/last", "error", "Failed", NO_HOST);
    assert_eq!(alert.hears(&one_more, &[]), Some(one_more));
}

#[test]
fn incidents_of_all_alerts_have_one_budget_and_give_it_back() {
    let budget = Arc::new(Budget::of(210_000));
    let long = "word ".repeat(10_000);
    let mut alerts: Vec<_> = (0..2).map(|_| Alert::new(Grouping::ByCause, 60)).collect();
    for alert in &mut alerts {
        alert.incidents =
            Incidents::new(Grouping::ByCause, Duration::from_mins(1)).within(Arc::clone(&budget));
    }
    let failed = |n: usize| {
        let mut failed = event(&format!("K/{n}"), "error", "Failed", &long);
        failed.message.push_str(&"x".repeat(n));
        failed
    };
    for round in 0..20 {
        let mut refused = 0;
        for n in 0..5 {
            for alert in &mut alerts {
                let told = alert.tells(&failed(n), &["K/cause"]);
                refused += usize::from(told.is_some_and(|it| it.part == Part::Unremembered));
            }
        }
        assert_eq!(refused, 5, "round {round}");
        let mut openings = 0;
        for alert in &mut alerts {
            for opening in alert.pass(60) {
                assert!(opening.message.len() < 40_000, "{}", opening.message.len());
                openings += 1;
            }
            for n in 0..5 {
                let end = alert.is_well(&format!("K/{n}"));
                assert!(end.is_some_and(|end| end.message.len() < 5_000));
            }
        }
        assert_eq!(openings, 5);
    }
    // What was told needs little.
    let mut alert = Alert::new(Grouping::ByCause, 0);
    alert.incidents = Incidents::new(Grouping::ByCause, Duration::ZERO).within(budget);
    for n in 0..30 {
        assert!(matches!(alert.tells(&failed(n), &[]).unwrap().part, Part::Opening(_)), "{n}");
    }
    let mut large = failed(31);
    large.metadata.insert("event.toolkit.fluxcd.io/x".to_owned(), long.clone());
    assert_eq!(alert.tells(&large, &[]).unwrap().part, Part::Unremembered);
}

#[test]
fn what_comes_to_an_incident_is_gathered_and_told_as_news() {
    let mut alert = Alert::new(Grouping::ByCause, 0);
    let failed = |path: &str| event(path, "error", "Failed", "timeout");
    let opening = alert.tells(&failed("GitRepository/fleet"), &[]).unwrap();
    let Part::Opening(id) = opening.part else { panic!("{opening:?}") };
    for n in 0..7 {
        alert.waits(&format!("Kustomization/{n}"), &["GitRepository/fleet"]);
    }
    // Well again before anybody was told of it.
    alert.is_well("Kustomization/0");
    assert!(alert.pass(29).is_empty());
    let news = alert.passing(1);
    assert_eq!(news.len(), 1, "{news:#?}");
    assert_eq!(news[0].part, Part::News(id));
    assert_eq!(
        news[0].event.message,
        "It lasts: 8 objects are affected by now. New: Kustomization/apps/1, Kustomization/apps/2, \
         Kustomization/apps/3, Kustomization/apps/4, Kustomization/apps/5 and 1 more"
    );
    assert_eq!(news[0].event.metadata, opening.event.metadata);
    assert!(alert.pass(60).is_empty(), "nothing more has come");
    alert.waits("Kustomization/late", &["GitRepository/fleet"]);
    alert.is_well("Kustomization/late");
    assert!(alert.pass(60).is_empty(), "nothing is new that is well");
    let over = event("GitRepository/fleet", "info", "GitOperationSucceeded", "stored");
    assert_eq!(alert.tells(&over, &[]).unwrap().part, Part::End(id));
    assert!(!alert.incidents.is_open(id) && alert.incidents.next_due().is_none());
}

#[test]
fn an_opening_that_did_not_arrive_is_told_with_the_next_failure() {
    let mut alert = Alert::new(Grouping::ByCause, 0);
    let failed = |path: &str| event(path, "error", "Failed", NO_HOST);
    let Some(Told { part: Part::Opening(id), .. }) = alert.tells(&failed("K/a"), &[]) else {
        panic!("no opening")
    };
    alert.incidents.unheard(id);
    let again = alert.tells(&failed("K/b"), &[]).unwrap();
    assert_eq!(again.part, Part::Opening(id));
    assert_eq!(
        again.event.metadata["event.toolkit.fluxcd.io/affected"],
        "2 objects (K/apps/a, K/apps/b)"
    );
    assert!(alert.hears(&failed("K/a"), &[]).is_none(), "it was told");
    alert.incidents.unheard(id);
    assert_eq!(alert.tells(&failed("K/a"), &[]).unwrap().part, Part::Opening(id));
    // Even if nobody heard of its beginning, its end says what it was.
    alert.incidents.unheard(id);
    assert!(alert.is_well("K/a").is_none());
    assert_eq!(alert.is_well("K/b").unwrap().reason, "IncidentResolved");
    alert.incidents.unheard(id);
}

/// An object that is not well when a process begins.
fn failure(path: &str, message: &str, causes: &[&str], age: u64, was_told: bool) -> Failure {
    let (severity, reason) = match message {
        "wait" => ("info", "DependencyNotReady"),
        _ => ("error", "Failed"),
    };
    Failure {
        event: event(path, severity, reason, message),
        causes: causes.iter().map(|path| key(path)).collect(),
        age: Duration::from_secs(age),
        was_told,
    }
}

#[test]
fn a_new_process_goes_on_with_what_failed_before_it() {
    let mut alert = Alert::new(Grouping::ByCause, 0);
    alert.now += Duration::from_hours(1);
    let source = "GitRepository/fleet";
    let mut failures = vec![failure(source, "timeout", &[], 300, true)];
    failures.push(failure("Kustomization/z", "wait", &["Kustomization/a"], 600, true));
    for name in ["a", "b", "c"] {
        failures.push(failure(&format!("Kustomization/{name}"), "wait", &[source], 200, true));
    }
    alert.incidents.restore(failures, alert.now);
    assert!(alert.pass(60).is_empty(), "it was told");
    assert!(alert.fails(source, "timeout", &[]).is_none());
    let over = alert.is_well(source).unwrap();
    assert!(over.message.starts_with("Resolved after 11m0s: 5 objects ("), "{}", over.message);
    for name in ["a", "b", "c", "z"] {
        assert!(alert.is_well(&format!("Kustomization/{name}")).is_none(), "{name}");
    }
}

#[test]
fn what_failed_while_there_was_no_process_is_told() {
    for (grouping, hold, told, later) in [
        (Grouping::ByCause, 0, 1, 0),
        (Grouping::ByCause, 120, 0, 1),
        // One of them has lasted long enough by then.
        (Grouping::ByObject, 120, 0, 1),
    ] {
        let mut alert = Alert::new(grouping, hold);
        alert.now += Duration::from_hours(1);
        let unheard = failure("GitRepository/a", NO_HOST, &[], 60, false);
        alert.incidents.restore(vec![unheard, failure("K/b", NO_HOST, &[], 5, false)], alert.now);
        assert_eq!(alert.pass(0).len(), told, "{grouping:?} {hold}");
        assert_eq!(alert.pass(60).len(), later, "{grouping:?} {hold}");
        let resolved = alert.is_well("GitRepository/a").into_iter().chain(alert.is_well("K/b"));
        let reasons: Vec<_> = resolved.map(|event| event.reason).collect();
        match grouping {
            Grouping::ByCause => assert_eq!(reasons, ["IncidentResolved"]),
            Grouping::ByObject => assert_eq!(reasons, ["ReconciliationSucceeded"], "as in Flux"),
        }
    }
}

#[test]
fn one_that_is_not_well_for_days_is_not_forgotten_at_once() {
    let mut alert = Alert::new(Grouping::ByCause, 0);
    alert.now += Duration::from_hours(100);
    let old = failure("K/a", NO_HOST, &[], 72 * 3600, true);
    alert.incidents.restore(vec![old], alert.now);
    assert!(alert.pass(3600).is_empty());
    assert_eq!(alert.is_well("K/a").unwrap().reason, "IncidentResolved");
}

/// Whatever happens in whatever order: when all is well, no incident is left, and each one that was
/// told was resolved.
#[test]
fn all_incidents_end() {
    let steps = produce::<Vec<(u8, u8, u8, u8)>>().with().len(0..60_usize);
    check(500).with_generator(steps).for_each(|steps| {
        let mut alert = Alert::new(Grouping::ByCause, 30);
        let mut told = Vec::new();
        for (what, object, cause, seconds) in steps {
            let path = |number: &u8| format!("K/{}", number % 9);
            let message = "said ".repeat(usize::from(*object % 9));
            let (object, cause) = (path(object), path(cause));
            told.extend(alert.pass(u64::from(seconds % 40)));
            told.extend(match what % 4 {
                0 | 1 => alert.fails(&object, &message, &[&cause]),
                2 => alert.waits(&object, &[&cause]),
                _ => alert.is_well(&object),
            });
        }
        for round in 0..2 {
            for n in 0..9 {
                told.extend(alert.is_well(&format!("K/{n}")));
            }
            assert_eq!(alert.incidents.next_due(), None, "round {round}");
        }
        let is_opening = |event: &&Event| event.is_error() && event.reason != "IncidentOngoing";
        let opened = told.iter().filter(is_opening).count();
        let resolved = told.iter().filter(|event| event.reason == "IncidentResolved").count();
        assert_eq!(opened, resolved, "{told:#?}");
    });
}
