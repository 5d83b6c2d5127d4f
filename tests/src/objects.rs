//! The kinds that tests look at, and their paths.

/// A kind of namespaced object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A source in a git repository.
    GitRepository,
    /// What is applied from a source.
    Kustomization,
    /// A chart that is installed.
    HelmRelease,
    /// Where charts are.
    HelmRepository,
    /// A chart from a source.
    HelmChart,
    /// Where notifications go.
    Provider,
    /// Which notifications go there.
    Alert,
    /// A webhook that wakes objects.
    Receiver,
    /// Plain data.
    ConfigMap,
    /// Confidential data.
    Secret,
    /// Replicated pods.
    Deployment,
    /// A virtual address.
    Service,
    /// Storage that a pod asks for.
    PersistentVolumeClaim,
    /// What a controller reported.
    Event,
}

impl Kind {
    /// The path of the collection in `namespace`.
    pub fn path(self, namespace: &str) -> String {
        let (prefix, plural) = match self {
            Self::GitRepository => ("/apis/source.toolkit.fluxcd.io/v1", "gitrepositories"),
            Self::Kustomization => ("/apis/kustomize.toolkit.fluxcd.io/v1", "kustomizations"),
            Self::HelmRelease => ("/apis/helm.toolkit.fluxcd.io/v2", "helmreleases"),
            Self::HelmRepository => ("/apis/source.toolkit.fluxcd.io/v1", "helmrepositories"),
            Self::HelmChart => ("/apis/source.toolkit.fluxcd.io/v1", "helmcharts"),
            Self::Provider => ("/apis/notification.toolkit.fluxcd.io/v1beta3", "providers"),
            Self::Alert => ("/apis/notification.toolkit.fluxcd.io/v1beta3", "alerts"),
            Self::Receiver => ("/apis/notification.toolkit.fluxcd.io/v1", "receivers"),
            Self::ConfigMap => ("/api/v1", "configmaps"),
            Self::Secret => ("/api/v1", "secrets"),
            Self::Deployment => ("/apis/apps/v1", "deployments"),
            Self::Service => ("/api/v1", "services"),
            Self::PersistentVolumeClaim => ("/api/v1", "persistentvolumeclaims"),
            Self::Event => ("/api/v1", "events"),
        };
        format!("{prefix}/namespaces/{namespace}/{plural}")
    }
}
