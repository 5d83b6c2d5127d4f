//! A chart installed.

use std::collections::BTreeMap;
use std::sync::Arc;

use helm_chart::Chart;
use helm_chart::name::check_release_name;
use helm_release::{
    ChartRecord, Info, IntentAction, Record, Status, check_room, encode, hook_record,
};
use helm_render::Rendered;
use serde_json::json;

use super::apply;
use super::carry_out::{Work, carry_out};
use super::run::{Run, intent, now};
use crate::error::{ActionError, ObjectError};
use crate::options::{Options, ServerSideApply};
use crate::outcome::Attempt;
use crate::release_objects;
use crate::render::{Asked, Desired, render};
use crate::storage::{History, StorageError};
use crate::target::Target;

/// Installs a chart as a new release.
///
/// Writes: the namespace if that is wanted, the record, hooks, objects. Nothing is written before
/// the chart is rendered, all its kinds are served and the record is known to fit a Secret. What is
/// left behind when it is dropped: a pending record with an intent, for [`crate::resume`].
pub async fn install(
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
    let replaced = replaced(history, options)?;
    let server_side = options.server_side_apply != ServerSideApply::Disabled;
    let asked = Asked {
        target,
        desired,
        values: desired.values.clone(),
        is_upgrade: false,
        revision: 1,
        validate_values: options.validate_values,
        dns_lookups: options.dns_lookups,
    };
    let rendered = render(asked).await?;
    let mut record = record(target, desired, desired.values.clone(), &rendered);
    record.version = replaced.map_or(1, |last| last.version + 1);
    record.info.status = Status::PendingInstall;
    "Initial install underway".clone_into(&mut record.info.description);
    record.set_server_side(server_side);
    record.intent = Some(intent(IntentAction::Install, None));
    let mut built = release_objects::build(target, &record.manifest, "release manifest").await?;
    apply::own(target, &mut built);
    if !options.take_ownership {
        apply::check_ownership(target, &built, "install").await?;
    }
    fits(&record)?;
    if options.create_namespace {
        create_namespace(target).await?;
    }
    if let Some(last) = replaced {
        run.supersede(last).await?;
    }
    run.create(&record).await?;
    let work = Work { action: IntentAction::Install, base: None, history, options };
    carry_out(run, record, &work).await
}

pub(crate) fn check_name(target: &Target) -> Result<(), ActionError> {
    let invalid = |source| ActionError::Name { name: target.name.clone(), source };
    check_release_name(&target.name).map_err(invalid)
}

/// The release whose name is used again.
fn replaced<'a>(
    history: &'a History,
    options: &Options,
) -> Result<Option<&'a Arc<Record>>, ActionError> {
    let Some(last) = history.last() else { return Ok(None) };
    let may_be = matches!(last.info.status, Status::Uninstalled | Status::Failed);
    if options.replace && may_be { Ok(Some(last)) } else { Err(ActionError::NameInUse) }
}

/// A record of what was rendered, without version and status.
pub(crate) fn record(
    target: &Target,
    desired: &Desired,
    values: serde_json::Map<String, serde_json::Value>,
    rendered: &Rendered,
) -> Record {
    let at = now();
    Record {
        name: target.name.clone(),
        namespace: target.namespace.clone(),
        chart: Some(Arc::new(ChartRecord::of(&desired.chart))),
        config: Some(values).filter(|values| !values.is_empty()),
        manifest: rendered.manifest_text(),
        hooks: rendered.hooks.iter().map(hook_record).collect(),
        info: Info {
            first_deployed: Some(at.clone()),
            last_deployed: Some(at),
            notes: rendered.notes.clone(),
            ..Info::default()
        },
        labels: BTreeMap::new(),
        ..Record::default()
    }
}

/// Refuses a chart that is too large for any release: what is made of it comes on top. For those who
/// change something before the chart is rendered.
///
/// # Errors
/// If so.
pub fn check_chart(target: &Target, chart: &Chart) -> Result<(), ActionError> {
    let name = target.name.clone();
    let chart = Some(Arc::new(ChartRecord::of(chart)));
    fits(&Record { name, chart, ..Record::default() })
}

/// Refuses a record that no Secret can hold, now or when the action has ended.
pub(crate) fn fits(record: &Record) -> Result<(), ActionError> {
    let encoded = encode(record).map_err(StorageError::Encode)?;
    Ok(check_room(record, &encoded)?)
}

/// Creates the namespace of the release. One that exists is left as it is.
async fn create_namespace(target: &Target) -> Result<(), ActionError> {
    let resource = cluster_apply::Resource::new("", "v1", "Namespace", "namespaces", false);
    let namespace = json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": { "name": target.namespace, "labels": { "name": target.namespace } },
    });
    match target.client.create_object(&resource, "", &namespace).await {
        Err(error) if error.is_conflict() => Ok(()),
        Err(error) => Err(ActionError::Objects(vec![ObjectError::Api(Box::new(error))])),
        Ok(_) => Ok(()),
    }
}
