//! What identifies a resource while it is built.

use std::fmt;

use manifest::Gvk;

use crate::schema::is_cluster_scoped;

/// Where kustomize keeps resources that live outside of any namespace.
const NO_NAMESPACE: &str = "_non_namespaceable_";

/// Group, version, kind, name and namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ResId {
    pub(crate) gvk: Gvk,
    pub(crate) name: String,
    /// As it is written; empty if it is not.
    pub(crate) namespace: String,
    /// Whether the kind is known to live outside of namespaces.
    pub(crate) cluster_scoped: bool,
}

/// An id with its namespace resolved: equal keys are one object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct IdKey {
    gvk: Gvk,
    name: String,
    namespace: String,
}

impl ResId {
    /// The id of an object that exists now.
    pub(crate) fn new(gvk: Gvk, name: String, namespace: String) -> Self {
        let cluster_scoped = is_cluster_scoped(&gvk);
        Self { gvk, name, namespace, cluster_scoped }
    }

    /// The namespace in which the object ends up.
    pub(crate) fn effective_namespace(&self) -> &str {
        if self.cluster_scoped {
            NO_NAMESPACE
        } else if self.namespace.is_empty() {
            "default"
        } else {
            &self.namespace
        }
    }

    /// The id as a key of an index.
    pub(crate) fn key(&self) -> IdKey {
        IdKey {
            gvk: self.gvk.clone(),
            name: self.name.clone(),
            namespace: self.effective_namespace().to_owned(),
        }
    }

    /// Whether both live in the same namespace, or both in none.
    pub(crate) fn same_namespace(&self, other: &Self) -> bool {
        self.effective_namespace() == other.effective_namespace()
    }
}

/// Whether the fields that the selector names are equal.
pub(crate) fn gvk_selected(gvk: &Gvk, selector: &Gvk) -> bool {
    let allows = |want: &str, have: &str| want.is_empty() || want == have;
    allows(&selector.group, &gvk.group)
        && allows(&selector.version, &gvk.version)
        && allows(&selector.kind, &gvk.kind)
}

fn or<'a>(text: &'a str, placeholder: &'a str) -> &'a str {
    if text.is_empty() { placeholder } else { text }
}

/// Prints group, version and kind as kustomize's messages do: `Deployment.v1.apps`.
pub(crate) struct GvkText<'a>(pub(crate) &'a Gvk);

impl fmt::Display for GvkText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Gvk { group, version, kind } = self.0;
        write!(f, "{}.{}.{}", or(kind, "[noKind]"), or(version, "[noVer]"), or(group, "[noGrp]"))
    }
}

/// As kustomize's messages print it: `ConfigMap.v1.[noGrp]/name.[noNs]`.
impl fmt::Display for ResId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, namespace) = (or(&self.name, "[noName]"), or(&self.namespace, "[noNs]"));
        write!(f, "{}/{name}.{namespace}", GvkText(&self.gvk))
    }
}

impl ResId {
    /// The id as Go prints the struct, which some of kustomize's messages do.
    pub(crate) fn go_syntax(&self) -> String {
        let Gvk { group, version, kind } = &self.gvk;
        format!(
            "resid.ResId{{Gvk:resid.Gvk{{Group:{group:?}, Version:{version:?}, Kind:{kind:?}, \
             isClusterScoped:{}}}, Name:{:?}, Namespace:{:?}}}",
            self.cluster_scoped, self.name, self.namespace
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_printed_with_placeholders() {
        let id = ResId::new(Gvk::new("v1", "ConfigMap"), "c".into(), String::new());
        assert_eq!(id.to_string(), "ConfigMap.v1.[noGrp]/c.[noNs]");
    }

    #[test]
    fn no_namespace_is_the_default_one() {
        let id = |namespace: &str| ResId::new(Gvk::new("v1", "Pod"), "c".into(), namespace.into());
        assert_eq!(id("").key(), id("default").key());
        assert_ne!(id("").key(), id("other").key());
        let namespace = ResId::new(Gvk::new("v1", "Namespace"), "c".into(), "x".into());
        assert_eq!(namespace.effective_namespace(), NO_NAMESPACE);
    }
}
