//! Hooks: objects that are created at a moment of a release and run to their end.

use helm_release::{HookEvent, HookPhase, HookRecord, HookRun, Record};
use jiff::Timestamp;

use crate::action::apply::{self, delete};
use crate::action::run::{Run, now};
use crate::error::{BuildError, HookError};
use crate::options::Options;
use crate::release_objects::{Built, located, objects};
use crate::wait;

/// When a hook is deleted that says nothing about it.
const DEFAULT_POLICY: &str = "before-hook-creation";
/// How many characters of a failure are noted.
const MAX_NOTED: usize = 8 << 10;

/// Runs the hooks of a moment, one after the other: by weight, then by name.
///
/// Each is noted in the record before it is created and when all have run, so that one who goes on
/// after us neither runs it again nor misses it.
///
/// # Errors
/// The first hook that fails; the ones after it do not run.
pub(crate) async fn run(
    run: &mut Run<'_>,
    record: &mut Record,
    event: HookEvent,
    options: &Options,
    is_chosen: &(dyn Fn(&str) -> bool + Sync),
) -> Result<(), HookError> {
    let mut order: Vec<usize> = (0..record.hooks.len())
        .filter(|&n| record.hooks[n].runs_at(event) && is_chosen(&record.hooks[n].name))
        .collect();
    order.sort_by(|&a, &b| {
        let key = |n: usize| (record.hooks[n].weight, &record.hooks[n].name);
        key(a).cmp(&key(b))
    });
    let mut has_run = false;
    for (at, &n) in order.iter().enumerate() {
        let stage = stage(record, n);
        match stage {
            Stage::Succeeded => continue,
            Stage::Failed => {
                let error = HookError::Before { failure: failure(record) };
                return Err(after_failure(run, record, n, &order[..at], options, error).await);
            }
            Stage::ToRun => begin(run, record, n, event, options).await?,
            Stage::Running => {}
        }
        has_run = true;
        let perhaps = stage == Stage::Running;
        let hook = record.hooks[n].clone();
        if let Err(error) = create_and_wait(run, &hook, event, options, perhaps).await {
            end(&mut record.hooks[n], HookPhase::Failed);
            if let Some(intent) = &mut record.intent {
                intent.failure = Some(noted(&error_chain::chain(&error)));
            }
            store(run, record).await?;
            return Err(after_failure(run, record, n, &order[..at], options, error).await);
        }
        end(&mut record.hooks[n], HookPhase::Succeeded);
    }
    if has_run {
        store(run, record).await?;
    }
    for &n in order.iter().rev() {
        delete_by_policy(run, &record.hooks[n], "hook-succeeded", options).await?;
    }
    Ok(())
}

/// Why a hook failed, as whoever was killed afterwards noted it.
fn failure(record: &Record) -> String {
    let noted = record.intent.as_ref().and_then(|intent| intent.failure.clone());
    noted.unwrap_or_else(|| "it failed before a restart".to_owned())
}

/// As much of a failure as is noted: annotations are small.
fn noted(failure: &str) -> String {
    failure.chars().take(MAX_NOTED).collect()
}

/// Where a hook is in the action under way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    ToRun,
    Running,
    Succeeded,
    Failed,
}

/// A hook that began after the action did ran for it.
fn stage(record: &Record, n: usize) -> Stage {
    let time = |text: Option<&String>| text.and_then(|text| text.parse::<Timestamp>().ok());
    let began = time(record.intent.as_ref().map(|intent| &intent.started_at));
    let run = &record.hooks[n].last_run;
    let is_of_now = began.zip(time(run.started_at.as_ref())).is_some_and(|(a, b)| a <= b);
    match run.phase {
        HookPhase::Running if is_of_now => Stage::Running,
        HookPhase::Succeeded if is_of_now => Stage::Succeeded,
        HookPhase::Failed if is_of_now => Stage::Failed,
        _ => Stage::ToRun,
    }
}

async fn begin(
    run: &mut Run<'_>,
    record: &mut Record,
    n: usize,
    event: HookEvent,
    options: &Options,
) -> Result<(), HookError> {
    let hook = &mut record.hooks[n];
    if hook.delete_policies.is_empty() {
        hook.delete_policies = vec![DEFAULT_POLICY.to_owned()];
    }
    let hook = hook.clone();
    delete_by_policy(run, &hook, DEFAULT_POLICY, options).await?;
    // Found before it is said to be running.
    build(run, &hook).await.map_err(|source| HookError::Build {
        event: event.name(),
        path: hook.path.clone(),
        source,
    })?;
    record.hooks[n].last_run =
        HookRun { started_at: Some(now()), phase: HookPhase::Running, ..HookRun::default() };
    store(run, record).await
}

/// Creates a hook and waits until it has run. `perhaps` says that one who was killed may have created
/// it.
async fn create_and_wait(
    run: &mut Run<'_>,
    hook: &HookRecord,
    event: HookEvent,
    options: &Options,
    perhaps: bool,
) -> Result<(), HookError> {
    let built = build(run, hook).await.map_err(|source| HookError::Build {
        event: event.name(),
        path: hook.path.clone(),
        source,
    })?;
    for built in &built {
        let created = apply::create_hook(run, built, options, perhaps).await;
        created.map_err(|source| HookError::Create {
            event: event.name(),
            path: hook.path.clone(),
            source,
        })?;
    }
    Ok(wait::until_run(run.target, &built, options).await?)
}

/// Deletes what a failed hook and those before it leave behind, by their policies.
async fn after_failure(
    run: &mut Run<'_>,
    record: &Record,
    failed: usize,
    before: &[usize],
    options: &Options,
    error: HookError,
) -> HookError {
    if let Err(error) = delete_by_policy(run, &record.hooks[failed], "hook-failed", options).await {
        run.logs.say(format!(
            "error deleting the hook resource on hook failure: {}",
            error_chain::chain(&error)
        ));
    }
    for &n in before {
        if let Err(error) = delete_by_policy(run, &record.hooks[n], "hook-succeeded", options).await
        {
            return error;
        }
    }
    error
}

/// Deletes a hook and waits until it is gone, if its policies say so. Definitions stay: all their
/// objects would go with them.
async fn delete_by_policy(
    run: &mut Run<'_>,
    hook: &HookRecord,
    policy: &str,
    options: &Options,
) -> Result<(), HookError> {
    let has_policy = hook.delete_policies.iter().any(|known| known == policy);
    if hook.kind == "CustomResourceDefinition" || !has_policy {
        return Ok(());
    }
    let Ok(built) = build(run, hook).await else { return Ok(()) };
    let mut deleted = Vec::new();
    for built in built {
        if delete(run.target, &built, "Background").await.map_err(HookError::Delete)? {
            deleted.push(built);
        }
    }
    Ok(wait::until_gone(run.target, &deleted, options.timeout).await?)
}

async fn build(run: &Run<'_>, hook: &HookRecord) -> Result<Vec<Built>, BuildError> {
    located(run.target, objects(&hook.manifest)?).await
}

fn end(hook: &mut HookRecord, phase: HookPhase) {
    hook.last_run.completed_at = Some(now());
    hook.last_run.phase = phase;
}

async fn store(run: &mut Run<'_>, record: &Record) -> Result<(), HookError> {
    run.update(record).await.map_err(|error| HookError::Store(Box::new(error)))
}
