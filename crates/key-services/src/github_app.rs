//! GitHub Apps: a token that the App signs, for one of an installation.

use std::time::Duration;

use error_chain::chain;
use http_access::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use http_access::{
    Authorization, Cause, Client, InvalidAccess, Method, ReadError, Request, SendError, Url,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::identity::Secret;
use crate::jwt::{self, NoKey};
use crate::kept::{Bearer, Key};
use crate::request::escaped;

/// Where GitHub is, if the App does not say.
const GITHUB: &str = "https://api.github.com";
/// How long GitHub may take for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Limit: bytes of an answer.
const ANSWER_BYTES: u64 = 64 << 10;
/// How far the clocks may differ.
const DRIFT_SECONDS: i64 = 30;
/// How long what the App signs is good for: it is used at once.
const SIGNED_SECONDS: i64 = 120;

/// A GitHub App, as a Secret describes it.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "what cannot be printed cannot leak")]
pub struct GitHubApp {
    id: i64,
    installation: Installation,
    private_key: Secret,
    base_url: String,
}

/// Where the App is installed.
#[derive(Clone)]
enum Installation {
    Id(i64),
    /// With an organization or a user of this name.
    Owner(String),
}

/// Why there is no token. The words are Flux's, without addresses.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The Secret says something that is not enough, or too much.
    #[error("{sentence}")]
    Setting {
        /// What is wrong.
        sentence: &'static str,
    },
    /// The key signs nothing.
    #[error("could not parse private key: {problem}")]
    PrivateKey {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The address of the server is none.
    #[error("invalid API URL: parse <address>: invalid URL")]
    BaseUrl,
    /// A certificate, a key or the proxy cannot be used.
    #[error(transparent)]
    Access(#[from] InvalidAccess),
    /// The server does not say what the App is called.
    #[error("failed to get app information")]
    Information(#[source] AskError),
    /// It is installed nowhere.
    #[error(
        "failed to find organization installation: {}\nfailed to find user installation: {}",
        chain(&**organization),
        chain(&**user)
    )]
    Installation {
        /// With an organization.
        organization: Box<AskError>,
        /// With a user.
        user: Box<AskError>,
    },
    /// There is no token for the installation.
    #[error("failed to create installation token")]
    Token(#[source] AskError),
}

/// Why the server did not say what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// It did not answer.
    #[error("{method}")]
    NoAnswer {
        /// The method.
        method: Method,
        /// What happened.
        source: Cause,
    },
    /// It is not asked.
    #[error("{method}: {why}")]
    Refused {
        /// The method.
        method: Method,
        /// Why not.
        why: &'static str,
    },
    /// It did not like the question.
    #[error("{method} {status}")]
    Status {
        /// The method.
        method: Method,
        /// What it answered.
        status: u16,
    },
    /// The answer broke off.
    #[error("{method}")]
    Answer {
        /// The method.
        method: Method,
        /// What is wrong with it.
        source: ReadError,
    },
    /// The answer is not what it should be.
    #[error("{method}: the answer is not understood")]
    Unknown {
        /// The method.
        method: Method,
    },
}

impl GitHubApp {
    /// Whether a Secret is about an App: it has its id.
    pub const ID: &str = "githubAppID";

    /// Reads the entries `githubApp…` of a Secret.
    ///
    /// # Errors
    /// If one that is needed is missing, or two are there of which one is.
    pub fn read(entry: impl Fn(&str) -> Option<String>) -> Result<Self, AppError> {
        let invalid = |sentence| AppError::Setting { sentence };
        let number = |name: &str| entry(name)?.parse::<i64>().ok().filter(|number| *number != 0);
        let text = |name: &str| entry(name).filter(|text| !text.is_empty());
        let needed = "app ID must be provided to use github app authentication";
        let id = number(Self::ID).ok_or_else(|| invalid(needed))?;
        let installation =
            match (number("githubAppInstallationID"), text("githubAppInstallationOwner")) {
                (Some(id), None) => Installation::Id(id),
                (None, Some(owner)) => Installation::Owner(owner),
                (None, None) => {
                    let needed = "app installation owner or ID must be provided to use github app \
                              authentication";
                    return Err(invalid(needed));
                }
                (Some(_), Some(_)) => {
                    let either = "only one of app installation owner or ID must be provided to use \
                              github app authentication";
                    return Err(invalid(either));
                }
            };
        let needed = "private key must be provided to use github app authentication";
        let private_key = text("githubAppPrivateKey").ok_or_else(|| invalid(needed))?;
        let private_key = Zeroizing::new(private_key);
        jwt::Key::read(&private_key)?;
        let base_url = text("githubAppBaseURL").unwrap_or_else(|| GITHUB.to_owned());
        Ok(Self { id, installation, private_key, base_url })
    }

    /// Under what its token is kept.
    pub(crate) fn kept_as(&self, with_slug: bool) -> Key {
        let (id, slug) = (self.id.to_string(), with_slug.to_string());
        let (kind, installed) = match &self.installation {
            Installation::Id(id) => ("id", id.to_string()),
            Installation::Owner(owner) => ("owner", owner.clone()),
        };
        Key::of(&["github", &id, kind, &installed, &self.base_url, &self.private_key, &slug])
    }

    /// A token of the installation, and how long it is good for.
    pub(crate) async fn token(
        &self,
        client: &Client,
        with_slug: bool,
    ) -> Result<(Bearer, Option<Duration>), AppError> {
        let server = Server { client, base: self.base()?, authorization: self.authorization()? };
        let mut slug = String::new();
        if with_slug {
            slug = server.get(&["app"], "/slug", text).await.map_err(AppError::Information)?;
        }
        let id = self.installation(&server).await?.to_string();
        let answer =
            server.ask(Method::POST, &["app", "installations", &id, "access_tokens"]).await;
        let answer = answer.map_err(AppError::Token)?;
        let unknown = || AppError::Token(AskError::Unknown { method: Method::POST });
        let token = text(&answer["token"]).ok_or_else(unknown)?;
        let end = answer["expires_at"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
        let life = end.map(|end| end.duration_since(Timestamp::now()));
        let life = life.map(|life| Duration::try_from(life).unwrap_or_default());
        Ok((Bearer { token: Zeroizing::new(token), slug, was_kept: false }, life))
    }

    async fn installation(&self, server: &Server<'_>) -> Result<i64, AppError> {
        let owner = match &self.installation {
            Installation::Id(id) => return Ok(*id),
            Installation::Owner(owner) => owner,
        };
        let found =
            async |kind| server.get(&[kind, owner, "installation"], "/id", Value::as_i64).await;
        let organization = match found("orgs").await {
            Ok(id) => return Ok(id),
            Err(error) => Box::new(error),
        };
        let user = found("users").await.map_err(Box::new);
        user.map_err(|user| AppError::Installation { organization, user })
    }

    fn base(&self) -> Result<Url, AppError> {
        let base = Url::parse(&self.base_url).map_err(|_malformed| AppError::BaseUrl)?;
        if matches!(base.scheme(), "http" | "https") { Ok(base) } else { Err(AppError::BaseUrl) }
    }

    /// What the App signs to show who it is.
    fn authorization(&self) -> Result<Authorization, AppError> {
        let begin = Timestamp::now().as_second() - DRIFT_SECONDS;
        let claims =
            json!({"iss": self.id.to_string(), "iat": begin, "exp": begin + SIGNED_SECONDS});
        let signed = jwt::Key::read(&self.private_key)?
            .sign(&json!({"alg": "RS256", "typ": "JWT"}), &claims)?;
        let value = Zeroizing::new(format!("Bearer {}", signed.as_str()));
        let unusable = |_| AppError::PrivateKey { problem: "its signature is no header" };
        let mut value = HeaderValue::from_str(&value).map_err(unusable)?;
        value.set_sensitive(true);
        Ok(Authorization::Headers(HeaderMap::from_iter([(AUTHORIZATION, value)])))
    }
}

/// A GitHub server, asked by an App.
struct Server<'a> {
    client: &'a Client,
    base: Url,
    authorization: Authorization,
}

impl Server<'_> {
    /// Something of an answer.
    async fn get<T>(
        &self,
        path: &[&str],
        pointer: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<T, AskError> {
        let answer = self.ask(Method::GET, path).await?;
        let found = answer.pointer(pointer).and_then(read);
        found.ok_or(AskError::Unknown { method: Method::GET })
    }

    async fn ask(&self, method: Method, path: &[&str]) -> Result<Value, AskError> {
        let mut url = self.base.clone();
        let path: Vec<String> = path.iter().map(|segment| escaped(segment)).collect();
        url.set_path(&format!("{}/{}", self.base.path().trim_end_matches('/'), path.join("/")));
        let version = HeaderName::from_static("x-github-api-version");
        let headers = [
            (ACCEPT, HeaderValue::from_static("application/vnd.github+json")),
            (version, HeaderValue::from_static("2022-11-28")),
        ];
        let request = Request {
            method: method.clone(),
            url: &url,
            authorization: Some(&self.authorization),
            headers: HeaderMap::from_iter(headers),
            body: None,
        };
        let sent = self.client.send(request, Instant::now() + TIMEOUT).await;
        let answer = sent.map_err(|error| unanswered(method.clone(), error))?;
        let status = answer.status();
        if !status.is_success() {
            return Err(AskError::Status { method, status: status.as_u16() });
        }
        let body = answer.limited(ANSWER_BYTES).bytes().await;
        let body = body.map_err(|source| AskError::Answer { method: method.clone(), source })?;
        serde_json::from_slice(&body).map_err(|_quotes| AskError::Unknown { method })
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

/// Why, without where.
fn unanswered(method: Method, error: SendError) -> AskError {
    match error {
        SendError::Request { source, .. } => AskError::NoAnswer { method, source },
        SendError::Redirect { why, .. } => AskError::Refused { method, why },
        SendError::LinkLocal { .. } => AskError::Refused {
            method,
            why: "the address is link-local, where no server of GitHub is",
        },
        SendError::Scheme { .. } => {
            AskError::Refused { method, why: "unsupported protocol scheme" }
        }
    }
}

impl From<NoKey> for AppError {
    fn from(problem: NoKey) -> Self {
        Self::PrivateKey {
            problem: match problem {
                NoKey::Pem => "invalid key: Key must be a PEM encoded PKCS1 or PKCS8 key",
                NoKey::Rsa => "key is not a valid RSA private key",
            },
        }
    }
}
