//! Outages as an alert sees them: what is told, and what is not.

#![expect(clippy::unwrap_used, reason = "the helpers of tests may fail as tests do")]

use std::time::{Duration, Instant};

use alert_incident::{Grouping, Incidents, ObjectKey};
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
        self.now += Duration::from_secs(seconds);
        self.incidents.due(self.now)
    }

    fn hears(&mut self, event: &Event, causes: &[&str]) -> Option<Event> {
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
    assert_eq!(told[0].metadata["incident"], told[1].metadata["incident"]);
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
fn those_that_wait_may_fail_before_what_they_wait_for() {
    let mut alert = Alert::new(Grouping::ByCause, 60);
    assert!(alert.fails("Kustomization/a", "no artifact for a", &["GitRepository/g"]).is_none());
    assert!(alert.fails("HelmChart/b", "no chart", &["GitRepository/g"]).is_none());
    assert!(alert.fails("GitRepository/g", "timeout", &[]).is_none());
    let due = alert.pass(60);
    assert_eq!(due.len(), 1, "{due:#?}");
    assert_eq!((due[0].message.as_str(), due[0].involved_object.name.as_str()), ("timeout", "g"));
    assert_eq!(
        due[0].metadata["affected"],
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
        let opened = told.iter().filter(|event| event.is_error()).count();
        let resolved = told.iter().filter(|event| event.reason == "IncidentResolved").count();
        assert_eq!(opened, resolved, "{told:#?}");
    });
}
