//! What is applied together, and in which order.

use manifest::{GroupKind, Object, kind_rank};

/// Objects that are planned together and then applied together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    /// Definitions, namespaces and cluster roles: the rest may need them.
    Definitions,
    /// Kinds whose name ends in `Class`.
    Classes,
    /// The kinds that the operator named (`--custom-apply-stage-kinds`).
    Custom,
    /// Everything else.
    Rest,
}

impl Stage {
    /// All stages, in order.
    pub(crate) const ALL: [Self; 4] = [Self::Definitions, Self::Classes, Self::Custom, Self::Rest];

    /// Where an object belongs. Flux: the group does not count.
    pub(crate) fn of(object: &Object, custom: &[GroupKind]) -> Self {
        Self::of_kind(&object.gvk().group_kind(), custom)
    }

    /// Where the objects of a kind belong.
    pub(crate) fn of_kind(kind: &GroupKind, custom: &[GroupKind]) -> Self {
        match kind.kind.as_str() {
            "CustomResourceDefinition" | "Namespace" | "ClusterRole" => Self::Definitions,
            name if name.ends_with("Class") => Self::Classes,
            _ if custom.contains(kind) => Self::Custom,
            _ => Self::Rest,
        }
    }

    /// Whether its objects must be ready before the next stage begins.
    pub(crate) const fn is_waited_for(self) -> bool {
        matches!(self, Self::Definitions | Self::Classes)
    }
}

/// Sorts objects into the order of application. Flux: ssa, `SortableUnstructureds`.
pub(crate) fn sort(objects: &mut [Object]) {
    objects.sort_by_cached_key(|object| {
        let id = object.id();
        sort_key(&id.group, &id.kind, &id.namespace, &id.name)
    });
}

/// What decides the place of an object: its kind if others depend on that, then its names.
pub(crate) fn sort_key(
    group: &str,
    kind: &str,
    namespace: &str,
    name: &str,
) -> (usize, String, String, String, String) {
    let rank = kind_rank(kind);
    let is_ranked = rank != kind_rank("");
    let (group, kind) = if is_ranked { ("", "") } else { (group, kind) };
    (rank, group.to_owned(), kind.to_owned(), namespace.to_owned(), name.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(api_version: &str, kind: &str, name: &str) -> Object {
        Object::new(json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}))
            .unwrap()
    }

    #[test]
    fn each_object_has_its_stage() {
        let custom = [GroupKind { group: "x.io".to_owned(), kind: "Policy".to_owned() }];
        for (api_version, kind, stage) in [
            ("v1", "Namespace", Stage::Definitions),
            ("storage.k8s.io/v1", "StorageClass", Stage::Classes),
            ("x.io/v1", "Policy", Stage::Custom),
            ("y.io/v1", "Policy", Stage::Rest),
            ("v1", "ConfigMap", Stage::Rest),
        ] {
            assert_eq!(Stage::of(&object(api_version, kind, "a"), &custom), stage, "{kind}");
        }
    }

    #[test]
    fn objects_are_sorted_by_kind_then_name() {
        let mut objects = vec![
            object("b.io/v1", "Thing", "a"),
            object("a.io/v1", "Zebra", "a"),
            object("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "a"),
            object("apps/v1", "Deployment", "web"),
            object("v1", "ConfigMap", "b"),
            object("v1", "ConfigMap", "a"),
            object("v1", "Namespace", "shop"),
        ];
        sort(&mut objects);
        let order: Vec<_> = objects.iter().map(|o| o.id().to_string()).collect();
        assert_eq!(
            order,
            [
                "Namespace/shop",
                "ConfigMap/a",
                "ConfigMap/b",
                "Deployment/web",
                "Zebra/a",
                "Thing/a",
                "ValidatingWebhookConfiguration/a"
            ]
        );
    }
}
