//! Requests to a git server: one origin, one login, one deadline.

use std::sync::OnceLock;

use bytes::Bytes;
use http_access::Cause;
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header};
use tokio::time::{Instant, timeout_at};

use crate::{
    access::{Access, Credentials, InvalidAccess},
    error::{Error, quoted},
    limits::Limits,
    reach::Reach,
};

/// Asks git servers. Keeps connections, but never logins.
#[derive(Debug)]
pub struct Client {
    limits: Limits,
    reach: Reach,
    /// For all repositories without TLS settings or proxy of their own.
    plain: OnceLock<reqwest::Client>,
}

/// One repository, for one operation.
#[derive(Debug)]
pub struct Remote {
    /// Where it is.
    pub url: String,
    /// How it is reached.
    pub access: Access,
    /// When all of the operation must be over.
    pub deadline: Instant,
}

/// The requests of one conversation.
#[derive(Debug)]
pub(crate) struct Http {
    client: reqwest::Client,
    /// The repository, where the server has redirected us to; never holds a login.
    pub(crate) base: Url,
    credentials: Credentials,
    proxy: Option<String>,
    deadline: Instant,
    limits: Limits,
    pub(crate) reach: Reach,
}

/// The answer to a request, read piece by piece.
#[derive(Debug)]
pub(crate) struct Body {
    response: Response,
    deadline: Instant,
    idle: std::time::Duration,
}

/// Some servers (those of Azure and AWS) only talk to clients that call themselves git.
const USER_AGENT: &str = concat!("git/1.0 (ferroflux ", env!("CARGO_PKG_VERSION"), ")");

pub(crate) const MAX_REDIRECTS: usize = 5;
const REFS: &str = "info/refs?service=git-upload-pack";
const UPLOAD_PACK: &str = "git-upload-pack";

impl Client {
    /// A client that accepts no more than `limits`.
    pub fn new(limits: Limits) -> Self {
        Self::within(Reach::Anywhere, limits)
    }

    /// A client that goes no further than `reach` and accepts no more than `limits`.
    pub fn within(reach: Reach, limits: Limits) -> Self {
        Self { limits, reach, plain: OnceLock::new() }
    }

    pub(crate) fn http(&self, remote: Remote) -> Result<Http, InvalidAccess> {
        let mut base = Url::parse(&remote.url).map_err(|_syntax| InvalidAccess::Url)?;
        if !matches!(base.scheme(), "http" | "https") {
            return Err(InvalidAccess::Scheme { scheme: base.scheme().to_owned() });
        }
        self.reach.check(&base)?;
        let client = self.client(&remote.access.connection)?;
        let credentials = remote.access.credentials.or_from(&mut base);
        let proxy = remote.access.connection.proxy.map(|proxy| proxy.url);
        let (limits, reach) = (self.limits.clone(), self.reach.clone());
        Ok(Http { client, base, credentials, proxy, deadline: remote.deadline, limits, reach })
    }

    fn client(&self, access: &http_access::Access) -> Result<reqwest::Client, InvalidAccess> {
        if !access.is_plain() {
            return build(&self.limits, &self.reach, access);
        }
        if let Some(plain) = self.plain.get() {
            return Ok(plain.clone());
        }
        // Two who come at once build two, and one stays.
        let built = build(&self.limits, &self.reach, access)?;
        Ok(self.plain.get_or_init(|| built).clone())
    }
}

fn build(
    limits: &Limits,
    reach: &Reach,
    access: &http_access::Access,
) -> Result<reqwest::Client, InvalidAccess> {
    let mut builder = reqwest::Client::builder()
        .user_agent(USER_AGENT)
        // Redirects are followed by hand, because the login must not follow.
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(limits.connect_timeout)
        .no_gzip();
    if let Some(resolver) = reach.resolver() {
        builder = builder.dns_resolver(std::sync::Arc::new(resolver));
    }
    let built = access
        .prepare(builder)
        .and_then(|it| it.build().map_err(http_access::InvalidAccess::Client));
    built.map_err(InvalidAccess::Connection)
}

impl Http {
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Asks what the server offers, and remembers where it has sent us to.
    pub(crate) async fn refs(&mut self) -> Result<Body, Error> {
        for _ in 0..=MAX_REDIRECTS {
            let url = self.url(REFS);
            let request = self.request(Method::GET, &url).header(header::ACCEPT, "*/*");
            let response = self.send("Get", &url, request).await?;
            if !response.status().is_redirection() {
                let expected = "application/x-git-upload-pack-advertisement";
                return self.checked(response, expected).await;
            }
            self.follow(&url, &response)?;
        }
        Err(Error::Redirect { url: self.url(REFS), why: "there are too many" })
    }

