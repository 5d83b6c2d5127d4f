//! What installing, upgrading and rolling back have in common: hooks, objects, waiting, hooks, and
//! the record of how it went. May be done again from any point: see [`crate::resume`].

use std::sync::Arc;

use helm_release::{HookEvent, IntentAction, Record, Status};
use jiff::Timestamp;

use super::apply::{self, How};
use super::prune::prune;
use super::run::{Run, conclude};
use crate::error::{ActionError, BuildError, HookError};
use crate::hooks;
use crate::options::Options;
use crate::release_objects::{self, Built};
use crate::storage::History;
use crate::wait;

/// How many characters of a failure are kept if there is no room for more.
const SHORT_DESCRIPTION: usize = 512;

/// What is carried out. The record of it is stored already.
pub(crate) struct Work<'a> {
    pub(crate) action: IntentAction,
    /// The revision that its objects come from; none for an install.
    pub(crate) base: Option<Arc<Record>>,
    /// What was stored when it began.
    pub(crate) history: &'a History,
    pub(crate) options: &'a Options,
}

/// Carries out what the record says and stores how it went.
pub(crate) async fn carry_out(
    run: &mut Run<'_>,
    mut record: Record,
    work: &Work<'_>,
) -> Result<(), ActionError> {
    let (version, max) = (record.version, work.options.max_history);
    // Who goes on after us needs what the action starts from.
    let base = work.base.as_ref().map(|base| base.version);
    prune(run, work.history, version, max, base).await?;
    let mut created = Vec::new();
    let end = attempt(run, &mut record, work, &mut created).await;
    match &end {
        Ok(()) => succeed(run, record, work).await?,
        Err(error) => fail(run, record, work, error).await?,
    }
    if work.base.as_ref().is_some_and(|base| base.info.status == Status::Failed) {
        prune(run, work.history, version, max, None).await?;
    }
    match end {
        Ok(()) => Ok(()),
        Err(error) => {
            if work.options.cleanup_on_fail && work.action != IntentAction::Install {
                created.reverse();
                let (_, failures) = apply::delete_all(run.target, created, "Background").await;
                for failure in failures {
                    run.logs.say(format!(
                        "unable to cleanup resources: {}",
                        error_chain::chain(&failure)
                    ));
                }
            }
            Err(error)
        }
    }
}

async fn attempt(
    run: &mut Run<'_>,
    record: &mut Record,
    work: &Work<'_>,
    created: &mut Vec<Built>,
) -> Result<(), ActionError> {
    let (before, after) = moments(work.action);
    run_hooks(run, record, before, work).await?;
    let of = if work.action == IntentAction::Install {
        "release manifest"
    } else {
        "new release manifest"
    };
    let mut built = release_objects::build(run.target, &record.manifest, of).await?;
    apply::own(run.target, &mut built);
    let base = base_objects(run, work).await?;
    let was_client_side = work.base.as_ref().is_some_and(|base| !base.is_server_side());
    let how = How {
        options: work.options,
        server_side: record.is_server_side(),
        migrate: was_client_side && record.is_server_side(),
        since: began(record),
    };
    let (applied, result) = match &base {
        None => apply::create(run, &built, how).await,
        Some(base) => apply::update(run, base, &built, how).await,
    };
    *created = applied.created;
    result?;
    let ready = Box::pin(wait::until_ready(run.target, &built, applied.live, work.options));
    let ready = work.options.call_off.unless(ready).await.ok_or(ActionError::CalledOff)?;
    ready.map_err(|source| match work.action {
        IntentAction::Rollback => {
            ActionError::RollbackUnhealthy { name: record.name.clone(), source }
        }
        _ => ActionError::Unhealthy(source),
    })?;
    run_hooks(run, record, after, work).await
}

/// When the action that made the record began.
fn began(record: &Record) -> Timestamp {
    let began = record.intent.as_ref().and_then(|intent| intent.started_at.parse().ok());
    began.unwrap_or_else(Timestamp::now)
}

