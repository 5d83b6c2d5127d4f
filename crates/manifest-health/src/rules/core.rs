//! Kinds of the core, and those that are always ready.
#![expect(clippy::unnecessary_wraps, reason = "all rules have one shape")]

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::fields::{Condition, Fields};
use crate::{FieldError, Health};

/// How long a Pod may wait for a node.
const SCHEDULE_WINDOW: SignedDuration = SignedDuration::from_secs(15);

pub(super) fn always_ready(_: Fields<'_>) -> Result<Health, FieldError> {
    Ok(Health::current("Resource is always ready"))
}

pub(super) fn pod_disruption_budget(_: Fields<'_>) -> Result<Health, FieldError> {
    Ok(Health::current("AllowedDisruptions has been computed."))
}

pub(super) fn service(fields: Fields<'_>) -> Result<Health, FieldError> {
    let balanced = fields.text("spec", "type") == "LoadBalancer";
    if balanced && fields.text("spec", "clusterIP").is_empty() {
        return Ok(Health::in_progress("ClusterIP not set. Service type: LoadBalancer"));
    }
    Ok(Health::current("Service is ready"))
}

pub(super) fn persistent_volume_claim(fields: Fields<'_>) -> Result<Health, FieldError> {
    match fields.text("status", "phase") {
        "Bound" => Ok(Health::current("PVC is Bound")),
        phase => {
            let phase = if phase.is_empty() { "unknown" } else { phase };
            Ok(Health::in_progress(format!("PVC is not Bound. phase: {phase}")))
        }
    }
}

pub(super) fn pod(fields: Fields<'_>) -> Result<Health, FieldError> {
    Ok(match fields.text("status", "phase") {
        "Succeeded" => Health::current("Pod has completed successfully"),
        "Failed" => Health::current("Pod has completed, but not successfully"),
        "Running" => return running(fields),
        "Pending" => match fields.condition("PodScheduled")? {
            Some(Condition { status: "False", reason: "Unschedulable", .. }) => {
                // With a clock it may be a failure: `health_at`.
                Health::in_progress("Pod has not been scheduled")
            }
            _ => Health::in_progress("Pod is in the Pending phase"),
        },
        "" => Health::in_progress("Pod phase not available"),
        phase => Health::in_progress(format!("unknown phase {phase}")),
    })
}

/// Whether a Pod has waited for a node for longer than the scheduler needs to find one.
pub(crate) fn is_given_up(fields: Fields<'_>, now: Timestamp) -> Result<bool, FieldError> {
    let scheduled = fields.condition("PodScheduled")?;
    let waits = scheduled.is_some_and(|c| c.status == "False" && c.reason == "Unschedulable");
    if fields.text("status", "phase") != "Pending" || !waits {
        return Ok(false);
    }
    // What has no time was created long ago.
    let created = fields.text("metadata", "creationTimestamp").parse::<Timestamp>();
    Ok(created.map_or(true, |created| now.duration_since(created) >= SCHEDULE_WINDOW))
}

fn running(fields: Fields<'_>) -> Result<Health, FieldError> {
    if fields.condition("Ready")?.is_some_and(|ready| ready.status == "True") {
        return Ok(Health::current("Pod is Ready"));
    }
    let statuses = fields.at("status", "containerStatuses").and_then(Value::as_array);
    let crashing: Vec<&str> = statuses
        .into_iter()
        .flatten()
        .filter(|status| {
            status.pointer("/state/waiting/reason").and_then(Value::as_str)
                == Some("CrashLoopBackOff")
        })
        .filter_map(|status| status.get("name")?.as_str())
        .collect();
    if crashing.is_empty() {
        return Ok(Health::in_progress("Pod is running but is not Ready"));
    }
    Ok(Health::failed(format!("Containers in CrashLoop state: {}", crashing.join(","))))
}
