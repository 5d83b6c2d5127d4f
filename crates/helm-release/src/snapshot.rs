//! What Flux keeps of a record in `status.history`.

use std::collections::BTreeMap;

use crd_types::Time;
use crd_types::helm::{Snapshot, TestHookStatus};

use crate::digest::{config_digest, digest};
use crate::record::{HookEvent, HookPhase, Record, Status};

/// Version of the scheme by which digests are made.
pub const SNAPSHOT_VERSION: &str = "v2";
/// How many snapshots are kept at most.
const MAX_SNAPSHOTS: usize = 5;

/// Why a record is not the one that a snapshot was made of. The words are Flux's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOurs {
    /// Its content is another one.
    #[error("release digest verification error")]
    Digest,
    /// It is another release, revision or chart.
    #[error("release not observed to be made for object")]
    NotObserved,
}

/// A snapshot of a record. `action` made it, `oci_digest` is that of its chart.
pub fn snapshot(record: &Record, action: Option<&str>, oci_digest: Option<&str>) -> Snapshot {
    let config = record.config.clone().unwrap_or_default();
    Snapshot {
        action: action.map(str::to_owned),
        api_version: Some(SNAPSHOT_VERSION.to_owned()),
        app_version: Some(record.app_version().to_owned()).filter(|version| !version.is_empty()),
        chart_name: record.chart_name().to_owned(),
        chart_version: record.chart_version().to_owned(),
        config_digest: config_digest(&config),
        deleted: time(record.info.deleted.as_deref()),
        digest: digest(record, oci_digest),
        first_deployed: time(record.info.first_deployed.as_deref()).unwrap_or_else(no_time),
        last_deployed: time(record.info.last_deployed.as_deref()).unwrap_or_else(no_time),
        name: record.name.clone(),
        namespace: record.namespace.clone(),
        oci_digest: oci_digest.map(str::to_owned),
        status: record.info.status.to_string(),
        test_hooks: None,
        version: record.version,
    }
}

/// The outcome of the tests of a record, as a snapshot holds it.
pub fn snapshot_of_tests(record: &Record) -> BTreeMap<String, TestHookStatus> {
    let tests = record.hooks.iter().filter(|hook| hook.runs_at(HookEvent::Test));
    tests
        .map(|hook| {
            let run = &hook.last_run;
            let status = TestHookStatus {
                last_completed: time(run.completed_at.as_deref()),
                last_started: time(run.started_at.as_deref()),
                phase: Some(run.phase.as_str().to_owned()).filter(|phase| !phase.is_empty()),
            };
            (hook.name.clone(), status)
        })
        .collect()
}

/// Whether a record is still what a snapshot was made of.
///
/// # Errors
/// If not.
pub fn verify(snapshot: &Snapshot, record: &Record) -> Result<(), NotOurs> {
    if snapshot.name != record.name
        || snapshot.namespace != record.namespace
        || snapshot.version != record.version
    {
        return Err(NotOurs::NotObserved);
    }
    // Digests of older schemes are not comparable.
    if snapshot.api_version.as_deref() != Some(SNAPSHOT_VERSION) {
        return Ok(());
    }
    if digest(record, snapshot.oci_digest.as_deref()) == snapshot.digest {
        Ok(())
    } else {
        Err(NotOurs::Digest)
    }
}

/// Whether the revision has been superseded since the snapshot was made, and nothing else has become
/// of it.
pub fn is_superseded_since(snapshot: &Snapshot, record: &Record) -> bool {
    record.info.status == Status::Superseded
        && [Status::Deployed, Status::Failed].into_iter().any(|status| {
            let mut before = record.clone();
            before.info.status = status;
            snapshot.status == before.info.status.as_str() && verify(snapshot, &before).is_ok()
        })
}

/// Whether a snapshot of the same revision says how it ended. It does not if it was made while the
/// revision was pending, or of a release of the same name that was uninstalled since.
pub(crate) fn tells_the_end(snapshot: &Snapshot, record: &Record) -> bool {
    let began = time(record.info.first_deployed.as_deref()).unwrap_or_else(no_time);
    snapshot.status == record.info.status.as_str() && snapshot.first_deployed == began
}

/// Whether the tests of the release have run to an end: one has failed, or all have succeeded.
pub fn has_been_tested(snapshot: &Snapshot) -> bool {
    snapshot.test_hooks.as_ref().is_some_and(|hooks| {
        let is = |phase: HookPhase| {
            move |hook: &TestHookStatus| hook.phase.as_deref() == Some(phase.as_str())
        };
        hooks.values().any(is(HookPhase::Failed)) || hooks.values().all(is(HookPhase::Succeeded))
    })
}

/// Whether a test of the release has failed.
pub fn has_failed_tests(snapshot: &Snapshot) -> bool {
    let hooks = snapshot.test_hooks.iter().flat_map(BTreeMap::values);
    hooks.into_iter().any(|hook| hook.phase.as_deref() == Some(HookPhase::Failed.as_str()))
}

/// The history that is kept, newest first: for a remedy down to the first revision that can be
/// rolled back to, at most five otherwise.
pub fn truncated(
    history: &[Snapshot],
    may_roll_back: bool,
    ignore_test_failures: bool,
) -> Vec<Snapshot> {
    let mut sorted = history.to_vec();
    sorted.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.version));
    let target = sorted
        .iter()
        .skip(1)
        .position(|snapshot| can_be_target(snapshot, ignore_test_failures))
        .filter(|_| may_roll_back);
    sorted.truncate(target.map_or(MAX_SNAPSHOTS, |at| at + 2));
    sorted
}

/// Whether a release can be rolled back to.
pub(crate) fn can_be_target(snapshot: &Snapshot, ignore_test_failures: bool) -> bool {
    let was_good = [Status::Deployed, Status::Superseded]
        .iter()
        .any(|status| status.as_str() == snapshot.status);
    was_good && (ignore_test_failures || !has_failed_tests(snapshot))
}

fn time(text: Option<&str>) -> Option<Time> {
    let time: jiff::Timestamp = text?.parse().ok()?;
    // Snapshots have whole seconds.
    let seconds = jiff::Timestamp::from_second(time.as_second()).ok()?;
    (seconds.as_second() > NO_SECOND).then_some(Time(seconds))
}

/// The second of the time that Go has for none.
const NO_SECOND: i64 = -62_135_596_800;

fn no_time() -> Time {
    Time(jiff::Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_new_status_makes_it_superseded() {
        let mut record = Record { name: "app".to_owned(), version: 1, ..Record::default() };
        record.info.status = Status::Deployed;
        let known = snapshot(&record, None, None);
        assert!(!is_superseded_since(&known, &record));
        record.info.status = Status::Superseded;
        assert!(is_superseded_since(&known, &record));
        assert!(!is_superseded_since(&snapshot(&record, None, None), &record));
        record.manifest.push_str("kind: Secret\n");
        assert!(!is_superseded_since(&known, &record), "somebody changed more");
    }
}
