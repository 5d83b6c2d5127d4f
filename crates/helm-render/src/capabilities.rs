//! What a chart may ask about the cluster and about Helm.

use std::sync::Arc;

/// `.Capabilities`. Cloning is cheap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The version of the cluster.
    pub kube_version: KubeVersion,
    /// `group/version` and `group/version/Kind` that the cluster serves; the core group is `v1`.
    pub api_versions: Arc<[Arc<str>]>,
    /// What charts take us for.
    pub helm_version: HelmVersion,
}

/// A version of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeVersion {
    /// As the cluster says it: `v1.33.4-gke.1245000`.
    pub version: Arc<str>,
    /// Without what vendors add: `v1.33.4`. Ranges are checked against this one.
    pub normalized: Arc<str>,
    /// The first number.
    pub major: Arc<str>,
    /// The second number.
    pub minor: Arc<str>,
}

/// `.Capabilities.HelmVersion`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of Helm's build information")]
pub struct HelmVersion {
    pub version: Arc<str>,
    pub git_commit: Arc<str>,
    pub git_tree_state: Arc<str>,
    pub go_version: Arc<str>,
    pub kube_client_version: Arc<str>,
}

/// A text that is no version of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not parse {text:?} as version")]
pub struct KubeVersionError {
    text: String,
}

impl KubeVersion {
    /// Reads `1.33`, `v1.33.4`, `v1.33.4-gke.1245000`.
    ///
    /// # Errors
    /// If the text does not begin with two numbers.
    pub fn parse(text: &str) -> Result<Self, KubeVersionError> {
        let invalid = || KubeVersionError { text: text.to_owned() };
        let trimmed = text.trim_start();
        let numbers = trimmed.strip_prefix('v').unwrap_or(trimmed);
        let end = numbers.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(numbers.len());
        let parts = numbers[..end].trim_end_matches('.').split('.');
        let parts = parts
            .map(|part| part.parse::<u32>().map(|n| n.to_string()).map_err(|_number| invalid()))
            .collect::<Result<Vec<_>, _>>()?;
        let [major, minor, ..] = parts.as_slice() else { return Err(invalid()) };
        let version = if text.starts_with('v') { text.into() } else { format!("v{text}").into() };
        Ok(Self {
            version,
            normalized: format!("v{}", parts.join(".")).into(),
            major: major.as_str().into(),
            minor: minor.as_str().into(),
        })
    }
}

impl Capabilities {
    /// What Helm assumes when there is no cluster: its own Kubernetes version and API versions.
    pub fn without_cluster() -> Self {
        let text = |text: &str| Arc::<str>::from(text);
        Self {
            kube_version: KubeVersion {
                version: text("v1.36.0"),
                normalized: text("v1.36.0"),
                major: text("1"),
                minor: text("36"),
            },
            api_versions: DEFAULT_API_VERSIONS.into_iter().map(Arc::from).collect(),
            helm_version: HelmVersion {
                version: text("v4.2"),
                git_commit: text(""),
                git_tree_state: text(""),
                go_version: text("go1.26.8"),
                kube_client_version: text("v1.36"),
            },
        }
    }

    /// The same with more API versions at the end.
    #[must_use]
    pub fn with_api_versions<'a>(mut self, more: impl IntoIterator<Item = &'a str>) -> Self {
        let all = self.api_versions.iter().cloned().chain(more.into_iter().map(Arc::from));
        self.api_versions = all.collect();
        self
    }
}

/// The API versions that Helm 4.2.1 knows of itself.
const DEFAULT_API_VERSIONS: [&str; 55] = [
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha2",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];
