//! A release that somebody left in the middle of a change, marked as failed.

use helm_release::{Record, Status};

use super::run::{Run, conclude};
use crate::error::ActionError;
use crate::outcome::Attempt;
use crate::storage::History;
use crate::target::Target;

/// Marks the newest revision as failed if it is pending. Nothing else is touched. May be repeated.
pub async fn unlock(target: &Target, history: &History) -> Attempt {
    let mut run = Run::new(target);
    let result = perform(&mut run, history).await;
    run.end(result)
}

async fn perform(run: &mut Run<'_>, history: &History) -> Result<(), ActionError> {
    let Some(last) = history.last() else { return Ok(()) };
    let status = &last.info.status;
    let is_ours = last.intent.as_ref().is_some_and(|intent| !intent.done);
    let is_uninstalling = is_ours && *status == Status::Uninstalling;
    if !status.is_pending() && !is_uninstalling {
        return Ok(());
    }
    let mut record = Record::clone(last);
    record.info.description = format!("Release unlocked from stale '{status}' state");
    record.info.status = Status::Failed;
    conclude(&mut record);
    run.update(&record).await
}
