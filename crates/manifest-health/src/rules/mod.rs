//! The rules of kinds that have their own.

mod batch;
mod core;
mod extensions;
mod workload;

pub(crate) use self::core::is_given_up;
pub(crate) use batch::awaited_job;

use manifest::Gvk;

use crate::fields::Fields;
use crate::{FieldError, Health};

type Rule = fn(Fields<'_>) -> Result<Health, FieldError>;

/// The rule of a kind; the version does not count.
pub(crate) fn rule(gvk: &Gvk) -> Option<Rule> {
    Some(match (gvk.group.as_str(), gvk.kind.as_str()) {
        ("apps" | "extensions", "Deployment") => workload::deployment,
        ("apps" | "extensions", "ReplicaSet") => workload::replica_set,
        ("apps" | "extensions", "DaemonSet") => workload::daemon_set,
        ("apps", "StatefulSet") => workload::stateful_set,
        ("", "Service") => core::service,
        ("", "Pod") => core::pod,
        ("", "PersistentVolumeClaim") => core::persistent_volume_claim,
        ("", "ConfigMap" | "Secret") | ("batch", "CronJob") => core::always_ready,
        ("policy", "PodDisruptionBudget") => core::pod_disruption_budget,
        ("batch", "Job") => batch::job,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => extensions::definition,
        _ => return None,
    })
}
