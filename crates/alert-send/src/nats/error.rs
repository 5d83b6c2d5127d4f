//! Why a message was not published.

use std::io;

use http_access::{Cause, InvalidAccess};

/// Why a message was not published. The words are Flux's and its library's where they have them; what a
/// server says is in here, credentials that it echoes included, until they are masked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The seed is none.
    #[error("error parsing nkey seed: nkeys: invalid seed")]
    Seed,
    /// No server took us in.
    #[error("error connecting to server")]
    Connect(#[source] Fault),
    /// A server took us in, and not the message.
    #[error("error publishing message to server")]
    Publish(#[source] Fault),
}

/// What went wrong between a server and us.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The address is none.
    #[error(
        "the address is no NATS server's: it should be nats://<host>:<port> or tls://<host>:<port>"
    )]
    Address,
    /// The address is that of a web socket.
    #[error(
        "NATS over web sockets is not supported: the address should begin with nats:// or tls://"
    )]
    WebSocket,
    /// The credentials file has no seed, or one that is none.
    #[error(
        "error signing nonce: unable to extract key pair from bytes: nkeys: no nkey seed found"
    )]
    Credentials,
    /// The subject cannot be published to.
    #[error("nats: invalid subject")]
    Subject,
    /// A certificate or a key cannot be used.
    #[error(transparent)]
    Access(InvalidAccess),
    /// The address leads nowhere else.
    #[error("the address is link-local, where no server of a provider is")]
    LinkLocal,
    /// Nobody listens.
    #[error("nats: no servers available for connection")]
    NoServers(#[source] Cause),
    /// There is no connection for another reason.
    #[error(transparent)]
    Dial(Cause),
    /// The server takes longer than a server takes.
    #[error("nats: timeout")]
    Timeout,
    /// The time for the whole operation is over.
    #[error("context deadline exceeded")]
    Deadline,
    /// The connection broke.
    #[error("the connection to the server broke")]
    Broken(#[source] io::Error),
    /// The server ended the connection.
    #[error("EOF")]
    Closed,
    /// The server begins as no NATS server does.
    #[error("nats: protocol exception, INFO not received")]
    NoInfo,
    /// The server sends what a NATS server does not send: too long a line, or too many.
    #[error("nats: protocol exception, {what}")]
    Excess {
        /// What there is too much of.
        what: &'static str,
    },
    /// We would speak TLS, and the server does not.
    #[error("nats: secure connection not available")]
    NotSecure,
    /// TLS came to nothing.
    #[error("nats: tls error")]
    Tls(#[source] Cause),
    /// We have a key, and the server has nothing to sign.
    #[error("nats: nkeys not supported by the server")]
    NoNkeys,
    /// The server refuses.
    #[error("nats: {said}")]
    Refused {
        /// Its words.
        said: String,
    },
    /// We may log in, but not publish to the subject.
    #[error("nats: permissions violation: {said}")]
    Permissions {
        /// The server's words.
        said: String,
    },
    /// The server says something that is no answer.
    #[error("nats: expected 'PONG', got '{said}'")]
    Unexpected {
        /// Its words.
        said: String,
    },
    /// The message is too long for the server.
    #[error(
        "nats: maximum payload exceeded: the message has {bytes} bytes, the server takes {limit_bytes}"
    )]
    MaxPayload {
        /// Length of the message.
        bytes: usize,
        /// What the server takes.
        limit_bytes: u64,
    },
}

impl Error {
    /// Whether another attempt is worth it, and cannot tell twice what was told already.
    pub(super) const fn may_be_repeated(&self) -> bool {
        match self {
            Self::Seed | Self::Publish(_) => false,
            Self::Connect(fault) => fault.may_pass(),
        }
    }

    /// The same, with the words of the server made harmless by `mask`.
    pub(crate) fn masked(self, mask: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Seed => Self::Seed,
            Self::Connect(fault) => Self::Connect(fault.masked(mask)),
            Self::Publish(fault) => Self::Publish(fault.masked(mask)),
        }
    }
}

impl Fault {
    const fn may_pass(&self) -> bool {
        match self {
            Self::NoServers(_) | Self::Dial(_) | Self::Timeout | Self::Broken(_) | Self::Closed => {
                true
            }
            Self::Address
            | Self::WebSocket
            | Self::Credentials
            | Self::Subject
            | Self::Access(_)
            | Self::LinkLocal
            | Self::Deadline
            | Self::NoInfo
            | Self::Excess { .. }
            | Self::NotSecure
            | Self::Tls(_)
            | Self::NoNkeys
            | Self::Refused { .. }
            | Self::Permissions { .. }
            | Self::Unexpected { .. }
            | Self::MaxPayload { .. } => false,
        }
    }

    fn masked(self, mask: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Refused { said } => Self::Refused { said: mask(&said) },
            Self::Permissions { said } => Self::Permissions { said: mask(&said) },
            Self::Unexpected { said } => Self::Unexpected { said: mask(&said) },
            other => other,
        }
    }
}
