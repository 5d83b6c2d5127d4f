//! Every state, and what follows from it.
#![expect(clippy::unwrap_used, reason = "what tests share fails as tests do")]

use crd_types::helm::Snapshot;
use helm_release::{
    Counters, Decision, Desired, Drift, Intent, IntentAction, OutOfSync, Record, ReleaseAction,
    Remedy, State, Status, Strategy, Terminal, TestPolicy, config_digest, decide, observe,
    snapshot,
};

const ALL_STATUSES: [Status; 9] = [
    Status::Unknown,
    Status::Deployed,
    Status::Uninstalled,
    Status::Superseded,
    Status::Failed,
    Status::Uninstalling,
    Status::PendingInstall,
    Status::PendingUpgrade,
    Status::PendingRollback,
];

fn record(version: i64, status: Status) -> Record {
    let text = format!(
        r#"{{"name":"app","namespace":"ns","version":{version},"chart":{{"metadata":{{"name":"demo","version":"1.0.0"}}}}}}"#
    );
    let mut record: Record = serde_json::from_str(&text).unwrap();
    record.info.status = status;
    record
}

fn wanted() -> Desired {
    Desired {
        chart_name: "demo".to_owned(),
        chart_version: "1.0.0".to_owned(),
        config_digest: config_digest(&serde_json::Map::new()),
        ..Desired::default()
    }
}

fn intent(action: IntentAction, done: bool) -> Intent {
    Intent {
        action,
        started_at: "2026-01-01T00:00:00Z".to_owned(),
        from: None,
        made_by: None,
        failure: None,
        done,
    }
}

fn seen(record: &Record, history: &[Snapshot]) -> State {
    observe(Some(record), history, &wanted(), TestPolicy::default(), Drift::None).unwrap()
}

#[test]
fn every_status_of_a_known_release_has_a_state() {
    for status in ALL_STATUSES {
        let record = record(1, status.clone());
        let history = [snapshot(&record, None, None)];
        let state = observe(Some(&record), &history, &wanted(), TestPolicy::default(), Drift::None);
        match status {
            Status::Deployed => assert_eq!(state, Ok(State::InSync)),
            Status::Failed => assert_eq!(state, Ok(State::Failed { tests: false })),
            Status::Uninstalled => assert!(matches!(state, Ok(State::Absent { .. }))),
            pending if pending.is_pending() => {
                assert_eq!(state, Ok(State::Locked { status: pending }));
            }
            odd => assert_eq!(
                state.unwrap_err().to_string(),
                format!("unable to determine state for release with status '{odd}'")
            ),
        }
    }
}

#[test]
fn a_release_without_history_is_absent_locked_or_unmanaged() {
    for status in ALL_STATUSES {
        let state = seen(&record(1, status.clone()), &[]);
        match status {
            Status::Uninstalled => assert!(matches!(state, State::Absent { .. })),
            status if status.is_pending() => assert!(matches!(state, State::Locked { .. })),
            _ => assert_eq!(state, State::Unmanaged { why: "found existing release in storage" }),
        }
    }
    let none = observe(None, &[], &wanted(), TestPolicy::default(), Drift::None).unwrap();
    assert_eq!(none, State::Absent { why: "no release in storage for object" });
}

#[test]
fn our_own_marks_are_known() {
    let mut pending = record(2, Status::PendingUpgrade);
    pending.intent = Some(intent(IntentAction::Upgrade, false));
    let wanted_one = State::Interrupted { action: IntentAction::Upgrade, is_wanted: true };
    assert_eq!(seen(&pending, &[]), wanted_one);
    pending.chart = None;
    let other = State::Interrupted { action: IntentAction::Upgrade, is_wanted: false };
    assert_eq!(seen(&pending, &[]), other);
    let mut done = record(2, Status::Deployed);
    done.intent = Some(intent(IntentAction::Upgrade, true));
    let older = snapshot(&record(1, Status::Deployed), None, None);
    let unrecorded = State::Unrecorded { action: IntentAction::Upgrade };
    assert_eq!(seen(&done, &[older]), unrecorded);
    assert_eq!(seen(&done, &[snapshot(&done, None, None)]), State::InSync);
    let reinstalled = snapshot(&record(2, Status::Uninstalled), None, None);
    assert_eq!(seen(&done, &[reinstalled]), unrecorded);

    // Killed while it was tested, before the status said that it is there.
    let mut testing = done;
    let made_by = Some(IntentAction::Upgrade);
    testing.intent = Some(Intent { made_by, ..intent(IntentAction::Test, false) });
    assert_eq!(seen(&testing, &[]), unrecorded);
    testing.intent = Some(Intent { made_by, ..intent(IntentAction::Test, true) });
    assert_eq!(seen(&testing, &[]), unrecorded);
    testing.intent = Some(intent(IntentAction::Test, true));
    assert!(matches!(seen(&testing, &[]), State::Unmanaged { .. }), "Helm made it");
    let known = [snapshot(&testing, None, None)];
    assert_eq!(seen(&testing, &known), State::InSync);
    let tests = TestPolicy { enabled: true, ignore_failures: false };
    let state = observe(Some(&testing), &known, &wanted(), tests, Drift::None).unwrap();
    assert_eq!(state, State::Unrecorded { action: IntentAction::Test });

    let mut going = record(2, Status::Uninstalling);
    going.intent = Some(intent(IntentAction::Uninstall, false));
    let interrupted = State::Interrupted { action: IntentAction::Uninstall, is_wanted: true };
    assert_eq!(seen(&going, &[]), interrupted);
}

