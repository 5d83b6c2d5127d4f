//! Asking, following redirects, and keeping the login at home.

use std::time::Duration;

use reqwest::{
    Method, Response, Url,
    header::{self, HeaderMap},
};
use secret_text::Secret;
use tokio::time::{Instant, timeout_at};

use crate::{
    access::{Access, InvalidAccess, Login},
    body::Body,
    cause::Cause,
    link_local,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a server may be silent.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_REDIRECTS: usize = 5;
const USER_AGENT: &str = concat!("ferroflux/", env!("CARGO_PKG_VERSION"));

/// Asks servers that are reached in one way. Keeps connections, but never logins.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    proxy: Option<String>,
    avoid_link_local: bool,
    /// The host of a proxy that is not to be asked.
    refused_proxy: Option<String>,
}

/// What is asked.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "it holds who asks")]
pub struct Request<'a> {
    /// How.
    pub method: Method,
    /// Where; `http` or `https`.
    pub url: &'a Url,
    /// Who asks. Sent to this server only: where it redirects to another one, that one is asked
    /// without.
    pub authorization: Option<&'a Authorization>,
    /// Further headers, none of them secret.
    pub headers: HeaderMap,
    /// What is sent along.
    pub body: Option<bytes::Bytes>,
}

/// Who asks.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "what cannot be printed cannot leak")]
pub enum Authorization {
    /// A user with a password.
    Basic(Login),
    /// A token.
    Bearer(Secret),
    /// Whatever else a server wants to see.
    Headers(HeaderMap),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The server could not be asked. In the words of Go's client.
    #[error("{verb} \"{url}\"")]
    Request {
        /// `Get`, `Head`, `Post`.
        verb: String,
        /// Without a login.
        url: String,
        /// What happened.
        source: Cause,
    },
    /// The server sends us where we do not go.
    #[error("{url} redirects, and {why}")]
    Redirect {
        /// Without a login.
        url: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The server is where no server of a user is.
    #[error("`{host}` is a link-local address, which is not asked")]
    LinkLocal {
        /// The address.
        host: String,
    },
    /// The URL is of another scheme.
    #[error("unsupported protocol scheme \"{scheme}\"")]
    Scheme {
        /// What it is.
        scheme: String,
    },
}

impl<'a> Request<'a> {
    /// Asks for what is at `url`.
    pub fn get(url: &'a Url, authorization: Option<&'a Authorization>) -> Self {
        Self { method: Method::GET, url, authorization, headers: HeaderMap::new(), body: None }
    }
}

impl Client {
    /// Prepares connections of this kind.
    ///
    /// # Errors
    /// If a certificate, a key or the proxy cannot be used.
    pub fn new(access: &Access) -> Result<Self, InvalidAccess> {
        let builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            // As Go writes them: some servers show what they got, and some look at it.
            .http1_title_case_headers()
            // Redirects are followed by hand, because the login must not follow.
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT);
        let http = access.prepare(builder)?.build().map_err(InvalidAccess::Client)?;
        let proxy = access.proxy.as_ref().map(|proxy| proxy.url.clone());
        let avoid_link_local = access.avoid_link_local;
        // Names of proxies are looked at when they are resolved, like all others.
        let refused_proxy = proxy.as_deref().filter(|_| avoid_link_local);
        let refused_proxy = refused_proxy.and_then(link_local::of_proxy);
        Ok(Self { http, proxy, avoid_link_local, refused_proxy })
    }

    /// Asks, and follows redirects. Any status is an answer. May be repeated as far as the method
    /// may; cancelling leaves nothing.
    ///
    /// # Errors
    /// If there is no answer before the deadline.
    pub async fn send(&self, request: Request<'_>, deadline: Instant) -> Result<Body, SendError> {
        if let Some(host) = &self.refused_proxy {
            return Err(SendError::LinkLocal { host: host.clone() });
        }
        let mut url = request.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            if !matches!(url.scheme(), "http" | "https") {
                return Err(SendError::Scheme { scheme: url.scheme().to_owned() });
            }
            if self.avoid_link_local && link_local::is_named(&url) {
                let host = url.host_str().unwrap_or_default().into();
                return Err(SendError::LinkLocal { host });
            }
            let is_home = url.origin() == request.url.origin();
            let response = self.once(&request, &url, is_home, deadline).await?;
            let follows = response.status().is_redirection()
                && matches!(request.method, Method::GET | Method::HEAD)
                && response.headers().contains_key(header::LOCATION);
            if !follows {
                return Ok(Body::new(response, deadline, IDLE_TIMEOUT));
            }
            url = target(&url, &response)?;
        }
        Err(SendError::Redirect { url: printed(request.url), why: "there are too many of them" })
    }

    async fn once(
        &self,
        request: &Request<'_>,
        url: &Url,
        is_home: bool,
        deadline: Instant,
    ) -> Result<Response, SendError> {
        let mut ask = self.http.request(request.method.clone(), url.clone());
        ask = ask.headers(request.headers.clone());
        ask = match request.authorization.filter(|_| is_home) {
            None => ask,
            Some(Authorization::Basic(login)) => {
                ask.basic_auth(&login.username, Some(login.password.expose()))
            }
            Some(Authorization::Bearer(token)) => ask.bearer_auth(token.expose()),
            Some(Authorization::Headers(headers)) => ask.headers(headers.clone()),
        };
        if let Some(body) = &request.body {
            ask = ask.body(body.clone());
        }
        let silent = Instant::now() + CONNECT_TIMEOUT + IDLE_TIMEOUT;
        let source = match timeout_at(deadline.min(silent), ask.send()).await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) => Cause::of(error, url, self.proxy.as_deref()).await,
            Err(_elapsed) if deadline <= silent => Cause::Deadline,
            Err(_elapsed) => Cause::Silent,
        };
        let method = request.method.as_str();
        let verb = format!("{}{}", &method[..1], method[1..].to_ascii_lowercase());
        Err(SendError::Request { verb, url: printed(url), source })
    }
}

/// Where a redirect leads.
fn target(from: &Url, response: &Response) -> Result<Url, SendError> {
    let refused = |why| SendError::Redirect { url: printed(from), why };
    let mut target = response
        .headers()
        .get(header::LOCATION)
        .and_then(|location| location.to_str().ok())
        .and_then(|location| from.join(location).ok())
        .ok_or_else(|| refused("its target is no address"))?;
    if from.scheme() == "https" && target.scheme() == "http" {
        return Err(refused("it leads from https to http"));
    }
    // Nor do we take a login from a server.
    let _foreign = Login::take_from(&mut target);
    Ok(target)
}

/// A URL as it may be told: without a login, and without a query, which may hold one too.
fn printed(url: &Url) -> String {
    let mut url = url.clone();
    let _login = Login::take_from(&mut url);
    let ellipsis = if url.query().is_some() { "?…" } else { "" };
    url.set_query(None);
    format!("{url}{ellipsis}")
}
