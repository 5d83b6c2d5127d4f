//! What is kept of releases in `status.history`, newest first. Pure.

use std::sync::Arc;

use crd_types::helm::Snapshot;
use helm_release::{Record, snapshot, snapshot_of_tests};

/// The action that a snapshot says it comes from.
pub(crate) const INSTALL: &str = "install";
/// See [`INSTALL`].
pub(crate) const UPGRADE: &str = "upgrade";
const ROLLBACK: &str = "rollback";
/// See [`INSTALL`].
pub(crate) const UNINSTALL: &str = "uninstall";
/// See [`INSTALL`].
pub(crate) const UNINSTALL_REMEDIATION: &str = "uninstall-remediation";

/// Notes what an install or an upgrade wrote.
///
/// Flux: the newest revision is put first; of the older ones only the newest that is known is
/// renewed, and it forgets which action it came from (`observedReleases.recordOnObject`). Helm writes
/// the revision that an upgrade starts from even if that fails; we do not, so it only forgets.
pub(crate) fn released(
    history: &mut Vec<Snapshot>,
    written: &[Arc<Record>],
    action: &str,
    oci_digest: Option<&str>,
) {
    let mut sorted: Vec<&Arc<Record>> = written.iter().collect();
    sorted.sort_by_key(|record| std::cmp::Reverse(record.version));
    let Some((newest, older)) = sorted.split_first() else { return };
    history.retain(|known| !is_of(known, newest));
    let record_of = |known: &Snapshot| older.iter().find(|record| is_of(known, record));
    let found = history.iter().position(|known| record_of(known).is_some());
    let base = found.or_else(|| history.iter().position(|known| known.status == "deployed"));
    if let Some(known) = history.get_mut(base.unwrap_or(0)) {
        known.action = None;
        if let Some(record) = record_of(known) {
            *known = renewed(known, record, None, known.oci_digest.as_deref());
        }
    }
    history.insert(0, snapshot(newest, Some(action), oci_digest));
}

/// Notes what a rollback wrote.
///
/// Flux: every revision that it touched says that it comes from it, and forgets its digest in the
/// registry.
pub(crate) fn rolled_back(history: &mut Vec<Snapshot>, written: &[Arc<Record>]) {
    let mut sorted: Vec<&Arc<Record>> = written.iter().collect();
    sorted.sort_by_key(|record| record.version);
    for record in sorted {
        match history.iter_mut().find(|known| is_of(known, record)) {
            Some(known) => *known = renewed(known, record, Some(ROLLBACK), None),
            None => history.insert(0, snapshot(record, Some(ROLLBACK), None)),
        }
    }
}

/// Notes how the tests of the newest revision went. `written` is none if there was nothing to run.
pub(crate) fn tested(history: &mut [Snapshot], written: Option<&Record>) {
    let Some(latest) = history.first_mut() else { return };
    if let Some(record) = written.filter(|record| is_of(latest, record)) {
        let action = latest.action.clone();
        *latest = renewed(latest, record, action.as_deref(), latest.oci_digest.as_deref());
        latest.test_hooks = Some(snapshot_of_tests(record));
    } else if written.is_none() && latest.test_hooks.is_none() {
        latest.test_hooks = Some(std::collections::BTreeMap::new());
    }
}

/// Notes what became of revisions that are known already.
pub(crate) fn touched(history: &mut [Snapshot], written: &[Arc<Record>], action: Option<&str>) {
    for record in written {
        if let Some(known) = history.iter_mut().find(|known| is_of(known, record)) {
            let action = action.map(str::to_owned).or_else(|| known.action.clone());
            *known = renewed(known, record, action.as_deref(), known.oci_digest.as_deref());
        }
    }
}

fn renewed(
    known: &Snapshot,
    record: &Record,
    action: Option<&str>,
    oci_digest: Option<&str>,
) -> Snapshot {
    Snapshot { test_hooks: known.test_hooks.clone(), ..snapshot(record, action, oci_digest) }
}

fn is_of(snapshot: &Snapshot, record: &Record) -> bool {
    snapshot.name == record.name
        && snapshot.namespace == record.namespace
        && snapshot.version == record.version
}

#[cfg(test)]
mod tests {
    use helm_release::{Info, Status};

    use super::*;

    fn record(version: i64, status: Status) -> Arc<Record> {
        let info = Info { status, ..Info::default() };
        Arc::new(Record { name: "app".to_owned(), version, info, ..Record::default() })
    }

    fn told(history: &[Snapshot]) -> Vec<(i64, &str, Option<&str>)> {
        history
            .iter()
            .map(|known| (known.version, known.status.as_str(), known.action.as_deref()))
            .collect()
    }

    #[test]
    fn an_upgrade_and_its_rollback_look_as_in_flux() {
        let mut history = Vec::new();
        released(&mut history, &[record(1, Status::Deployed)], INSTALL, Some("sha256:a"));
        let upgrade = [record(1, Status::Superseded), record(2, Status::Deployed)];
        released(&mut history, &upgrade, UPGRADE, None);
        assert_eq!(told(&history), [(2, "deployed", Some(UPGRADE)), (1, "superseded", None)]);
        assert_eq!(history[1].oci_digest.as_deref(), Some("sha256:a"));
        released(&mut history, &[record(3, Status::Failed)], UPGRADE, None);
        let rollback = [record(2, Status::Superseded), record(4, Status::Deployed)];
        rolled_back(&mut history, &rollback);
        assert_eq!(
            told(&history)[..3],
            [
                (4, "deployed", Some(ROLLBACK)),
                (3, "failed", Some(UPGRADE)),
                (2, "superseded", Some(ROLLBACK))
            ]
        );
    }

    #[test]
    fn a_release_without_tests_is_tested() {
        let mut history = Vec::new();
        released(&mut history, &[record(1, Status::Deployed)], INSTALL, None);
        tested(&mut history, None);
        assert!(helm_release::has_been_tested(&history[0]));
    }
}