async fn base_objects(run: &Run<'_>, work: &Work<'_>) -> Result<Option<Vec<Built>>, ActionError> {
    let Some(base) = &work.base else { return Ok(None) };
    let error = |source: BuildError| ActionError::Build { of: "current release manifest", source };
    let objects = release_objects::objects(&base.manifest).map_err(error)?;
    // Differs: Helm gives up if a kind of the last revision is not served any more.
    release_objects::build_what_is_left(run.target, objects).await.map(Some).map_err(error)
}

async fn run_hooks(
    run: &mut Run<'_>,
    record: &mut Record,
    event: HookEvent,
    work: &Work<'_>,
) -> Result<(), ActionError> {
    if !work.options.hooks {
        return Ok(());
    }
    let end = hooks::run(run, record, event, work.options, &|_name| true).await;
    end.map_err(|source| match source {
        HookError::Store(error) => *error,
        // What a killed controller noted has its moment in front already.
        source => ActionError::Hook {
            moment: match event {
                HookEvent::PreUpgrade | HookEvent::PostUpgrade => {
                    format!("{} hooks failed", event.name())
                }
                other => format!("failed {}", other.name()),
            },
            source: Box::new(source),
        },
    })
}

const fn moments(action: IntentAction) -> (HookEvent, HookEvent) {
    match action {
        IntentAction::Install => (HookEvent::PreInstall, HookEvent::PostInstall),
        IntentAction::Rollback => (HookEvent::PreRollback, HookEvent::PostRollback),
        _ => (HookEvent::PreUpgrade, HookEvent::PostUpgrade),
    }
}

async fn succeed(
    run: &mut Run<'_>,
    mut record: Record,
    work: &Work<'_>,
) -> Result<(), ActionError> {
    // Helm: an upgrade supersedes what it started from, even if that had failed.
    let base = work.base.as_ref().filter(|_| work.action == IntentAction::Upgrade);
    let base = base.filter(|base| base.info.status == Status::Failed).map(|base| base.version);
    let older = work.history.records.iter().filter(|older| older.version < record.version);
    for older in
        older.filter(|older| older.info.status == Status::Deployed || Some(older.version) == base)
    {
        run.supersede(older).await?;
    }
    record.info.status = Status::Deployed;
    record.info.description = match work.action {
        IntentAction::Install => "Install complete".to_owned(),
        IntentAction::Rollback => rollback_description(rolled_back_to(&record)),
        _ => "Upgrade complete".to_owned(),
    };
    conclude(&mut record);
    run.update(&record).await
}

/// The description of a release that was rolled back.
pub(crate) fn rollback_description(to: i64) -> String {
    format!("Rollback to {to}")
}

/// The revision that is rolled back to, as the intent holds it.
fn rolled_back_to(record: &Record) -> i64 {
    record.intent.as_ref().and_then(|intent| intent.from).unwrap_or_default()
}

async fn fail(
    run: &mut Run<'_>,
    mut record: Record,
    work: &Work<'_>,
    error: &ActionError,
) -> Result<(), ActionError> {
    let why = error_chain::chain(error);
    record.info.description = match (work.action, error) {
        (IntentAction::Rollback, ActionError::RollbackUnhealthy { name, source }) => {
            format!("Release {name:?} failed: {}", error_chain::chain(source))
        }
        (IntentAction::Rollback, _) => format!("Rollback {:?} failed: {why}", record.name),
        (IntentAction::Install, _) => format!("Release {:?} failed: {why}", record.name),
        _ => format!("Upgrade {:?} failed: {why}", record.name),
    };
    if work.action == IntentAction::Rollback
        && let Some(base) = &work.base
        && matches!(error, ActionError::Objects(_))
    {
        run.supersede(base).await?;
    }
    if work.action == IntentAction::Upgrade {
        let name = &record.name;
        let attributes = serde_json::json!({ "error": {}, "name": name });
        run.logs.say(format!("warning: upgrade failed: {attributes}"));
    }
    record.info.status = Status::Failed;
    conclude(&mut record);
    match run.update(&record).await {
        Err(ActionError::TooLarge(_)) => {
            // What failed matters more than all that was said of it.
            record.info.description =
                record.info.description.chars().take(SHORT_DESCRIPTION).collect();
            run.update(&record).await
        }
        end => end,
    }
}
