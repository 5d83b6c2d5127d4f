//! Which kinds live outside of namespaces.

use std::collections::HashMap;
use std::sync::LazyLock;

use manifest::Gvk;

static TABLE: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let mut table: HashMap<_, Vec<_>> = HashMap::new();
    for line in include_str!("cluster_scoped.txt").lines().filter(|line| !line.starts_with('#')) {
        if let Some((api_version, kind)) = line.split_once(' ') {
            table.entry(kind).or_default().push(api_version);
        }
    }
    table
});

/// Whether the kind is certainly cluster-scoped; kinds that Kubernetes does not define never are.
pub(crate) fn is_cluster_scoped(gvk: &Gvk) -> bool {
    let Some(api_versions) = TABLE.get(gvk.kind.as_str()) else { return false };
    let wanted = gvk.api_version();
    api_versions.contains(&wanted.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_known_by_its_version_too() {
        assert!(is_cluster_scoped(&Gvk::new("v1", "Namespace")));
        assert!(is_cluster_scoped(&Gvk::new("rbac.authorization.k8s.io/v1", "ClusterRole")));
        assert!(!is_cluster_scoped(&Gvk::new("example.com/v1", "Namespace")));
        assert!(!is_cluster_scoped(&Gvk::new("apps/v1", "Deployment")));
    }
}
