//! Our own objects, as a user looks at them.

use kube::api::{ApiResource, DynamicObject};
use kube::core::GroupVersionKind;
use serde_json::Value;

/// The kind of sources in git repositories.
pub(crate) fn git_repositories() -> ApiResource {
    let kind = GroupVersionKind::gvk("source.toolkit.fluxcd.io", "v1", "GitRepository");
    ApiResource::from_gvk_with_plural(&kind, "gitrepositories")
}

/// The kind of what is applied from them.
pub(crate) fn kustomizations() -> ApiResource {
    let kind = GroupVersionKind::gvk("kustomize.toolkit.fluxcd.io", "v1", "Kustomization");
    ApiResource::from_gvk_with_plural(&kind, "kustomizations")
}

/// The kind of chart repositories.
pub(crate) fn helm_repositories() -> ApiResource {
    let kind = GroupVersionKind::gvk("source.toolkit.fluxcd.io", "v1", "HelmRepository");
    ApiResource::from_gvk_with_plural(&kind, "helmrepositories")
}

/// The kind of installed charts.
pub(crate) fn helm_releases() -> ApiResource {
    let kind = GroupVersionKind::gvk("helm.toolkit.fluxcd.io", "v2", "HelmRelease");
    ApiResource::from_gvk_with_plural(&kind, "helmreleases")
}

/// The Ready condition of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Readiness {
    /// `True`, `False` or `Unknown`; `Unknown` while there is no condition.
    pub(crate) status: String,
    /// What stands beside it.
    pub(crate) message: String,
}

impl Readiness {
    pub(crate) fn of(object: &DynamicObject) -> Self {
        let conditions = object.data.pointer("/status/conditions").and_then(Value::as_array);
        let ready = conditions
            .into_iter()
            .flatten()
            .find(|condition| condition["type"].as_str() == Some("Ready"));
        let text = |field: &str| ready.and_then(|c| c[field].as_str()).map(str::to_owned);
        Self {
            status: text("status").unwrap_or_else(|| "Unknown".to_owned()),
            message: text("message").unwrap_or_default(),
        }
    }

    /// Ready, and about the newest generation.
    pub(crate) fn is_ready(object: &DynamicObject) -> bool {
        let observed = object.data.pointer("/status/observedGeneration").and_then(Value::as_i64);
        observed == object.metadata.generation && Self::of(object).status == "True"
    }
}
