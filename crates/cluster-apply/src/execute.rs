//! A plan carried out. The only writer of applied objects.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures::{StreamExt as _, future};
use manifest::{Object, kind_rank};
use serde_json::Value;

use crate::api::ApiError;
use crate::apply::{ApplyOptions, Outcome};
use crate::change_set::{Action, Change};
use crate::cluster::TenantClient;
use crate::error::ApplyError;
use crate::managed_fields::cleanup_patch;
use crate::plan::{Before, Plan, Step, Verdict, Write};
use crate::records::Verified;
use crate::redact::redacted;
use crate::termination::wait_until_gone;

/// How often a clean-up is tried while others keep writing the object.
const CLEANUP_TRIES: usize = 3;

/// Carries out a plan: kind after kind, the objects of one kind several at a time. What was done
/// goes into `outcome`, also if it breaks off.
///
/// # Errors
/// The first write that failed, unless the rest is to be done nevertheless. Writes that were under
/// way beside it are finished first.
pub(crate) async fn execute(
    tenant: &TenantClient,
    plan: Plan,
    options: &ApplyOptions,
    retain: bool,
    outcome: &mut Outcome,
) -> Result<(), ApplyError> {
    let mut steps = plan.steps;
    while let Some(first) = steps.first() {
        let rank = kind_rank(first.object.kind());
        let alike = steps.iter().take_while(|step| kind_rank(step.object.kind()) == rank).count();
        let later = steps.split_off(alike);
        let failed = AtomicBool::new(false);
        let mut results = futures::stream::iter(steps)
            .take_while(|_| future::ready(!failed.load(Ordering::Relaxed)))
            .map(|step| carry_out(tenant, step, options, retain))
            .buffered(tenant.settings().concurrency.max(1));
        let mut failure = None;
        while let Some(result) = results.next().await {
            match result {
                Ok(change) => outcome.done.entries.push(change),
                // Only the first one ends it, but each is told with best effort.
                Err(error) => {
                    let ends = outcome.fail(error, options).err();
                    failed.fetch_or(ends.is_some(), Ordering::Relaxed);
                    failure = failure.or(ends);
                }
            }
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        drop(results);
        steps = later;
    }
    Ok(())
}

async fn carry_out(
    tenant: &TenantClient,
    step: Step,
    options: &ApplyOptions,
    retain: bool,
) -> Result<Change, ApplyError> {
    let Step { object, verdict } = step;
    let (action, live) = match verdict {
        Verdict::Skip => (Action::Skipped, None),
        Verdict::Keep(live) => (Action::Unchanged, Some(live)),
        Verdict::Write(write) => {
            let (action, live) = written(tenant, &object, write, options).await?;
            (action, Some(live))
        }
    };
    Ok(Change {
        id: object.id(),
        version: object.gvk().version,
        action,
        live: live.filter(|_| retain).map(retained),
    })
}

async fn written(
    tenant: &TenantClient,
    object: &Object,
    write: Write,
    options: &ApplyOptions,
) -> Result<(Action, Object), ApplyError> {
    let Write { path, body, before } = write;
    let writing = tenant.records().begin_write(&object.id());
    let action = match before {
        Before::Create => Action::Created,
        Before::Change => Action::Configured,
        Before::CleanUp(patch) => {
            clean_up(tenant, object, &path, patch).await?;
            Action::Configured
        }
        Before::Delete(uid) => {
            delete(tenant, object, &path, &uid).await?;
            Action::Created
        }
    };
    let live = send(tenant, object, &path, body).await?;
    let state = Verified::state(live.fields(), &options.owner, tenant.settings());
    tenant.records().settle(&object.id(), state);
    drop(writing);
    Ok((action, live))
}

async fn send(
    tenant: &TenantClient,
    object: &Object,
    path: &str,
    body: Bytes,
) -> Result<Object, ApplyError> {
    let failed = |error| ApplyError::Apply {
        object: object.id(),
        source: Box::new(redacted(error, object)),
    };
    let answer = tenant.patch_apply(path, body, false).await.map_err(failed)?;
    Object::new(answer.body).map_err(|_not_an_object| {
        failed(ApiError::Malformed(serde::de::Error::custom("the answer is no object")))
    })
}

/// Takes over what earlier owners left; if the object changes meanwhile, what they left then.
async fn clean_up(
    tenant: &TenantClient,
    object: &Object,
    path: &str,
    mut takeover: Value,
) -> Result<(), ApplyError> {
    let failed = |error| ApplyError::Cleanup {
        object: object.id(),
        source: Box::new(redacted(error, object)),
    };
    for _ in 1..CLEANUP_TRIES {
        match tenant.patch_json(path, &takeover).await {
            Ok(()) => return Ok(()),
            Err(error) if !error.is_conflict() => return Err(failed(error)),
            Err(_moved_meanwhile) => {}
        }
        let Some(live) = tenant.get::<Value>(path).await.map_err(failed)? else { return Ok(()) };
        let again =
            live.body.as_object().and_then(|live| cleanup_patch(live, object, tenant.settings()));
        let Some(again) = again else { return Ok(()) };
        takeover = again;
    }
    tenant.patch_json(path, &takeover).await.map_err(failed)?;
    Ok(())
}

/// Deletes an object and waits until it is gone.
async fn delete(
    tenant: &TenantClient,
    object: &Object,
    path: &str,
    uid: &str,
) -> Result<(), ApplyError> {
    let failed = |source| ApplyError::Recreate { object: object.id(), source: Box::new(source) };
    match tenant.delete(path, Some(uid)).await {
        Err(error) if !error.is_not_found() => return Err(failed(error)),
        _ => {}
    }
    wait_until_gone(tenant, object.gvk(), &object.id(), uid).await.map_err(failed)
}

/// What is kept of an object: managed fields are half of it, and secrets are not kept at all.
fn retained(mut live: Object) -> Object {
    live.metadata_mut().remove("managedFields");
    if live.kind() == "Secret" {
        live.fields_mut().remove("data");
    }
    live
}
