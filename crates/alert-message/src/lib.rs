//! Notifications: from an event and a provider to the requests that tell it.
//!
//! [`begin`] answers the first [`Step`] of a conversation with the provider's server. Most are one
//! request long; a commit status is looked up before it is set, a comment before it is edited. The
//! caller sends what a step asks for and hands the answer to its continuation, so that everything
//! here is a pure function and can be compared with what Flux's notifiers send.

mod address;
mod chat;
mod comment;
mod commit_status;
mod forward;
mod git_service;
mod incident;
mod kind;
mod provider;
mod refusal;
mod request;
mod thread;
mod words;

pub use address::UriFault;
pub use kind::{Class, Kind};
pub use provider::{AlertIdentity, Error, Provider, TokenOf};
pub use request::{Answer, Continuation, Method, NatsLogin, Publication, Request, SharedKey, Step};
pub use thread::{Place, Thread};

use event_api::Event;

/// The first step of telling a provider of an event. Kinds that know no threads tell it as if it were
/// alone, wherever it belongs.
///
/// # Errors
/// When the provider is not set up as its kind needs it, or the event lacks what the provider is
/// told by. The text never contains the address, which may be a secret.
pub fn begin(provider: &Provider, event: &Event, place: Place<'_>) -> Result<Step, Error> {
    let tell = match provider.kind {
        Kind::Generic => forward::generic::tell,
        Kind::GenericHmac => forward::generic_hmac::tell,
        Kind::GitHubDispatch => forward::github_dispatch::tell,
        Kind::Nats => forward::nats::tell,
        Kind::GooglePubSub => forward::google_pubsub::tell,
        Kind::AzureEventHub => forward::azure_event_hub::tell,
        Kind::Slack => return chat::slack::tell(provider, event, place),
        Kind::Discord => chat::discord::tell,
        Kind::Rocket => chat::rocket::tell,
        Kind::MsTeams => chat::ms_teams::tell,
        Kind::GoogleChat => return chat::google_chat::tell(provider, event, place),
        Kind::Webex => return chat::webex::tell(provider, event, place),
        Kind::Telegram => return chat::telegram::tell(provider, event, place),
        Kind::Lark => chat::lark::tell,
        Kind::Matrix => return chat::matrix::tell(provider, event, place),
        Kind::Zulip => chat::zulip::tell,
        Kind::Opsgenie => incident::opsgenie::tell,
        Kind::Alertmanager => return incident::alertmanager::tell(provider, event, place),
        Kind::Grafana => incident::grafana::tell,
        Kind::PagerDuty => incident::pager_duty::tell,
        Kind::DataDog => incident::datadog::tell,
        Kind::Sentry => incident::sentry::tell,
        Kind::Otel => incident::otel::tell,
        Kind::GitHub => commit_status::github::tell,
        Kind::GitLab => commit_status::gitlab::tell,
        Kind::Gitea => commit_status::gitea::tell,
        Kind::Bitbucket => commit_status::bitbucket::tell,
        Kind::BitbucketServer => commit_status::bitbucket_server::tell,
        Kind::AzureDevOps => commit_status::azure_devops::tell,
        Kind::GitHubPullRequestComment => comment::github::tell,
        Kind::GitLabMergeRequestComment => comment::gitlab::tell,
        Kind::GiteaPullRequestComment => comment::gitea::tell,
    };
    tell(provider, event)
}
