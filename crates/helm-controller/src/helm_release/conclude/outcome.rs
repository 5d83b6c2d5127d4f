//! What became of a Helm action, in Flux's words. Pure.

use crd_types::helm::Snapshot;
use reconcile_loop::conditions::Status;
use reconcile_loop::conditions::Status::{False, True};
use reconcile_loop::events::{Event, Severity};

pub(crate) const RELEASED: &str = "Released";
pub(crate) const REMEDIATED: &str = "Remediated";
pub(crate) const TEST_SUCCESS: &str = "TestSuccess";
pub(crate) const DRIFTED: &str = "Drifted";

const REVISION_KEY: &str = "helm.toolkit.fluxcd.io/revision";
const TOKEN_KEY: &str = "helm.toolkit.fluxcd.io/token";
const APP_VERSION_KEY: &str = "helm.toolkit.fluxcd.io/app-version";
const OCI_DIGEST_KEY: &str = "helm.toolkit.fluxcd.io/oci-digest";

/// What became of a Helm action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Installed,
    InstallFailed {
        error: String,
    },
    Upgraded,
    UpgradeFailed {
        error: String,
    },
    Tested {
        message: String,
    },
    TestFailed {
        error: String,
    },
    RolledBack,
    RollbackFailed {
        error: String,
    },
    Uninstalled,
    /// There was nothing to remove.
    UninstalledAlready {
        message: String,
    },
    UninstallFailed {
        error: String,
    },
    /// Removed because an action before failed.
    RemedyUninstalled,
    RemedyUninstallFailed {
        error: String,
    },
    /// A release that somebody left in the middle was set free.
    Unlocked {
        status: String,
    },
    UnlockFailed {
        status: String,
        error: String,
    },
}

/// What an outcome is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) chart_name: String,
    pub(crate) chart_version: String,
    pub(crate) app_version: String,
    pub(crate) config_digest: String,
    pub(crate) oci_digest: Option<String>,
}

impl Subject {
    /// A release that is known by its snapshot.
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        Self {
            namespace: snapshot.namespace.clone(),
            name: snapshot.name.clone(),
            version: snapshot.version,
            chart_name: snapshot.chart_name.clone(),
            chart_version: snapshot.chart_version.clone(),
            app_version: snapshot.app_version.clone().unwrap_or_default(),
            config_digest: snapshot.config_digest.clone(),
            oci_digest: snapshot.oci_digest.clone(),
        }
    }

    /// As Flux names a release of which no revision was made.
    pub(crate) fn release(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }

    /// As Flux names a revision.
    pub(crate) fn full(&self) -> String {
        format!("{}.v{}", self.release(), self.version)
    }

    /// As Flux names a revision together with its chart.
    pub(crate) fn told(&self) -> String {
        format!("{} with chart {}", self.full(), self.chart())
    }

    fn chart(&self) -> String {
        format!("{}@{}", self.chart_name, self.chart_version)
    }
}

/// A claim: type of the condition, status, reason and message.
pub(crate) type Claim = (&'static str, Status, &'static str, String);

impl Outcome {
    /// Whether it is a failure.
    pub(crate) const fn failed(&self) -> bool {
        matches!(
            self,
            Self::InstallFailed { .. }
                | Self::UpgradeFailed { .. }
                | Self::TestFailed { .. }
                | Self::RollbackFailed { .. }
                | Self::UninstallFailed { .. }
                | Self::RemedyUninstallFailed { .. }
                | Self::UnlockFailed { .. }
        )
    }

