//! Tokens that a provider needs and no Secret has: of clouds, for a key or for who we are there, and
//! of GitHub Apps.

use alert_message::{Kind, Provider as Told, TokenOf};
use crd_types::notification::Provider;
use http_access::{Access, Url};
use key_services::{AccountError, AppError, BearerError, GitHubApp, ServiceAccount};
use kube::ResourceExt as _;
use secret_text::Secret;

use super::outfit::Outfit;
use crate::context::Context;
use crate::secrets::Found;

const EVENT_HUBS: &str = "https://eventhubs.azure.net//.default";
const DEVOPS: &str = "499b84ac-1321-427f-aa17-267ca6975798/.default";
const PUBSUB: [&str; 2] =
    ["https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/pubsub"];

/// A token that somebody hands out.
pub(crate) enum Wanted {
    /// Of Google, for a key.
    GoogleKey(Secret),
    /// Of Google, for who we are there.
    Google,
    /// Of Azure, for who we are there.
    Azure {
        scope: &'static str,
        /// What is said if there is none.
        failure: &'static str,
    },
    /// Of a GitHub App, with its name if it is to comment.
    App { app: Box<GitHubApp>, comments: bool },
}

/// Why there is no token. The words are Flux's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("error publishing to GCP Pub/Sub topic")]
    Google(#[source] BearerError),
    #[error("{failure}: failed to get token")]
    Azure { failure: &'static str, source: BearerError },
    #[error(transparent)]
    App(#[from] AppError),
    #[error("context deadline exceeded")]
    Deadline,
}

impl Error {
    /// Whether somebody was asked for a token, and gave none.
    pub(crate) const fn is_of_asking(&self) -> bool {
        match self {
            Self::App(_) | Self::Deadline => true,
            Self::Google(error) | Self::Azure { source: error, .. } => match error {
                BearerError::OfAccount { .. }
                | BearerError::OfController(_)
                | BearerError::OfKey(_)
                | BearerError::Access(_)
                | BearerError::Account(AccountError::Token { .. }) => true,
                BearerError::Account(AccountError::Get { .. } | AccountError::NoDefault { .. })
                | BearerError::Audience(_)
                | BearerError::Identity { .. }
                | BearerError::Key(_) => false,
            },
        }
    }
}

/// What is wrong with how a provider is to get its token. The words are Flux's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unclear {
    #[error("failed to initialize notifier: invalid authentication options: {0}")]
    Twice(&'static str),
    #[error("failed to initialize notifier")]
    App(#[source] AppError),
}

/// The token that a provider needs besides what its Secret has, of which it may be made.
///
/// # Errors
/// If there is too much or too little to get one.
pub(crate) fn wanted(
    provider: &Told,
    names_account: bool,
    secret: Option<&Found>,
) -> Result<Option<Wanted>, Unclear> {
    let has_token = !provider.token.is_empty();
    let azure = |scope, failure| (!has_token).then_some(Wanted::Azure { scope, failure });
    match provider.kind {
        // Without a topic there is nothing to be told.
        Kind::GooglePubSub if provider.address.is_empty() || provider.channel.is_empty() => {
            Ok(None)
        }
        Kind::GooglePubSub if has_token => Ok(Some(Wanted::GoogleKey(provider.token.clone()))),
        Kind::GooglePubSub => Ok(Some(Wanted::Google)),
        Kind::AzureEventHub if provider.address.is_empty() => Ok(None),
        Kind::AzureEventHub => {
            let is_shared = provider.address.expose().contains("SharedAccessKey");
            let twice = |other| Err(Unclear::Twice(other));
            match (is_shared, names_account) {
                (true, true) => twice(
                    "serviceAccountName and SAS authentication cannot be set at the same time",
                ),
                (true, false) => Ok(None),
                (false, true) if has_token => twice(
                    "serviceAccountName and jwt token authentication cannot be set at the same time",
                ),
                (false, _) => {
                    Ok(azure(EVENT_HUBS, "failed to create a eventhub using managed identity"))
                }
            }
        }
        Kind::AzureDevOps => Ok(azure(DEVOPS, "failed to acquire azure devops token")),
        Kind::GitHub | Kind::GitHubDispatch | Kind::GitHubPullRequestComment
            if !has_token && provider.password.is_empty() =>
        {
            let of_app = secret.filter(|secret| secret.text(GitHubApp::ID).is_some());
            let Some(secret) = of_app else { return Ok(None) };
            let app = GitHubApp::read(|key| secret.text(key)).map_err(Unclear::App)?;
            let comments = provider.kind == Kind::GitHubPullRequestComment;
            Ok(Some(Wanted::App { app: Box::new(app), comments }))
        }
        _ => Ok(None),
    }
}

/// Gets the token that an outfit still needs.
///
/// # Errors
/// If nobody hands it out.
pub(crate) async fn fetch(
    ctx: &Context,
    provider: &Provider,
    outfit: &mut Outfit,
) -> Result<(), Error> {
    let Some(wanted) = &outfit.wanted else { return Ok(()) };
    let account = account(ctx, provider);
    let (account, access) = (account.as_ref(), &outfit.access);
    let proxy = access.proxy.as_ref();
    let asked = async {
        match wanted {
            Wanted::GoogleKey(key) => {
                let asked = ctx.bearers.google_key(key.expose(), &PUBSUB, proxy).await;
                asked.map_err(Error::Google)
            }
            Wanted::Google => ctx.bearers.google(account, proxy).await.map_err(Error::Google),
            Wanted::Azure { scope, failure } => {
                let asked = ctx.bearers.azure(account, scope, proxy).await;
                asked.map_err(|source| Error::Azure { failure, source })
            }
            Wanted::App { app, comments } => {
                Ok(ctx.bearers.github_app(app, *comments, access).await?)
            }
        }
    };
    let asked = tokio::time::timeout(outfit.timeout, asked).await;
    let asked = asked.unwrap_or(Err(Error::Deadline));
    if ctx.settings.tokens.tokens > 0 && ctx.knows(provider) {
        ctx.token_uses.count(provider, asked.as_ref(), ctx.bearers.counts());
    }
    let bearer = asked?;
    if account.is_none() && matches!(wanted, Wanted::Google | Wanted::Azure { .. }) {
        outfit.access = guarded(access, &outfit.provider);
    }
    outfit.provider.token_of = match wanted {
        Wanted::App { .. } => TokenOf::GitHubApp { login: format!("{}[bot]", bearer.slug) },
        Wanted::GoogleKey(_) | Wanted::Google | Wanted::Azure { .. } => TokenOf::Identity,
    };
    outfit.provider.token = Secret::new(bearer.token.as_str());
    Ok(())
}

/// How a server is reached that sees a token of the controller's own. Whoever sets a provider up may
/// name a proxy, but neither who vouches for the server, nor a proxy that sees what is sent.
fn guarded(access: &Access, provider: &Told) -> Access {
    let is_encrypted = provider.kind != Kind::AzureDevOps
        || Url::parse(provider.address.expose()).is_ok_and(|url| url.scheme() == "https");
    let proxy = access.proxy.clone().filter(|_| is_encrypted);
    Access { proxy, ..Access::default() }
}

/// Puts something that is no token where one would be, and asks nobody.
pub(crate) fn pretend(outfit: &mut Outfit) {
    let token_of = match &outfit.wanted {
        None => return,
        Some(Wanted::App { .. }) => TokenOf::GitHubApp { login: String::new() },
        Some(Wanted::GoogleKey(_) | Wanted::Google | Wanted::Azure { .. }) => TokenOf::Identity,
    };
    (outfit.provider.token, outfit.provider.token_of) = (Secret::new("none"), token_of);
}

/// The service account that a Provider is known by; none means the controller itself.
fn account(ctx: &Context, provider: &Provider) -> Option<ServiceAccount> {
    let (client, namespace) =
        (ctx.runtime.client.clone(), provider.namespace().unwrap_or_default());
    let named = provider.spec.service_account_name.clone().filter(|name| !name.is_empty());
    match (named, &ctx.settings.default_service_account) {
        (Some(name), _) => Some(ServiceAccount::named(client, namespace, name)),
        (None, Some(name)) => Some(ServiceAccount::default_of(client, namespace, name.clone())),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::found;

    fn told(kind: Kind, address: &str, token: &str) -> Told {
        Told {
            channel: "channel".to_owned(),
            token: Secret::new(token),
            ..Told::new(kind, address)
        }
    }

    fn name(wanted: Option<&Wanted>) -> &'static str {
        match wanted {
            None => "",
            Some(Wanted::GoogleKey(_)) => "key",
            Some(Wanted::Google) => "google",
            Some(Wanted::Azure { .. }) => "azure",
            Some(Wanted::App { comments: true, .. }) => "commenting app",
            Some(Wanted::App { comments: false, .. }) => "app",
        }
    }

    #[test]
    fn clouds_hand_out_what_no_secret_has() {
        const SHARED: &str = "Endpoint=sb://n;SharedAccessKey=k";
        for (kind, address, token, names_account, expected) in [
            (Kind::GooglePubSub, "project", "{}", false, Ok("key")),
            (Kind::GooglePubSub, "project", "", false, Ok("google")),
            (Kind::GooglePubSub, "", "", false, Ok("")),
            (Kind::AzureEventHub, "hub", "", true, Ok("azure")),
            (Kind::AzureEventHub, "hub", "jwt", false, Ok("")),
            (Kind::AzureEventHub, "", "", true, Ok("")),
            (Kind::AzureEventHub, SHARED, "", false, Ok("")),
            (Kind::AzureEventHub, SHARED, "", true, Err("serviceAccountName and SAS")),
            (Kind::AzureEventHub, "hub", "jwt", true, Err("serviceAccountName and jwt token")),
            (Kind::AzureDevOps, "https://dev.azure.com", "pat", true, Ok("")),
            (Kind::AzureDevOps, "https://dev.azure.com", "", false, Ok("azure")),
            (Kind::Slack, "https://slack.example", "", true, Ok("")),
        ] {
            let found = wanted(&told(kind, address, token), names_account, None);
            match (found, expected) {
                (Ok(found), Ok(expected)) => {
                    assert_eq!(name(found.as_ref()), expected, "{address}");
                }
                (Err(error), Err(expected)) => assert!(error.to_string().contains(expected)),
                (found, _) => panic!("{}: {:?}", kind.name(), found.map(|it| name(it.as_ref()))),
            }
        }
    }

    #[test]
    fn who_names_a_proxy_does_not_see_what_the_controller_sends() {
        let url = "http://proxy".to_owned();
        let access = Access {
            ca_pem: Some(b"pem".to_vec()),
            proxy: Some(http_access::Proxy { url, login: None }),
            trust_anyone: true,
            ..Access::default()
        };
        for (kind, address, keeps_proxy) in [
            (Kind::AzureDevOps, "https://dev.azure.com/o/p/_git/r", true),
            (Kind::AzureDevOps, "http://127.0.0.1/o/p/_git/r", false),
            (Kind::AzureDevOps, "h\nttp://127.0.0.1/o/p/_git/r", false),
            (Kind::AzureDevOps, "me@127.0.0.1:o/p/_git/r", false),
            (Kind::AzureEventHub, "hub", true),
            (Kind::GooglePubSub, "project", true),
        ] {
            let found = guarded(&access, &told(kind, address, ""));
            assert_eq!(found.proxy.is_some(), keeps_proxy, "{address}");
            assert!(found.ca_pem.is_none() && !found.trust_anyone);
        }
    }

    #[test]
    fn an_app_stands_in_where_there_is_no_token() {
        let half = found(&[("githubAppID", "1")]);
        let none = found(&[("other", "x")]);
        let address = "https://github.com/acme/fleet";
        let ask = |kind, token, secret| match wanted(&told(kind, address, token), false, secret) {
            Ok(found) => name(found.as_ref()).to_owned(),
            Err(error) => reconcile_loop::chain(&error),
        };
        for kind in [Kind::GitHub, Kind::GitHubDispatch, Kind::GitHubPullRequestComment] {
            assert_eq!(ask(kind, "token", Some(&half)), "");
            assert_eq!(ask(kind, "", Some(&none)), "");
            let text = "failed to initialize notifier: app installation owner or ID must be provided \
                        to use github app authentication";
            assert_eq!(ask(kind, "", Some(&half)), text);
        }
        assert_eq!(ask(Kind::GitLab, "", Some(&half)), "");
    }
}