    /// Sends a command.
    pub(crate) async fn command(&self, body: Vec<u8>) -> Result<Body, Error> {
        let url = self.url(UPLOAD_PACK);
        let request = self
            .request(Method::POST, &url)
            .header(header::CONTENT_TYPE, "application/x-git-upload-pack-request")
            .header(header::ACCEPT, "application/x-git-upload-pack-result")
            .body(body);
        let response = self.send("Post", &url, request).await?;
        self.checked(response, "application/x-git-upload-pack-result").await
    }

    fn url(&self, tail: &str) -> String {
        format!("{}/{tail}", self.base.as_str().trim_end_matches('/'))
    }

    pub(crate) fn request(&self, method: Method, url: &str) -> RequestBuilder {
        let request = self.client.request(method, url).header("git-protocol", "version=2");
        match &self.credentials {
            Credentials::None => request,
            Credentials::Basic { username, password } => {
                request.basic_auth(username, Some(password.expose()))
            }
            Credentials::Bearer(token) => request.bearer_auth(token.expose()),
        }
    }

    pub(crate) async fn send(
        &self,
        method: &'static str,
        url: &str,
        request: RequestBuilder,
    ) -> Result<Response, Error> {
        // The first byte may take as long as a server may be silent, but not longer than all.
        let silent = Instant::now() + self.limits.connect_timeout + self.limits.idle_timeout;
        let source = match timeout_at(self.deadline.min(silent), request.send()).await {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) => Cause::of(error, &self.base, self.proxy.as_deref()).await,
            Err(_elapsed) if self.deadline <= silent => Cause::Deadline,
            Err(_elapsed) => Cause::Silent,
        };
        Err(Error::Request { method, url: url.to_owned(), source })
    }

    async fn checked(&self, response: Response, expected: &str) -> Result<Body, Error> {
        let url = response.url().to_string();
        let kind = response.headers().get(header::CONTENT_TYPE).cloned();
        let body = self.succeeded(response, &url).await?;
        let is_git = kind.is_some_and(|kind| kind.as_bytes().starts_with(expected.as_bytes()));
        let what = "the address does not lead to a git repository";
        if is_git { Ok(body) } else { Err(Error::Protocol { what }) }
    }

    /// What is answered, if it is a success.
    pub(crate) async fn succeeded(&self, response: Response, url: &str) -> Result<Body, Error> {
        let status = response.status();
        let mut body = Body { response, deadline: self.deadline, idle: self.limits.idle_timeout };
        if status.is_success() {
            return Ok(body);
        }
        let reason = body.beginning().await;
        Err(match status {
            StatusCode::UNAUTHORIZED => Error::AuthenticationRequired { reason },
            StatusCode::FORBIDDEN => Error::AuthorizationFailed { reason },
            StatusCode::NOT_FOUND => Error::RepositoryNotFound { reason },
            status => Error::Status { url: url.to_owned(), status: status.as_u16(), reason },
        })
    }

    /// Goes on where the server sends us; without the login if that is another server.
    fn follow(&mut self, url: &str, response: &Response) -> Result<(), Error> {
        let refused = |why| Error::Redirect { url: url.to_owned(), why };
        let mut target = response
            .headers()
            .get(header::LOCATION)
            .and_then(|location| location.to_str().ok())
            .and_then(|location| response.url().join(location).ok())
            .ok_or_else(|| refused("it has no usable address"))?;
        if !matches!(target.scheme(), "http" | "https") {
            return Err(refused("it leads to another protocol"));
        }
        if self.base.scheme() == "https" && target.scheme() == "http" {
            return Err(refused("it leads from https to http"));
        }
        if target.origin() != self.base.origin() && !self.reach.crosses_hosts() {
            return Err(refused("it leads to another server"));
        }
        // Nor do we take a login from a server.
        let _foreign_login = Credentials::None.or_from(&mut target);
        target.set_query(None);
        let path = target
            .path()
            .strip_suffix("/info/refs")
            .ok_or_else(|| refused("it does not lead to a repository"))?
            .to_owned();
        target.set_path(&path);
        if target.origin() != self.base.origin() {
            self.credentials = Credentials::None;
        }
        self.base = target;
        Ok(())
    }
}

impl Body {
    /// The next piece; none at the end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let silent = Instant::now() + self.idle;
        match timeout_at(self.deadline.min(silent), self.response.chunk()).await {
            Ok(Ok(chunk)) => Ok(chunk),
            Ok(Err(error)) => Err(Error::Read(Cause::of_read(error))),
            Err(_elapsed) if self.deadline <= silent => Err(Error::Read(Cause::Deadline)),
            Err(_elapsed) => Err(Error::Read(Cause::Silent)),
        }
    }

    /// What a server says to explain itself, as far as it comes.
    async fn beginning(&mut self) -> String {
        let mut bytes = Vec::new();
        while bytes.len() < 4096
            && let Ok(Some(chunk)) = self.chunk().await
        {
            bytes.extend_from_slice(&chunk);
        }
        quoted(&bytes)
    }
}