    /// The condition that tells it.
    pub(crate) fn claim(&self, of: &Subject) -> Claim {
        let (release, full, chart) = (of.release(), of.full(), of.chart());
        match self {
            Self::Installed => (RELEASED, True, "InstallSucceeded", {
                format!("Helm install succeeded for release {full} with chart {chart}")
            }),
            Self::InstallFailed { error } => (RELEASED, False, "InstallFailed", {
                let error = error.trim();
                format!("Helm install failed for release {release} with chart {chart}: {error}")
            }),
            Self::Upgraded => (RELEASED, True, "UpgradeSucceeded", {
                format!("Helm upgrade succeeded for release {full} with chart {chart}")
            }),
            Self::UpgradeFailed { error } => (RELEASED, False, "UpgradeFailed", {
                let error = error.trim();
                format!("Helm upgrade failed for release {release} with chart {chart}: {error}")
            }),
            Self::Tested { message } => (TEST_SUCCESS, True, "TestSucceeded", {
                format!("Helm test succeeded for release {full} with chart {chart}: {message}")
            }),
            Self::TestFailed { error } => (TEST_SUCCESS, False, "TestFailed", {
                let error = error.trim();
                format!("Helm test failed for release {full} with chart {chart}: {error}")
            }),
            Self::RolledBack => (REMEDIATED, True, "RollbackSucceeded", {
                format!("Helm rollback to previous release {full} with chart {chart} succeeded")
            }),
            Self::RollbackFailed { error } => (REMEDIATED, False, "RollbackFailed", {
                let error = error.trim();
                format!(
                    "Helm rollback to previous release {full} with chart {chart} failed: {error}"
                )
            }),
            Self::Uninstalled => (RELEASED, False, "UninstallSucceeded", {
                format!("Helm uninstall succeeded for release {full} with chart {chart}")
            }),
            Self::UninstalledAlready { message } => {
                (RELEASED, False, "UninstallSucceeded", message.clone())
            }
            Self::UninstallFailed { error } => (RELEASED, False, "UninstallFailed", {
                let error = error.trim();
                format!("Helm uninstall failed for release {full} with chart {chart}: {error}")
            }),
            Self::RemedyUninstalled => (REMEDIATED, True, "UninstallSucceeded", {
                format!(
                    "Helm uninstall remediation for release {full} with chart {chart} succeeded"
                )
            }),
            Self::RemedyUninstallFailed { error } => (REMEDIATED, False, "UninstallFailed", {
                let error = error.trim();
                format!(
                    "Helm uninstall remediation for release {full} with chart {chart} failed: \
                     {error}"
                )
            }),
            Self::Unlocked { status } => (RELEASED, False, "PendingRelease", {
                format!("Unlocked Helm release {full} with chart {chart} in {status} state")
            }),
            Self::UnlockFailed { status, error } => (RELEASED, False, "PendingRelease", {
                let error = error.trim();
                format!(
                    "Unlock of Helm release {full} with chart {chart} in {status} state failed: \
                     {error}"
                )
            }),
        }
    }

    /// The event that tells it. `logs` are Helm's last lines, which go with failures.
    pub(crate) fn event(&self, of: &Subject, logs: &str) -> Event {
        let (_, _, reason, mut message) = self.claim(of);
        let severity = if self.failed() { Severity::Error } else { Severity::Info };
        // A test that fails says enough by itself.
        if self.failed() && !logs.is_empty() {
            message.push_str("\n\nLast Helm logs:\n\n");
            message.push_str(logs);
        }
        tagged(Event::new(severity, reason, message), of)
    }
}

/// Adds what an event is about.
pub(crate) fn tagged(event: Event, of: &Subject) -> Event {
    let facts = [
        (REVISION_KEY, of.chart_version.as_str()),
        (TOKEN_KEY, of.config_digest.as_str()),
        (APP_VERSION_KEY, of.app_version.as_str()),
        (OCI_DIGEST_KEY, of.oci_digest.as_deref().unwrap_or_default()),
    ];
    let given = facts.into_iter().filter(|(_, value)| !value.is_empty());
    given.fold(event, |event, (key, value)| event.with(key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_releases_name_no_revision() {
        let of = Subject {
            namespace: "ns".to_owned(),
            name: "app".to_owned(),
            version: 2,
            chart_name: "podinfo".to_owned(),
            chart_version: "1.0.0".to_owned(),
            app_version: String::new(),
            config_digest: "sha256:d".to_owned(),
            oci_digest: None,
        };
        let (_, _, _, message) = Outcome::Installed.claim(&of);
        assert_eq!(
            message,
            "Helm install succeeded for release ns/app.v2 with chart podinfo@1.0.0"
        );
        let failed = Outcome::UpgradeFailed { error: " no\n".to_owned() };
        let event = failed.event(&of, "a line");
        assert_eq!(
            event.message,
            "Helm upgrade failed for release ns/app with chart podinfo@1.0.0: no\n\nLast Helm \
             logs:\n\na line"
        );
        assert_eq!(event.metadata.len(), 2);
    }
}
