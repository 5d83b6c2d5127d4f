//! Waits until objects are ready, or hooks have run.

use std::sync::Arc;

use cluster_apply::{
    HealthError, HealthEvaluator, HealthStatus, HealthWait, Stale, TerminationError,
    wait_for_termination,
};
use manifest::Object;
use serde_json::Value;

use crate::options::{Options, WaitStrategy};
use crate::release_objects::Built;
use crate::target::Target;

/// Waits until the objects of a release are ready, if that is wanted. `seen` is what the API server
/// answered to each, in the same order.
pub(crate) async fn until_ready(
    target: &Target,
    built: &[Built],
    seen: Vec<Option<Object>>,
    options: &Options,
) -> Result<(), HealthError> {
    if options.wait == WaitStrategy::HooksOnly {
        return Ok(());
    }
    let seen = seen.into_iter().chain(std::iter::repeat(None));
    let targets = built
        .iter()
        .zip(seen)
        .filter(|(built, _)| !is_paused(&built.object))
        .map(|(built, seen)| built.health_target(seen))
        .collect();
    let rules =
        Rules { own: options.health.clone(), jobs: options.wait_for_jobs, others_are_ready: false };
    let wait =
        HealthWait::start(&target.client, targets, options.timeout, true, Some(Arc::new(rules)));
    target.leave.aside(wait).await.map(drop)
}

/// Waits until a hook has run: Jobs and Pods to their end, all else is ready at once.
pub(crate) async fn until_run(
    target: &Target,
    hook: &[Built],
    options: &Options,
) -> Result<(), HealthError> {
    let targets = hook.iter().map(|built| built.health_target(None)).collect();
    let rules = Rules { own: options.health.clone(), jobs: true, others_are_ready: true };
    let wait =
        HealthWait::start(&target.client, targets, options.timeout, true, Some(Arc::new(rules)));
    target.leave.aside(wait).await.map(drop)
}

/// Waits until deleted objects are gone.
pub(crate) async fn until_gone(
    target: &Target,
    built: &[Built],
    timeout: std::time::Duration,
) -> Result<(), TerminationError> {
    if built.is_empty() {
        return Ok(());
    }
    let stale: Vec<Stale> = built
        .iter()
        .map(|built| Stale { id: built.id(), version: built.object.gvk().version })
        .collect();
    target.leave.aside(wait_for_termination(&target.client, &stale, timeout)).await
}

/// Flux: a paused Deployment is not waited for (Helm, `statuswait.go`).
fn is_paused(object: &Object) -> bool {
    object.kind() == "Deployment"
        && object.fields().get("spec").is_some_and(|spec| spec["paused"] == Value::Bool(true))
}

/// What a release counts as ready, beside the usual rules.
#[derive(Debug)]
struct Rules {
    /// `healthCheckExprs` come before all others.
    own: Option<Arc<dyn HealthEvaluator>>,
    /// Whether a Job is ready only at its end.
    jobs: bool,
    /// Hooks: whatever does not run to an end is ready at once.
    others_are_ready: bool,
}

impl HealthEvaluator for Rules {
    fn evaluate(&self, object: &Object) -> Option<Result<HealthStatus, String>> {
        if let Some(verdict) = self.own.as_ref().and_then(|own| own.evaluate(object)) {
            return Some(verdict);
        }
        let gvk = object.gvk();
        match (gvk.group.as_str(), gvk.kind.as_str()) {
            ("batch", "Job") if self.jobs => Some(Ok(of_job(object))),
            ("batch", "Job") if !self.others_are_ready => Some(Ok(of_started_job(object))),
            ("", "Pod") if self.others_are_ready => Some(Ok(of_pod(object))),
            _ if self.others_are_ready => Some(Ok(HealthStatus::Current)),
            _ => None,
        }
    }
}

fn of_job(job: &Object) -> HealthStatus {
    let conditions = job.fields().get("status").and_then(|status| status["conditions"].as_array());
    let is = |wanted: &str| {
        conditions
            .into_iter()
            .flatten()
            .any(|condition| condition["type"] == wanted && condition["status"] == "True")
    };
    if is("Complete") {
        HealthStatus::Current
    } else if is("Failed") {
        HealthStatus::Failed
    } else {
        HealthStatus::InProgress
    }
}

/// A Job whose end nobody waits for.
fn of_started_job(job: &Object) -> HealthStatus {
    match of_job(job) {
        HealthStatus::InProgress
            if job.fields().get("status").is_some_and(|status| status["startTime"].is_string()) =>
        {
            HealthStatus::Current
        }
        other => other,
    }
}

fn of_pod(pod: &Object) -> HealthStatus {
    match pod.fields().get("status").and_then(|status| status["phase"].as_str()) {
        Some("Succeeded") => HealthStatus::Current,
        Some("Failed") => HealthStatus::Failed,
        _ => HealthStatus::InProgress,
    }
}
