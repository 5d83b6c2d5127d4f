//! Why a provider was not told.

use alert_message::Error as MessageError;
use http_access::{Cause, InvalidAccess, ReadError};

use crate::NatsError;

/// Why a provider was not told. The words are Flux's where it has them; neither addresses nor
/// credentials are in here.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The provider cannot be told of this event, or its server did not take the message.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// A certificate, a key or the proxy cannot be used.
    #[error(transparent)]
    Access(#[from] InvalidAccess),
    /// A header cannot be sent.
    #[error("the header {name:?} has a name or a value that no header can have")]
    Header {
        /// Its name.
        name: String,
    },
    /// There was no answer.
    #[error("{told}failed to execute request")]
    NoAnswer {
        /// What Flux says first.
        told: &'static str,
        /// What happened.
        source: Cause,
    },
    /// There was an answer that could not be read.
    #[error("{told}unable to read response body")]
    Answer {
        /// What Flux says first.
        told: &'static str,
        /// What happened.
        source: ReadError,
    },
    /// The server is not one that is asked.
    #[error("{told}{why}")]
    Refused {
        /// What Flux says first.
        told: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A message did not come to a NATS server.
    #[error("error publishing event to subject {subject}")]
    Nats {
        /// The subject.
        subject: String,
        /// What went wrong.
        #[source]
        source: NatsError,
    },
    /// Something that there is not.
    #[error("{feature} is not supported")]
    Unsupported {
        /// What it is.
        feature: &'static str,
    },
}

impl Error {
    /// Whether the provider is set up so that it can be told of nothing.
    pub const fn is_of_setup(&self) -> bool {
        match self {
            Self::Access(_) | Self::Header { .. } | Self::Unsupported { .. } => true,
            // Flux: of NATS, it looks at no more than whether there is an address and a subject.
            Self::Nats { .. }
            | Self::NoAnswer { .. }
            | Self::Answer { .. }
            | Self::Refused { .. } => false,
            Self::Message(error) => match error {
                MessageError::Address { .. }
                | MessageError::Repository { .. }
                | MessageError::GitHubRepository { .. }
                | MessageError::BitbucketServerRepository { .. }
                | MessageError::Setting { .. }
                | MessageError::ZulipChannel { .. } => true,
                MessageError::NoRevision
                | MessageError::NoCommit { .. }
                | MessageError::Severity { .. }
                | MessageError::NoChangeRequest
                | MessageError::ChangeRequest { .. }
                | MessageError::Refused { .. }
                | MessageError::Slack { .. }
                | MessageError::Api { .. } => false,
            },
        }
    }
}
