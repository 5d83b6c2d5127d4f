//! A release that somebody left in the middle of a change, marked as failed.

use helm_release::{Record, Status};

use super::run::{Run, conclude};
use crate::error::ActionError;
use crate::outcome::Attempt;
use crate::storage::History;
use crate::target::Target;

/// Marks the newest revision as failed if it is pending, and those before it that are. Nothing else
/// is touched. May be repeated.
///
/// Differs: Flux leaves older ones pending, which nothing ever changes again.
pub async fn unlock(target: &Target, history: &History) -> Attempt {
    let mut run = Run::new(target);
    let result = perform(&mut run, history).await;
    run.end(result)
}

async fn perform(run: &mut Run<'_>, history: &History) -> Result<(), ActionError> {
    let Some(last) = history.last().filter(|last| is_stale(last)) else { return Ok(()) };
    let older = history.records.iter().filter(|record| record.version < last.version);
    // The newest one last: as long as it is pending, whoever comes after us unlocks.
    for stale in older.filter(|record| is_stale(record)).chain([last]) {
        let mut record = Record::clone(stale);
        let status = &stale.info.status;
        record.info.description = format!("Release unlocked from stale '{status}' state");
        record.info.status = Status::Failed;
        conclude(&mut record);
        run.update(&record).await?;
    }
    Ok(())
}

fn is_stale(record: &Record) -> bool {
    let is_ours = record.intent.as_ref().is_some_and(|intent| !intent.done);
    let status = &record.info.status;
    status.is_pending() || (is_ours && *status == Status::Uninstalling)
}
