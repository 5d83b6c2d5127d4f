//! Kinds that keep pods running.

use crate::fields::Fields;
use crate::{FieldError, Health};

pub(super) fn deployment(fields: Fields<'_>) -> Result<Health, FieldError> {
    // Without a deadline the condition is not kept up, so it says nothing.
    let deadline = fields.integer("spec", "progressDeadlineSeconds")?;
    let mut progressed = deadline.is_none_or(|seconds| seconds == i64::from(i32::MAX));
    let mut available = false;
    for condition in fields.conditions()? {
        match (condition.type_, condition.status, condition.reason) {
            ("Progressing", _, "ProgressDeadlineExceeded") => {
                return Ok(Health::failed("Progress deadline exceeded"));
            }
            ("Progressing", "True", "NewReplicaSetAvailable") => progressed = true,
            ("Available", "True", _) => available = true,
            _ => {}
        }
    }
    let wanted = wanted(fields)?;
    let replicas = fields.count("replicas")?;
    let updated = fields.count("updatedReplicas")?;
    let ready = fields.count("readyReplicas")?;
    let available_replicas = fields.count("availableReplicas")?;
    let message = if wanted > replicas {
        format!("Replicas: {replicas}/{wanted}")
    } else if wanted > updated {
        format!("Updated: {updated}/{wanted}")
    } else if replicas > wanted {
        format!("Pending termination: {}", replicas - wanted)
    } else if updated > available_replicas {
        format!("Available: {available_replicas}/{updated}")
    } else if wanted > ready {
        format!("Ready: {ready}/{wanted}")
    } else if !progressed {
        "ReplicaSet not Available".to_owned()
    } else if !available {
        "Deployment not Available".to_owned()
    } else {
        return Ok(Health::current(format!("Deployment is available. Replicas: {replicas}")));
    };
    Ok(Health::in_progress(message))
}

pub(super) fn replica_set(fields: Fields<'_>) -> Result<Health, FieldError> {
    if fields.condition("ReplicaFailure")?.is_some_and(|failure| failure.status == "True") {
        return Ok(Health::in_progress("Replica Failure condition. Check Pods"));
    }
    let wanted = wanted(fields)?;
    let replicas = fields.count("replicas")?;
    for (what, field) in [
        ("Labelled", "fullyLabeledReplicas"),
        ("Available", "availableReplicas"),
        ("Ready", "readyReplicas"),
    ] {
        let count = fields.count(field)?;
        if wanted > count {
            return Ok(Health::in_progress(format!("{what}: {count}/{wanted}")));
        }
    }
    if replicas > wanted {
        let excess = replicas - wanted;
        return Ok(Health::in_progress(format!("Pending termination: {excess}")));
    }
    Ok(Health::current(format!("ReplicaSet is available. Replicas: {replicas}")))
}

pub(super) fn daemon_set(fields: Fields<'_>) -> Result<Health, FieldError> {
    for (section, name) in [("metadata", "generation"), ("status", "observedGeneration")] {
        if fields.integer(section, name)?.is_none() {
            return Ok(Health::in_progress(format!("DaemonSet {section}.{name} not found")));
        }
    }
    let Some(desired) = fields.integer("status", "desiredNumberScheduled")? else {
        return Ok(Health::in_progress("Missing .status.desiredNumberScheduled"));
    };
    for (what, field) in [
        ("Current", "currentNumberScheduled"),
        ("Updated", "updatedNumberScheduled"),
        ("Available", "numberAvailable"),
        ("Ready", "numberReady"),
    ] {
        let count = fields.count(field)?;
        if desired > count {
            return Ok(Health::in_progress(format!("{what}: {count}/{desired}")));
        }
    }
    let message = format!("All replicas scheduled as expected. Replicas: {desired}");
    Ok(Health::current(message))
}

pub(super) fn stateful_set(fields: Fields<'_>) -> Result<Health, FieldError> {
    if fields.text("spec", "updateStrategy.type") == "OnDelete" {
        return Ok(Health::current("StatefulSet is using the ondelete update strategy"));
    }
    let wanted = wanted(fields)?;
    let replicas = fields.count("replicas")?;
    let ready = fields.count("readyReplicas")?;
    let current = fields.count("currentReplicas")?;
    let updated = fields.count("updatedReplicas")?;
    let partition = fields.integer("spec", "updateStrategy.rollingUpdate.partition")?;
    if wanted > replicas {
        return Ok(Health::in_progress(format!("Replicas: {replicas}/{wanted}")));
    }
    if wanted > ready {
        return Ok(Health::in_progress(format!("Ready: {ready}/{wanted}")));
    }
    if replicas > wanted {
        let excess = replicas - wanted;
        return Ok(Health::in_progress(format!("Pending termination: {excess}")));
    }
    if let Some(partition) = partition {
        let to_update = wanted - partition;
        if updated < to_update {
            return Ok(Health::in_progress(format!("updated: {updated}/{to_update}")));
        }
        return Ok(Health::current(format!("Partition rollout complete. updated: {updated}")));
    }
    if wanted > current {
        return Ok(Health::in_progress(format!("current: {current}/{wanted}")));
    }
    if fields.text("status", "currentRevision") != fields.text("status", "updateRevision") {
        return Ok(Health::in_progress("Waiting for updated revision to match current"));
    }
    let message = format!("All replicas scheduled as expected. Replicas: {replicas}");
    Ok(Health::current(message))
}

/// How many replicas are wanted: one where nothing is said.
fn wanted(fields: Fields<'_>) -> Result<i64, FieldError> {
    Ok(fields.integer("spec", "replicas")?.unwrap_or(1))
}
