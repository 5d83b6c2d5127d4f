//! A release brought to another chart or other values.

use std::sync::Arc;

use helm_release::{IntentAction, Record, Status};
use serde_json::{Map, Value, json};

use super::apply;
use super::carry_out::{Work, carry_out};
use super::install::{check_name, fits, record};
use super::run::{Run, intent};
use crate::error::ActionError;
use crate::options::{Options, ServerSideApply};
use crate::outcome::Attempt;
use crate::release_objects;
use crate::render::{Asked, Desired, render};
use crate::storage::History;
use crate::target::Target;

/// Upgrades a release.
///
/// Writes the record, hooks and objects, and deletes objects that are not wanted any more and
/// records beyond `max_history`. What is left behind when it is dropped: a pending record with an
/// intent, for [`crate::resume`].
pub async fn upgrade(
    target: &Target,
    history: &History,
    desired: &Desired,
    options: &Options,
) -> Attempt {
    let mut run = Run::new(target);
    let result = perform(&mut run, history, desired, options).await;
    run.end(result)
}

async fn perform(
    run: &mut Run<'_>,
    history: &History,
    desired: &Desired,
    options: &Options,
) -> Result<(), ActionError> {
    let target = run.target;
    check_name(target)?;
    history.check()?;
    let (last, base) = base(target, history)?;
    let values = values(run, base, desired, options);
    let revision = last.version + 1;
    let asked = Asked {
        target,
        desired,
        values: values.clone(),
        is_upgrade: true,
        revision,
        validate_values: options.validate_values,
        dns_lookups: options.dns_lookups,
    };
    let rendered = render(asked).await?;
    let server_side = is_server_side(options.server_side_apply, last);
    run.logs.say(format!(
        "determined release apply method: {}",
        json!({
            "previous_release_apply_method": last.apply_method.as_deref().unwrap_or_default(),
            "server_side_apply": server_side,
        })
    ));
    let mut record = record(target, desired, values, &rendered);
    record.version = revision;
    record.info.first_deployed.clone_from(&base.info.first_deployed);
    record.info.status = Status::PendingUpgrade;
    "Preparing upgrade".clone_into(&mut record.info.description);
    record.labels.clone_from(&last.labels);
    record.set_server_side(server_side);
    record.intent = Some(intent(IntentAction::Upgrade, Some(base.version)));
    run.logs.say(format!("performing update: {}", json!({ "name": target.name })));
    let mut built =
        release_objects::build(target, &record.manifest, "new release manifest").await?;
    apply::own(target, &mut built);
    if !options.take_ownership {
        let old = release_objects::objects(&base.manifest);
        let old =
            old.map_err(|source| ActionError::Build { of: "current release manifest", source })?;
        let old = release_objects::build_what_is_left(target, old).await;
        let old: Vec<_> = old.into_iter().flatten().map(|built| built.id()).collect();
        built.retain(|built| !old.contains(&built.id()));
        apply::check_ownership(target, &built, "update").await?;
    }
    fits(&record)?;
    run.logs.say(format!("creating upgraded release: {}", json!({ "name": target.name })));
    run.create(&record).await?;
    let base = Some(Arc::clone(base));
    let work = Work { action: IntentAction::Upgrade, base, history, options };
    carry_out(run, record, &work).await
}

/// The newest revision, and the one whose objects are in the cluster.
fn base<'a>(
    target: &Target,
    history: &'a History,
) -> Result<(&'a Arc<Record>, &'a Arc<Record>), ActionError> {
    let none = || ActionError::NoDeployedRelease { name: target.name.clone() };
    let last = history.last().ok_or_else(none)?;
    if last.info.status.is_pending() {
        return Err(ActionError::Pending);
    }
    let is_deployed = |record: &&Arc<Record>| record.info.status == Status::Deployed;
    let base = match history.records.iter().rev().find(is_deployed) {
        Some(deployed) => deployed,
        None if matches!(last.info.status, Status::Failed | Status::Superseded) => last,
        None => return Err(none()),
    };
    Ok((last, base))
}

/// What the user sets, over what was set before if that is kept.
fn values(
    run: &mut Run<'_>,
    base: &Record,
    desired: &Desired,
    options: &Options,
) -> Map<String, Value> {
    if !options.reuse_values {
        run.logs.say("resetting values to the chart's original version: {}");
        return desired.values.clone();
    }
    run.logs.say("reusing the old release's values: {}");
    let mut values = base.config.clone().unwrap_or_default();
    helm_chart::values::merge(&mut values, desired.values.clone());
    values
}

/// Whether objects are applied on the server's side, seeing how it was done last.
pub(crate) fn is_server_side(wanted: ServerSideApply, last: &Record) -> bool {
    match wanted {
        ServerSideApply::Enabled => true,
        ServerSideApply::Disabled => false,
        ServerSideApply::Auto => last.is_server_side(),
    }
}
