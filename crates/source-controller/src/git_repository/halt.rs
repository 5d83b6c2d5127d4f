//! Why an attempt stopped.

use crd_types::reasons;
use git_client::InvalidAccess;

use super::{access, archive, resolve};

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
    #[error("failed to remove artifact after digest mismatch")]
    Storage(#[source] artifact::store::Error),
}

/// Which condition tells of a halt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blame {
    /// `FetchFailed`.
    Fetch,
    /// `StorageOperationFailed`.
    Storage,
    /// None but those about the attempt itself.
    Nobody,
}

impl Halt {
    /// The reason of conditions and events.
    pub(crate) const fn reason(&self) -> &'static str {
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
            Self::Storage(_) => reasons::FAILED,
        }
    }

    /// Which condition tells of it.
    pub(crate) const fn blame(&self) -> Blame {
        match self {
            Self::Unsupported { .. }
            | Self::Url { .. }
            | Self::Proxy(_)
            | Self::Secret(_)
            | Self::Authentication(_)
            | Self::ForeignGithubApp { .. }
            | Self::Git(_)
            | Self::Empty
            | Self::Sparse(_) => Blame::Fetch,
            Self::Archive(_) => Blame::Storage,
            Self::Ignore(_) | Self::Storage(_) => Blame::Nobody,
        }
    }

    /// Whether only an edit of the object helps, so that the clock never retries it.
    pub(crate) const fn is_stalled(&self) -> bool {
        match self {
            Self::Unsupported { .. } | Self::Url { .. } => true,
            Self::Proxy(_)
            | Self::Secret(_)
            | Self::Authentication(_)
            | Self::ForeignGithubApp { .. }
            | Self::Git(_)
            | Self::Empty
            | Self::Sparse(_)
            | Self::Ignore(_)
            | Self::Archive(_)
            | Self::Storage(_) => false,
        }
    }
}
