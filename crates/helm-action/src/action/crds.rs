//! The definitions in a chart's `crds/`, applied before the chart is rendered.

use std::time::Duration;

use cluster_apply::{HealthWait, ServerSide};
use helm_chart::Chart;
use manifest::{Object, ObjectId};
use serde_json::Value;

use crate::error::{ActionError, BuildError, ObjectError};
use crate::options::CrdPolicy;
use crate::release_objects::{self, Built};
use crate::render::forget_capabilities;
use crate::target::Target;

/// How long definitions may take to be served. Flux: fixed, whatever `timeout` says.
const ESTABLISHED: Duration = Duration::from_mins(1);

/// What became of definitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CrdsApplied {
    /// Those that were written.
    pub applied: Vec<ObjectId>,
    /// Objects in `crds/` that are none, and were left alone.
    pub ignored: Vec<ObjectId>,
}

/// Applies the definitions of a chart and its sub-charts (those that are disabled must have been
/// dropped before) and waits until they are served.
///
/// May be repeated. When it is dropped, some are applied and some are not.
///
/// # Errors
/// The first one that is refused.
pub async fn apply_crds(
    target: &Target,
    chart: &Chart,
    policy: CrdPolicy,
    server_side: bool,
) -> Result<CrdsApplied, ActionError> {
    if policy == CrdPolicy::Skip {
        return Ok(CrdsApplied::default());
    }
    let result = apply(target, chart, policy, server_side).await;
    result.map_err(|error| ActionError::Crds(Box::new(error)))
}

async fn apply(
    target: &Target,
    chart: &Chart,
    policy: CrdPolicy,
    server_side: bool,
) -> Result<CrdsApplied, ActionError> {
    let build = |source: BuildError| ActionError::Build { of: "crds", source };
    let mut done = CrdsApplied::default();
    let mut definitions = release_objects::definitions(chart).map_err(build)?;
    definitions.retain(|object| {
        let is_definition = object.kind() == "CustomResourceDefinition";
        if !is_definition {
            done.ignored.push(object.id());
        }
        is_definition
    });
    if definitions.is_empty() {
        return Ok(done);
    }
    let mut targets = Vec::new();
    for mut built in release_objects::located(target, definitions).await.map_err(build)? {
        label(target, &mut built.object);
        let written = write(target, &built, policy, server_side).await;
        let written = written.map_err(|error| ActionError::Objects(vec![error]))?;
        done.applied.push(built.id());
        targets.push(built.health_target(written.and_then(|live| Object::new(live).ok())));
    }
    let wait = HealthWait::start(&target.client, targets, ESTABLISHED, true, None);
    target.leave.aside(wait).await?;
    forget_capabilities(&target.client).await;
    Ok(done)
}

/// Writes one definition. None if it was left as it is.
///
/// Flux: with server-side apply `Create` changes definitions that exist, although it is not said to
/// (helm-controller, `internal/action/crds.go`).
async fn write(
    target: &Target,
    built: &Built,
    policy: CrdPolicy,
    server_side: bool,
) -> Result<Option<Value>, ObjectError> {
    let api = |source| ObjectError::Api(Box::new(source));
    let (client, resource, name) = (&target.client, &built.resource, built.object.name());
    if server_side {
        let how = ServerSide { force: true, strict: false, dry_run: false };
        return client.apply_object(resource, &built.object, how).await.map(Some).map_err(api);
    }
    let mut definition = Value::Object(built.object.fields().clone());
    match client.create_object(resource, "", &definition).await {
        Ok(live) => Ok(Some(live)),
        Err(error) if error.is_conflict() && policy == CrdPolicy::CreateReplace => {
            let live = client.get_object(resource, "", name).await.map_err(api)?;
            let version = live.map(|live| live["metadata"]["resourceVersion"].clone());
            definition["metadata"]["resourceVersion"] = version.unwrap_or_default();
            client.replace_object(resource, "", name, &definition).await.map(Some).map_err(api)
        }
        Err(error) if error.is_conflict() => Ok(None),
        Err(error) => Err(api(error)),
    }
}

fn label(target: &Target, object: &mut Object) {
    object.set_label("helm.toolkit.fluxcd.io/name", &target.origin.name);
    object.set_label("helm.toolkit.fluxcd.io/namespace", &target.origin.namespace);
}