#[test]
fn what_differs_is_named_in_fluxs_order() {
    let record = record(1, Status::Deployed);
    let history = [snapshot(&record, None, None)];
    let state = |change: fn(&mut Desired)| {
        let mut desired = wanted();
        change(&mut desired);
        observe(Some(&record), &history, &desired, TestPolicy::default(), Drift::Found).unwrap()
    };
    assert_eq!(state(|d| d.chart_version.push('1')), State::OutOfSync(OutOfSync::Chart));
    assert_eq!(state(|d| d.config_digest.push('1')), State::OutOfSync(OutOfSync::Values));
    let renderers = state(|d| d.post_renderers_changed = true);
    assert_eq!(renderers, State::OutOfSync(OutOfSync::PostRenderers));
    let metadata = state(|d| d.common_metadata_changed = true);
    assert_eq!(metadata, State::OutOfSync(OutOfSync::CommonMetadata));
    assert_eq!(state(|_| {}), State::Drifted);
    let mut changed = record.clone();
    changed.manifest.push('x');
    let unmanaged = State::Unmanaged { why: "release digest verification error" };
    assert_eq!(seen(&changed, &history), unmanaged);
}

fn remediate(retries: i64, last: bool, remedy: Remedy) -> Strategy {
    Strategy::Remediate {
        retries,
        remediate_last_failure: last,
        ignore_test_failures: false,
        remedy,
    }
}

fn counters(strategy: Strategy, failures: i64, last: Option<ReleaseAction>) -> Counters {
    Counters {
        install: strategy,
        upgrade: strategy,
        install_failures: failures,
        upgrade_failures: failures,
        last,
        is_forced: false,
        corrects_drift: false,
    }
}

#[test]
fn a_failure_is_met_as_the_strategy_says() {
    let failed = State::Failed { tests: false };
    let history = [
        snapshot(&record(3, Status::Failed), None, None),
        snapshot(&record(1, Status::Superseded), None, None),
        snapshot(&record(2, Status::Superseded), None, None),
    ];
    let upgrade = Decision::Upgrade { forget_history: false };
    let last = Some(ReleaseAction::Upgrade);
    let retry = Strategy::Retry { interval: std::time::Duration::from_secs(1) };
    let roll = |retries, last| remediate(retries, last, Remedy::Rollback);
    for (strategy, failures, last, want) in [
        (roll(0, false), 1, None, upgrade),
        (roll(0, false), 0, last, upgrade),
        (roll(0, false), 1, last, Decision::Stop(Terminal::Remedy)),
        (roll(0, true), 1, last, Decision::Rollback { to: 2 }),
        (roll(1, false), 1, last, Decision::Rollback { to: 2 }),
        (roll(-1, false), 99, last, Decision::Rollback { to: 2 }),
        (remediate(1, false, Remedy::Uninstall), 1, last, Decision::UninstallRemedy),
        (retry, 99, last, upgrade),
    ] {
        assert_eq!(decide(&failed, &history, &counters(strategy, failures, last)), want);
    }
    let none = decide(&failed, &history[..1], &counters(roll(1, false), 1, last));
    assert_eq!(none, Decision::Stop(Terminal::NoRollbackTarget));
    let forced = Counters { is_forced: true, ..counters(roll(0, false), 9, last) };
    assert_eq!(decide(&failed, &history, &forced), upgrade);
}

#[test]
fn retries_end_unless_a_person_asks() {
    let spent = counters(remediate(1, false, Remedy::Rollback), 2, None);
    let forced = Counters { is_forced: true, ..spent };
    let absent = State::Absent { why: "" };
    let changed = State::OutOfSync(OutOfSync::Values);
    assert_eq!(decide(&absent, &[], &spent), Decision::Stop(Terminal::Install));
    assert_eq!(decide(&absent, &[], &forced), Decision::Install);
    assert_eq!(decide(&changed, &[], &spent), Decision::Stop(Terminal::Upgrade));
    assert_eq!(decide(&changed, &[], &forced), Decision::Upgrade { forget_history: false });
    assert_eq!(decide(&State::InSync, &[], &spent), Decision::Nothing);
    assert_eq!(decide(&State::InSync, &[], &forced), Decision::Upgrade { forget_history: false });
    assert_eq!(decide(&State::Drifted, &[], &spent), Decision::ReportDrift);
    let corrects = Counters { corrects_drift: true, ..spent };
    assert_eq!(decide(&State::Drifted, &[], &corrects), Decision::CorrectDrift);
    assert_eq!(decide(&State::Untested, &[], &spent), Decision::Test);
    let locked = State::Locked { status: Status::PendingUpgrade };
    assert_eq!(decide(&locked, &[], &spent), Decision::Unlock);
    let unmanaged = State::Unmanaged { why: "" };
    assert_eq!(decide(&unmanaged, &[], &spent), Decision::Upgrade { forget_history: true });
}
