//! What a killed controller was doing, gone on with.

use std::sync::Arc;

use helm_release::{Intent, IntentAction, Record, Status};

use super::carry_out::{Work, carry_out};
use super::run::Run;
use crate::error::ActionError;
use crate::options::Options;
use crate::outcome::Attempt;
use crate::storage::History;
use crate::target::Target;

/// Goes on with an install, upgrade or rollback that was killed in the middle, with what its record
/// says. Hooks that ran are not run again; one that was running is waited for. An uninstall is gone
/// on with by uninstalling.
pub async fn resume(target: &Target, history: &History, options: &Options) -> Attempt {
    let mut run = Run::new(target);
    let result = perform(&mut run, history, options).await;
    run.end(result)
}

async fn perform(
    run: &mut Run<'_>,
    history: &History,
    options: &Options,
) -> Result<(), ActionError> {
    history.check()?;
    let last = history.last().ok_or(ActionError::NothingToResume)?;
    let Some(Intent { action, from, done: false, .. }) = last.intent else {
        return Err(ActionError::NothingToResume);
    };
    let base = match action {
        _ if !last.info.status.is_pending() => return Err(ActionError::NothingToResume),
        IntentAction::Install => None,
        IntentAction::Upgrade => from.and_then(|version| history.get(version)).cloned(),
        IntentAction::Rollback => before(history, last),
        IntentAction::Uninstall | IntentAction::Test => return Err(ActionError::NothingToResume),
    };
    let work = Work { action, base, history, options };
    carry_out(run, Record::clone(last), &work).await
}

/// The revision before the newest one.
fn before(history: &History, last: &Record) -> Option<Arc<Record>> {
    let older = history.records.iter().rev().find(|record| record.version < last.version);
    older.filter(|record| record.info.status != Status::Uninstalled).cloned()
}
