//! Room in storage: the oldest revisions go when there are too many.

use std::sync::Arc;

use helm_release::{Record, Status};

use super::run::Run;
use crate::error::ActionError;
use crate::storage::History;

/// Deletes the oldest revisions before `newest`, so many that `max` are left together with it (0
/// keeps all): never the one that is deployed, as in Helm, nor `kept`.
///
/// Differs: Helm deletes before it stores the newest one, so that for a moment a release whose only
/// revision failed is not in storage at all.
pub(super) async fn prune(
    run: &mut Run<'_>,
    history: &History,
    newest: i64,
    max: usize,
    kept: Option<i64>,
) -> Result<(), ActionError> {
    for version in excess(history, newest, max) {
        if Some(version) != kept {
            run.purge(version).await?;
        }
    }
    Ok(())
}

/// The revisions that Helm would delete, the oldest first.
pub(super) fn excess(history: &History, newest: i64, max: usize) -> Vec<i64> {
    let older: Vec<&Arc<Record>> =
        history.records.iter().filter(|record| record.version < newest).collect();
    if max == 0 || older.len() < max {
        return Vec::new();
    }
    let is_deployed = |record: &&&Arc<Record>| record.info.status == Status::Deployed;
    let deployed = older.iter().rev().find(is_deployed).map(|record| record.version);
    let versions = older.iter().map(|record| record.version);
    versions.filter(|version| Some(*version) != deployed).take(older.len() + 1 - max).collect()
}

#[cfg(test)]
mod tests {
    use Status::{Deployed, Failed, Superseded};

    use super::*;

    /// As Helm's `removeLeastRecent` has it.
    #[test]
    fn what_is_deployed_is_never_excess() {
        let stored = |statuses: &[Status]| {
            let records = statuses.iter().zip(1..).map(|(status, version)| {
                let mut record = Record { version, ..Record::default() };
                record.info.status = status.clone();
                Arc::new(record)
            });
            History { records: records.collect(), ..History::default() }
        };
        for (statuses, max, gone) in [
            (&[Superseded, Deployed][..], 0, &[][..]),
            (&[Superseded, Deployed], 3, &[]),
            (&[Superseded, Deployed], 2, &[1]),
            (&[Superseded, Deployed], 1, &[1]),
            (&[Deployed], 1, &[]),
            (&[Failed], 1, &[1]),
            (&[Deployed, Failed], 1, &[2]),
            (&[Deployed, Failed, Failed], 2, &[2, 3]),
            (&[Superseded, Superseded, Deployed, Failed], 3, &[1, 2]),
        ] {
            let history = stored(statuses);
            let newest = i64::try_from(statuses.len()).unwrap() + 1;
            assert_eq!(excess(&history, newest, max), gone, "{statuses:?} of {max}");
        }
    }
}
