//! What a Receiver wakes.

use crd_types::notification::ReceiverResource;
use kube::api::{DynamicObject, ListParams, PartialObjectMeta};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};

/// Kinds and the API version that is meant where none is said.
const API_VERSIONS: [(&str, &str); 7] = [
    ("Bucket", "source.toolkit.fluxcd.io/v1"),
    ("HelmChart", "source.toolkit.fluxcd.io/v1"),
    ("HelmRepository", "source.toolkit.fluxcd.io/v1"),
    ("GitRepository", "source.toolkit.fluxcd.io/v1"),
    ("OCIRepository", "source.toolkit.fluxcd.io/v1"),
    ("ImageRepository", "image.toolkit.fluxcd.io/v1"),
    ("ArtifactGenerator", "source.extensions.fluxcd.io/v1beta1"),
];

/// Why a resource of a Receiver cannot be woken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Invalid {
    #[error("cross-namespace references are not allowed")]
    CrossNamespace,
    #[error("apiVersion must be specified for kind {kind:?}")]
    NoApiVersion { kind: String },
    #[error("matchLabels field not set when using wildcard '*' as name")]
    NoLabels,
}

/// Objects of one kind in one namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Targets {
    resource: ApiResource,
    namespace: String,
    pub(super) which: Which,
}

/// Which of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Which {
    /// The one of this name.
    Named(String),
    /// Those that a label selector finds.
    Labelled(String),
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    pub(super) resource: ApiResource,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Targets {
    /// What a resource of a Receiver in `namespace` means.
    ///
    /// # Errors
    /// If it means nothing, or nothing that it may.
    pub(super) fn of(
        resource: &ReceiverResource,
        namespace: &str,
        no_cross_namespace_refs: bool,
    ) -> Result<Self, Invalid> {
        let given = resource.namespace.as_deref().filter(|namespace| !namespace.is_empty());
        if no_cross_namespace_refs && given.is_some_and(|given| given != namespace) {
            return Err(Invalid::CrossNamespace);
        }
        let api_version = resource.api_version.as_deref().filter(|version| !version.is_empty());
        let known = API_VERSIONS.iter().find(|(kind, _)| *kind == resource.kind);
        let api_version = api_version.or_else(|| known.map(|(_, version)| *version));
        let api_version =
            api_version.ok_or_else(|| Invalid::NoApiVersion { kind: resource.kind.clone() })?;
        let which = if resource.name != "*" {
            Which::Named(resource.name.clone())
        } else if resource.match_labels.is_empty() {
            return Err(Invalid::NoLabels);
        } else {
            let labels = resource.match_labels.iter();
            let labels: Vec<_> = labels.map(|(name, value)| format!("{name}={value}")).collect();
            Which::Labelled(labels.join(","))
        };
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Ok(Self {
            resource: ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &resource.kind)),
            namespace: given.unwrap_or(namespace).to_owned(),
            which,
        })
    }

    /// One of them, without looking.
    pub(super) fn named(&self, name: &str) -> Target {
        let (resource, namespace) = (self.resource.clone(), self.namespace.clone());
        Target { resource, namespace, name: name.to_owned() }
    }

    /// Looks at all of them; each comes with its metadata, as filters see it.
    ///
    /// # Errors
    /// If the API server refuses, or the one that is named is not there.
    pub(super) async fn look(&self, client: &Client) -> Result<Vec<(Target, Value)>, kube::Error> {
        let api = api(client, &self.resource, &self.namespace);
        let found = match &self.which {
            Which::Named(name) => vec![api.get_metadata(name).await?],
            Which::Labelled(selector) => {
                api.list_metadata(&ListParams::default().labels(selector)).await?.items
            }
        };
        Ok(found.iter().map(|object| (self.named(&object.name_any()), self.seen(object))).collect())
    }

    fn seen(&self, object: &PartialObjectMeta<DynamicObject>) -> Value {
        json!({
            "apiVersion": self.resource.api_version,
            "kind": self.resource.kind,
            "metadata": object.metadata,
        })
    }
}

impl Target {
    /// The objects of its kind beside it.
    pub(super) fn api(&self, client: &Client) -> Api<DynamicObject> {
        api(client, &self.resource, &self.namespace)
    }
}

fn api(client: &Client, resource: &ApiResource, namespace: &str) -> Api<DynamicObject> {
    Api::namespaced_with(client.clone(), namespace, resource)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(resource: Value, strict: bool) -> Result<Targets, Invalid> {
        Targets::of(&serde_json::from_value(resource).unwrap(), "apps", strict)
    }

    #[test]
    fn sources_need_no_api_version_and_wildcards_need_labels() {
        let git = targets(json!({"kind": "GitRepository", "name": "a"}), true).unwrap();
        assert_eq!(git.resource.api_version, "source.toolkit.fluxcd.io/v1");
        assert_eq!(
            (git.resource.plural.as_str(), git.namespace.as_str()),
            ("gitrepositories", "apps")
        );
        let labels =
            json!({"kind": "OCIRepository", "name": "*", "matchLabels": {"a": "b", "c": "d"}});
        assert_eq!(targets(labels, true).unwrap().which, Which::Labelled("a=b,c=d".to_owned()));
        for (resource, wanted) in [
            (json!({"kind": "GitRepository", "name": "*"}), Invalid::NoLabels),
            (
                json!({"kind": "Kustomization", "name": "a"}),
                Invalid::NoApiVersion { kind: "Kustomization".to_owned() },
            ),
            (json!({"kind": "Bucket", "name": "a", "namespace": "other"}), Invalid::CrossNamespace),
        ] {
            assert_eq!(targets(resource, true).unwrap_err(), wanted);
        }
        let far = json!({"kind": "Bucket", "name": "a", "namespace": "other"});
        assert_eq!(targets(far, false).unwrap().namespace, "other");
    }
}
