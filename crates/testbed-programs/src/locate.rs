//! Where the programs are.

use crate::KUBERNETES_VERSION;
use std::path::{Path, PathBuf};

/// A program that the tests run beside the controllers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    /// The store behind the API server.
    Etcd,
    /// The API server.
    KubeApiserver,
    /// The built-in controllers: namespaces, Deployments, Jobs, garbage collection.
    KubeControllerManager,
    /// The command line client.
    Kubectl,
    /// Plays the kubelet: pods become Ready without running.
    Kwok,
    /// The second client on releases, and the judge of charts.
    Helm,
    /// The same of the version before, which many still use.
    Helm3,
    /// An OCI registry.
    Registry,
    /// Encrypts what the controllers decrypt.
    Sops,
    /// Encrypts for age recipients.
    Age,
    /// Makes age keys.
    AgeKeygen,
    /// Takes alerts.
    Alertmanager,
    /// Takes notifications.
    NatsServer,
}

impl Program {
    /// What a control plane is made of, in the order in which it is built.
    pub const CONTROL_PLANE: [Self; 5] =
        [Self::Etcd, Self::KubeApiserver, Self::KubeControllerManager, Self::Kubectl, Self::Kwok];

    /// The real tools that tests compare with and talk to.
    pub const TOOLS: [Self; 8] = [
        Self::Helm,
        Self::Helm3,
        Self::Registry,
        Self::Sops,
        Self::Age,
        Self::AgeKeygen,
        Self::Alertmanager,
        Self::NatsServer,
    ];

    /// The name of the executable.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
            Self::Kwok => "kwok",
            Self::Helm => "helm",
            Self::Helm3 => "helm3",
            Self::Registry => "registry",
            Self::Sops => "sops",
            Self::Age => "age",
            Self::AgeKeygen => "age-keygen",
            Self::Alertmanager => "alertmanager",
            Self::NatsServer => "nats-server",
        }
    }
}

/// A program that is in none of the places where it may be.
#[derive(Debug, thiserror::Error)]
#[error("no {program} in {}; `cargo xtask setup` builds it, once", searched.display())]
pub struct MissingAsset {
    /// The name of the executable.
    pub program: &'static str,
    /// The cache directory; `KUBEBUILDER_ASSETS` comes before it when it is set.
    pub searched: PathBuf,
}

/// The directories that hold the programs, the preferred one first.
#[derive(Clone, Debug)]
pub struct Assets {
    dirs: Vec<PathBuf>,
}

impl Assets {
    /// Reads `KUBEBUILDER_ASSETS` (as controller-runtime's envtest does) and the cache directory.
    ///
    /// envtest's directory holds no controller manager and no kwok: those still come from the cache.
    pub fn from_env() -> Self {
        let own = std::env::var_os("KUBEBUILDER_ASSETS").map(PathBuf::from);
        Self { dirs: own.into_iter().chain([cache_dir()]).collect() }
    }

    /// The path of `program`.
    ///
    /// # Errors
    /// If no directory holds it.
    pub fn path(&self, program: Program) -> Result<PathBuf, MissingAsset> {
        let candidates = self.dirs.iter().map(|dir| dir.join(program.name()));
        candidates
            .into_iter()
            .find(|path| path.is_file())
            .ok_or_else(|| MissingAsset { program: program.name(), searched: cache_dir() })
    }
}

/// `$XDG_CACHE_HOME/ferroflux/control-plane-VERSION`, or the same below `~/.cache`.
pub fn cache_dir() -> PathBuf {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(|| Path::new("/var/tmp").to_path_buf())
        .join("ferroflux")
        .join(format!("control-plane-{KUBERNETES_VERSION}"))
}
