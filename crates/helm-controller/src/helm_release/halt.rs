//! Why an attempt stopped before Helm had anything to do.

use std::time::Duration;

use super::{chart, values};

/// Why an attempt stopped before Helm had anything to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Halt {
    /// Neither or both ways to name a chart are used.
    #[error("invalid Chart reference")]
    ChartReference,
    /// An expression of the specification cannot be used.
    #[error("{message}")]
    Expression { message: String },
    /// The HelmChart of this object could not be written or deleted.
    #[error("{message}")]
    ChartTemplate { message: String },
    /// A dependency is missing, failing or behind. Its success wakes us.
    #[error("{message}")]
    Dependency { message: String },
    /// The source may not be used.
    #[error("{message}")]
    Denied { message: String },
    /// The source could not be read.
    #[error("could not get Source object: {message}")]
    Source { message: String },
    /// The source has nothing to offer yet. Its first artifact wakes us.
    #[error("{kind} '{namespace}/{name}' is not ready: {why}")]
    SourceNotReady { kind: &'static str, namespace: String, name: String, why: String },
    /// The artifact was replaced between our look at the source and our download.
    #[error("Source not ready: artifact not found. Retrying in {}", go_duration::format(*.retry_in))]
    ArtifactGone { retry_in: Duration },
    /// The values could not be put together.
    #[error(transparent)]
    Values(Box<values::Error>),
    /// The chart could not be brought here or is none.
    #[error("Could not load chart: {0}")]
    Chart(Box<chart::Error>),
    /// The revision of the source does not fit the chart.
    #[error(transparent)]
    ChartVersion(chart::VersionError),
    /// The cluster cannot be talked to as the object wants.
    #[error("{message}")]
    Client { message: String },
    /// What leads to the cluster is of a kind that is not supported. A change of it wakes us.
    #[error("{message}")]
    NoWayIn { message: String },
}

impl From<values::Error> for Halt {
    fn from(error: values::Error) -> Self {
        Self::Values(Box::new(error))
    }
}

impl From<chart::Error> for Halt {
    fn from(error: chart::Error) -> Self {
        Self::Chart(Box::new(error))
    }
}

impl Halt {
    /// The reason of the Ready condition; none if Flux says nothing there.
    pub(crate) const fn reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::ChartReference | Self::ChartTemplate { .. } => return None,
            Self::Expression { .. } => "InvalidCELExpression",
            Self::Dependency { .. } => "DependencyNotReady",
            Self::Denied { .. } => "AccessDenied",
            Self::Source { .. } | Self::ArtifactGone { .. } | Self::Chart(_) => "ArtifactFailed",
            Self::SourceNotReady { .. } => "SourceNotReady",
            Self::Values(_) => "ValuesError",
            Self::ChartVersion(_) => "ChartMutateError",
            Self::Client { .. } | Self::NoWayIn { .. } => "RESTClientError",
        })
    }

    /// Whether nothing but an edit of the object, or of what it refers to, helps.
    pub(crate) const fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::ChartReference
                | Self::Expression { .. }
                | Self::Denied { .. }
                | Self::NoWayIn { .. }
        )
    }
}
