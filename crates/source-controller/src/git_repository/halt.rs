//! Why an attempt stopped.

use crd_types::{
    conditions::{FETCH_FAILED, STORAGE_OPERATION_FAILED},
    reasons,
};
use git_client::InvalidAccess;
use reconcile_loop::chain;

use super::{access, archive, resolve};
use crate::source::{
    Stop,
    conclude::{Retry, Told},
};

/// Why an attempt stopped. The variant alone decides reason, condition and retry.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Halt {
    /// Only an edit of the object, or a newer program, helps.
    #[error("{what} is not supported yet, {instead}")]
    Unsupported { what: &'static str, instead: &'static str },
    /// Only an edit of the object helps.
    #[error("failed to parse url '{url}'")]
    Url {
        url: String,
        #[source]
        source: InvalidAccess,
    },
    #[error("failed to configure proxy options")]
    Proxy(#[source] access::Error),
    #[error(transparent)]
    Secret(access::Error),
    #[error("failed to configure authentication options")]
    Authentication(#[source] access::Error),
    #[error("secretRef '{secret}' has github app data but provider is not set to github")]
    ForeignGithubApp { secret: String },
    #[error("failed to checkout and determine revision")]
    Git(#[source] resolve::Error),
    #[error("git repository is empty")]
    Empty,
    // The blank is Flux's.
    #[error("failed to sparse checkout directories ")]
    Sparse(#[source] archive::SparseError),
    #[error("failed to load source ignore patterns from repository")]
    Ignore(#[source] archive::IgnoreError),
    #[error("unable to archive artifact to storage")]
    Archive(#[source] archive::Error),
}

impl Halt {
    /// The reason of conditions and events.
    const fn reason(&self) -> &'static str {
        match self {
            Self::Unsupported { .. } => "UnsupportedField",
            Self::Url { .. } => reasons::URL_INVALID,
            Self::Proxy(_) | Self::Secret(_) | Self::Authentication(_) => {
                reasons::AUTHENTICATION_FAILED
            }
            Self::ForeignGithubApp { .. } => reasons::INVALID_PROVIDER_CONFIGURATION,
            Self::Git(_) | Self::Sparse(_) => reasons::GIT_OPERATION_FAILED,
            Self::Empty => reasons::EMPTY_GIT_REPOSITORY,
            Self::Ignore(_) => reasons::SOURCE_IGNORE_ERROR,
            Self::Archive(_) => reasons::ARCHIVE_OPERATION_FAILED,
        }
    }

    /// Which condition tells of it; none if only those about the attempt itself do.
    const fn blame(&self) -> Option<&'static str> {
        match self {
            Self::Unsupported { .. }
            | Self::Url { .. }
            | Self::Proxy(_)
            | Self::Secret(_)
            | Self::Authentication(_)
            | Self::ForeignGithubApp { .. }
            | Self::Git(_)
            | Self::Empty
            | Self::Sparse(_) => Some(FETCH_FAILED),
            Self::Archive(_) => Some(STORAGE_OPERATION_FAILED),
            Self::Ignore(_) => None,
        }
    }

    const fn retry(&self) -> Retry {
        match self {
            Self::Unsupported { .. } | Self::Url { .. } => Retry::Edit,
            Self::Proxy(_)
            | Self::Secret(_)
            | Self::Authentication(_)
            | Self::ForeignGithubApp { .. }
            | Self::Git(_)
            | Self::Empty
            | Self::Sparse(_)
            | Self::Ignore(_)
            | Self::Archive(_) => Retry::Backoff,
        }
    }
}

impl From<Halt> for Stop {
    fn from(halt: Halt) -> Self {
        let (reason, message) = (halt.reason(), chain(&halt));
        let told = |condition| (condition, Told { reason, message: message.clone() });
        let (blame, retry) = (halt.blame().map(told), halt.retry());
        Self { reason, message, blame, retry }
    }
}
