//! How an action is carried out.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cluster_apply::HealthEvaluator;

use crate::call_off::CallOff;

/// How a release is installed, upgraded or rolled back. What an action has no use for it ignores.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of Helm's, independent of others"
)]
pub struct Options {
    /// How long each wait may take: for the objects, for each hook.
    pub timeout: Duration,
    /// What is waited for.
    pub wait: WaitStrategy,
    /// Whether the end of Jobs is waited for.
    pub wait_for_jobs: bool,
    /// Tells the health of some kinds in its own way (`healthCheckExprs`).
    pub health: Option<Arc<dyn HealthEvaluator>>,
    /// Ends the wait for the objects early.
    pub call_off: CallOff,
    /// Whether hooks run.
    pub hooks: bool,
    /// How objects are applied.
    pub server_side_apply: ServerSideApply,
    /// Whether objects are replaced instead of patched. Not with server-side apply.
    pub force_replace: bool,
    /// Whether objects that exist already are taken over.
    pub take_ownership: bool,
    /// Whether the API server checks objects strictly.
    pub validate_objects: bool,
    /// Whether values are checked against the chart's schema.
    pub validate_values: bool,
    /// Whether templates may ask for addresses of hosts.
    pub dns_lookups: bool,
    /// Whether what a failed upgrade or rollback created is deleted.
    pub cleanup_on_fail: bool,
    /// Whether the namespace of the release is created. Install only.
    pub create_namespace: bool,
    /// Whether the name of an uninstalled or failed release may be used again. Install only.
    pub replace: bool,
    /// Whether the values of the last release are kept below the new ones. Upgrade only.
    pub reuse_values: bool,
    /// How many revisions are kept; 0 keeps all.
    pub max_history: usize,
}

/// What is waited for. Hooks are waited for in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WaitStrategy {
    /// Nothing but hooks (`disableWait`).
    HooksOnly,
    /// Objects, by the rules of kstatus (Flux's `poller`; we watch).
    #[default]
    Status,
    /// Objects, by Helm 3's rules.
    Legacy,
}

/// How objects are applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServerSideApply {
    /// On the server's side.
    Enabled,
    /// By patches that the client makes.
    Disabled,
    /// As the last release was (for a rollback: the one that is rolled back to). Installs are
    /// server-side.
    #[default]
    Auto,
}

/// What becomes of the definitions in the chart's `crds/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Flux's")]
pub enum CrdPolicy {
    Skip,
    #[default]
    Create,
    CreateReplace,
}

impl Default for Options {
    /// Flux's defaults.
    fn default() -> Self {
        Self {
            timeout: Duration::from_mins(5),
            wait: WaitStrategy::Status,
            wait_for_jobs: true,
            health: None,
            call_off: CallOff::default(),
            hooks: true,
            server_side_apply: ServerSideApply::Auto,
            force_replace: false,
            take_ownership: true,
            validate_objects: true,
            validate_values: true,
            dns_lookups: false,
            cleanup_on_fail: false,
            create_namespace: false,
            replace: false,
            reuse_values: false,
            max_history: 5,
        }
    }
}

impl fmt::Display for WaitStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HooksOnly => "hookOnly",
            Self::Status => "poller",
            Self::Legacy => "legacy",
        })
    }
}
