//! The order in which kinds are applied; deletion goes the other way.

/// Kinds that others depend on, in order of need.
///
/// Flux: the group does not count (ssa, `sort.go`).
const FIRST: [&str; 23] = [
    "CustomResourceDefinition",
    "Namespace",
    "ClusterRole",
    "ClusterClass",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "VolumeSnapshotClass",
    "IngressClass",
    "GatewayClass",
    "ClusterRoleBinding",
    "ResourceQuota",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "Service",
    "LimitRange",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that may block the creation of all others.
const LAST: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// The place of a kind in the order of application: lower comes first, unknown kinds in between.
pub fn kind_rank(kind: &str) -> usize {
    if let Some(rank) = FIRST.iter().position(|first| *first == kind) {
        return rank;
    }
    LAST.iter().position(|last| *last == kind).map_or(FIRST.len(), |rank| FIRST.len() + 1 + rank)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_come_first_and_webhooks_last() {
        assert!(kind_rank("CustomResourceDefinition") < kind_rank("Namespace"));
        assert!(kind_rank("PodDisruptionBudget") < kind_rank("Widget"));
        assert!(kind_rank("Widget") < kind_rank("MutatingWebhookConfiguration"));
        assert_eq!(kind_rank("Widget"), kind_rank("Gadget"));
    }
}
