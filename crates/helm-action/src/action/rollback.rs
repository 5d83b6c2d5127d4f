//! A release brought back to an earlier revision.

use std::collections::BTreeMap;
use std::sync::Arc;

use helm_release::{Info, IntentAction, Record, Status};

use super::carry_out::{Work, carry_out, rollback_description};
use super::install::{check_name, fits};
use super::run::{Run, intent, now};
use super::upgrade::is_server_side;
use crate::error::ActionError;
use crate::options::Options;
use crate::outcome::Attempt;
use crate::storage::History;
use crate::target::Target;

/// Rolls a release back: makes a new revision that is like an earlier one.
///
/// Writes the record, hooks and objects, and deletes objects that the earlier revision does not
/// have. What is left behind when it is dropped: a pending record with an intent, for
/// [`crate::resume`].
pub async fn rollback(target: &Target, history: &History, to: i64, options: &Options) -> Attempt {
    let mut run = Run::new(target);
    let result = perform(&mut run, history, to, options).await;
    run.end(result)
}

async fn perform(
    run: &mut Run<'_>,
    history: &History,
    to: i64,
    options: &Options,
) -> Result<(), ActionError> {
    check_name(run.target)?;
    history.check()?;
    let last = history.last().ok_or(ActionError::NotFound)?;
    let earlier = history.get(to).ok_or(ActionError::NoSuchVersion { version: to })?;
    let mut record = Record {
        name: last.name.clone(),
        namespace: last.namespace.clone(),
        chart: earlier.chart.clone(),
        config: earlier.config.clone(),
        manifest: earlier.manifest.clone(),
        hooks: earlier.hooks.clone(),
        version: last.version + 1,
        labels: earlier.labels.clone(),
        info: Info {
            first_deployed: last.info.first_deployed.clone(),
            last_deployed: Some(now()),
            deleted: None,
            description: rollback_description(to),
            status: Status::PendingRollback,
            notes: earlier.info.notes.clone(),
            others: BTreeMap::new(),
        },
        apply_method: None,
        others: BTreeMap::new(),
        intent: Some(intent(IntentAction::Rollback, Some(to))),
    };
    record.set_server_side(is_server_side(options.server_side_apply, earlier));
    fits(&record)?;
    run.create(&record).await?;
    let base = Some(Arc::clone(last));
    let work = Work { action: IntentAction::Rollback, base, history, options };
    carry_out(run, record, &work).await
}
