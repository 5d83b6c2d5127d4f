//! A provider with all that its Secrets say, and why it cannot be told.

use std::collections::BTreeMap;

use secret_text::Secret;

use crate::{Kind, UriFault};

/// Who is told, and how.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "it carries credentials")]
pub struct Provider {
    /// The service.
    pub kind: Kind,
    /// Its address, which may be a secret: webhooks are.
    pub address: Secret,
    /// Channel, topic, room, environment or key, as the service has it.
    pub channel: String,
    /// The name to post under or to log in with.
    pub username: String,
    /// The password of that name.
    pub password: Secret,
    /// The token.
    pub token: Secret,
    /// Whose it is.
    pub token_of: TokenOf,
    /// Headers or attributes to add.
    pub headers: BTreeMap<String, Secret>,
    /// Credentials file of NATS.
    pub nats_credentials: Secret,
    /// Seed of a NATS key.
    pub nats_seed: Secret,
    /// Id of the commit status.
    pub status_id: String,
    /// Identity of the provider object.
    pub uid: String,
    /// The alert for which it is told.
    pub alert: AlertIdentity,
}

/// Whose a token is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TokenOf {
    /// Of who set the provider up, and says where it goes.
    #[default]
    Owner,
    /// Of an identity at a cloud. It goes to servers of that cloud only: whoever sets a provider up
    /// need not be the one whose identity it is.
    Identity,
    /// Of a GitHub App.
    GitHubApp {
        /// The name under which the App writes, if that was asked for.
        login: String,
    },
}

/// The alert on whose behalf a provider is told.
#[derive(Clone, Debug, Default)]
pub struct AlertIdentity {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// Its identity.
    pub uid: String,
}

/// Why a provider was not told. The words are Flux's, with `<address>` where it prints the address.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is no URL.
    #[error("invalid {what} <address>: '{fault}'")]
    Address {
        /// What the address should be.
        what: &'static str,
        /// What is wrong with it.
        fault: UriFault,
    },
    /// The address is no git repository's.
    #[error("invalid repository id {id:?}")]
    Repository {
        /// The path of the address.
        id: String,
    },
    /// The address is no repository's at GitHub.
    #[error("invalid repository id: '{id}'")]
    GitHubRepository {
        /// The path of the address.
        id: String,
    },
    /// The address is no repository's at a Bitbucket server.
    #[error("could not parse git address: invalid repository id {id:?}")]
    BitbucketServerRepository {
        /// The path behind `/scm/`.
        id: String,
    },
    /// Something that the kind needs is missing or malformed.
    #[error("{sentence}")]
    Setting {
        /// What is wrong.
        sentence: &'static str,
    },
    /// The channel of a Zulip provider is not `channel/topic`.
    #[error("invalid Zulip channel format, expected <channel>/<topic>, got '{channel}'")]
    ZulipChannel {
        /// The channel.
        channel: String,
    },
    /// The event names no revision.
    #[error("missing revision metadata")]
    NoRevision,
    /// The revision of the event has no commit.
    #[error("failed to extract commit hash from '{revision}' revision")]
    NoCommit {
        /// The revision.
        revision: String,
    },
    /// The severity of the event has no commit status.
    #[error("can't convert to {service} state")]
    Severity {
        /// The service.
        service: &'static str,
    },
    /// The event names no pull or merge request.
    #[error("missing \"change_request\" metadata key")]
    NoChangeRequest,
    /// The pull or merge request of the event is no number.
    #[error(
        "invalid \"change_request\" metadata value {number:?}: strconv.Atoi: parsing {number:?}: invalid syntax"
    )]
    ChangeRequest {
        /// What it is.
        number: String,
    },
    /// The server did not take the request.
    #[error("{told}request failed: request failed with status code {status}: {body}")]
    Refused {
        /// What Flux says first: the step that failed.
        told: &'static str,
        /// Its answer.
        status: u16,
        /// The body of the answer.
        body: String,
    },
    /// Slack took the request and refused the message.
    #[error("postMessage failed: request failed: Slack responded with error: {error}")]
    Slack {
        /// Slack's word for it.
        error: String,
    },
    /// A look-up or a change at a service failed that Flux asks by a library.
    #[error("{told}{said}")]
    Api {
        /// What Flux says first: the step that failed.
        told: &'static str,
        /// The answer in the words of that library, with the server's message.
        said: String,
    },
}

impl Provider {
    /// A provider of which nothing else is known.
    pub fn new(kind: Kind, address: impl Into<String>) -> Self {
        Self {
            kind,
            address: Secret::new(address),
            channel: String::new(),
            username: String::new(),
            password: Secret::default(),
            token: Secret::default(),
            token_of: TokenOf::default(),
            headers: BTreeMap::new(),
            nats_credentials: Secret::default(),
            nats_seed: Secret::default(),
            status_id: String::new(),
            uid: String::new(),
            alert: AlertIdentity::default(),
        }
    }

    /// The token, or else the password, as the git services have it.
    pub(crate) fn token_or_password(&self) -> &Secret {
        if self.token.is_empty() { &self.password } else { &self.token }
    }
}
