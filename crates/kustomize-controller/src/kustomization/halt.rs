//! Why an attempt stopped before the end.

use std::time::Duration;

use crate::kustomization::{fetch, inputs, render};

/// Why an attempt stopped. The variant alone decides reason, retry and severity.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Halt {
    /// Only an edit of the object helps, so the clock never retries it.
    #[error("{message}")]
    Stalled { reason: &'static str, message: String },
    /// The source does not exist. Its creation wakes us.
    #[error("{kind}.source.toolkit.fluxcd.io \"{name}\" not found")]
    SourceNotFound { kind: String, name: String },
    /// The source could not be read.
    #[error("unable to get source '{namespace}/{name}': {message}")]
    SourceUnreadable { namespace: String, name: String, message: String },
    /// The source has nothing to offer yet. Its first artifact wakes us.
    #[error("Source artifact not found, retrying in {}", go_duration::format(*.retry_in))]
    NoArtifact { retry_in: Duration },
    /// The artifact was replaced between our look at the source and our download.
    #[error(
        "Source is not ready, artifact not found, retrying in {}",
        go_duration::format(*.retry_in)
    )]
    ArtifactGone { retry_in: Duration },
    /// A dependency is missing, failing or behind. Its success wakes us.
    #[error("{message}")]
    Dependency { message: String, retry_in: Duration },
    /// The artifact could not be brought here.
    #[error(transparent)]
    Fetch(fetch::Error),
    /// The cluster cannot be talked to as the object wants.
    #[error("{message}")]
    Client { message: String },
    /// The artifact has no manifests that can be built.
    #[error(transparent)]
    Build(#[from] render::Error),
    /// What the build needs besides the artifact cannot be read.
    #[error(transparent)]
    Inputs(#[from] inputs::Error),
    /// The API server refused.
    #[error("{message}")]
    Apply { message: String },
    /// The API server, or a webhook behind it, did not answer. That passes by itself.
    #[error("{message}")]
    Disturbed { message: String },
    /// Objects that should go are still there.
    #[error("{message}")]
    Prune { message: String },
    /// The objects did not become healthy.
    #[error("health check failed after {}: {message}", go_duration::format(*.after))]
    Unhealthy { message: String, after: Duration },
}

impl Halt {
    /// An expression cannot be compiled.
    pub(crate) fn invalid_expression(error: &str) -> Self {
        Self::Stalled {
            reason: "InvalidCELExpression",
            message: format!(
                "Reconciliation failed terminally due to configuration error: {error}"
            ),
        }
    }

    /// The reason of the Ready condition.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Stalled { reason, .. } => reason,
            Self::SourceNotFound { .. }
            | Self::SourceUnreadable { .. }
            | Self::NoArtifact { .. }
            | Self::ArtifactGone { .. }
            | Self::Fetch(_) => "ArtifactFailed",
            Self::Dependency { .. } => "DependencyNotReady",
            Self::Build(_) | Self::Inputs(_) => "BuildFailed",
            Self::Client { .. } | Self::Apply { .. } | Self::Disturbed { .. } => {
                "ReconciliationFailed"
            }
            Self::Prune { .. } => "PruneFailed",
            Self::Unhealthy { .. } => "HealthCheckFailed",
        }
    }

    /// Whether a run that ends so counts as one in the history: it has touched the cluster.
    pub(crate) const fn in_history(&self) -> bool {
        matches!(
            self,
            Self::Apply { .. }
                | Self::Disturbed { .. }
                | Self::Prune { .. }
                | Self::Unhealthy { .. }
        )
    }
}
