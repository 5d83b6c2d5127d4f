//! What stays the same for all that one controller applies.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use manifest::GroupKind;

/// How long a watch lasts unless something else is said.
const WATCH_LIMIT: Duration = Duration::from_secs(290);

/// What stays the same for all that one controller applies.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name under which fields are owned: `kustomize-controller`.
    pub field_manager: String,
    /// The prefix of owner labels and of the controls on objects: `kustomize.toolkit.fluxcd.io`.
    pub key_prefix: String,
    /// What earlier owners left on objects, to be taken over and removed.
    pub cleanup: Cleanup,
    /// Kinds applied in a stage of their own, before all others but after classes.
    pub custom_stage: Vec<GroupKind>,
    /// How many requests one apply has in flight at once.
    pub concurrency: usize,
    /// After how long the API server is to end a watch, which is then opened again. One that is
    /// silent for longer is dead, although nobody said so.
    pub watch_limit: Duration,
    /// Asked before each write; none means always allowed.
    pub fence: Option<Arc<dyn Fence>>,
}

/// Says whether this process may still write (it may have lost its lease).
pub trait Fence: fmt::Debug + Send + Sync {
    /// Whether a write may be sent now.
    fn may_write(&self) -> bool;
}

/// What earlier owners left on objects.
#[derive(Clone, Debug, Default)]
pub struct Cleanup {
    /// Field managers whose fields become ours.
    pub managers: Vec<StaleManager>,
    /// Annotations to remove.
    pub annotations: Vec<String>,
    /// Labels to remove.
    pub labels: Vec<String>,
}

/// Field managers whose fields become ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleManager {
    /// How the manager's name starts.
    pub prefix: String,
    /// How the manager wrote.
    pub operation: Operation,
}

/// How a field manager wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// By server-side apply.
    Apply,
    /// By any other write.
    Update,
}

impl Operation {
    /// As `metadata.managedFields` spells it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

impl Settings {
    /// The settings of kustomize-controller with its default flags.
    pub fn kustomize_controller() -> Self {
        let stale = |prefix: &str, operation| StaleManager { prefix: prefix.to_owned(), operation };
        Self {
            field_manager: "kustomize-controller".to_owned(),
            key_prefix: "kustomize.toolkit.fluxcd.io".to_owned(),
            cleanup: Cleanup {
                managers: vec![
                    stale("kubectl", Operation::Apply),
                    stale("kubectl", Operation::Update),
                    stale("before-first-apply", Operation::Update),
                    stale("kustomize-controller", Operation::Update),
                ],
                annotations: vec![
                    "kubectl.kubernetes.io/last-applied-configuration".to_owned(),
                    "kustomize.toolkit.fluxcd.io/checksum".to_owned(),
                    "fluxcd.io/sync-checksum".to_owned(),
                ],
                labels: vec!["fluxcd.io/sync-gc-mark".to_owned()],
            },
            custom_stage: Vec::new(),
            concurrency: 4,
            watch_limit: WATCH_LIMIT,
            fence: None,
        }
    }

    /// The settings of helm-controller with its default flags.
    pub fn helm_controller() -> Self {
        Self {
            field_manager: "helm-controller".to_owned(),
            key_prefix: "helm.toolkit.fluxcd.io".to_owned(),
            cleanup: Cleanup::default(),
            custom_stage: Vec::new(),
            concurrency: 8,
            watch_limit: WATCH_LIMIT,
            fence: None,
        }
    }

    /// Takes over the fields of one more manager (`--override-manager`).
    pub fn override_manager(&mut self, prefix: &str) {
        for operation in [Operation::Apply, Operation::Update] {
            self.cleanup.managers.push(StaleManager { prefix: prefix.to_owned(), operation });
        }
    }

    pub(crate) fn may_write(&self) -> bool {
        self.fence.as_ref().is_none_or(|fence| fence.may_write())
    }
}
