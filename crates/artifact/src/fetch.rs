//! Bringing an artifact over, and proving that it is the one that was advertised.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Client, Response, StatusCode, Url, header};

use crate::digest::Digest;

/// How artifacts are brought over.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How often a failed request is repeated.
    pub retries: u32,
    /// The wait before the first repetition; it doubles from there.
    pub min_wait: Duration,
    /// The longest wait.
    pub max_wait: Duration,
    /// The largest artifact that is accepted, compressed.
    pub max_bytes: u64,
    /// How long one attempt may take to connect.
    pub connect_timeout: Duration,
    /// How long the server may be silent.
    pub idle_timeout: Duration,
}

/// Brings artifacts over.
#[derive(Clone, Debug)]
pub struct Fetcher {
    client: Client,
    settings: Settings,
}

/// Why an artifact could not be brought over.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server does not have the artifact (yet, or any more).
    #[error("file not found")]
    NotFound,
    /// The URL cannot be used.
    #[error("failed to create a new request for `{url}`")]
    Url {
        /// The URL as advertised.
        url: String,
    },
    /// No attempt was answered, or every answer was one that calls for another attempt.
    #[error("failed to download archive: GET {url} giving up after {attempts} attempt(s)")]
    GaveUp {
        /// The URL as advertised.
        url: String,
        /// How many requests were made.
        attempts: u32,
        /// What went wrong with the last one, if it had no answer.
        #[source]
        source: Option<reqwest::Error>,
    },
    /// The server refused.
    #[error("failed to download archive from {url} (status: {status})")]
    Status {
        /// The URL as advertised.
        url: String,
        /// What the server answered.
        status: StatusCode,
    },
    /// The artifact is larger than we accept.
    #[error("artifact is greater than the max download size of {limit_bytes} bytes")]
    TooLarge {
        /// What would be accepted.
        limit_bytes: u64,
    },
    /// The bytes are not those that were advertised. The source may have moved in between.
    #[error(
        "failed to verify archive: computed digest doesn't match provided '{advertised}' \
         (check whether file size exceeds max download size)"
    )]
    Digest {
        /// The digest in the status of the source.
        advertised: Digest,
        /// The digest of what came.
        found: Digest,
    },
}

/// Why one attempt failed, and whether another may help.
enum Attempt {
    Final(Error),
    Repeat { source: Option<reqwest::Error>, after: Option<Duration> },
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            retries: 9,
            min_wait: Duration::from_secs(5),
            max_wait: Duration::from_secs(30),
            max_bytes: 256 << 20,
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
        }
    }
}

impl Fetcher {
    /// Prepares a client; it keeps connections to the artifact server open.
    ///
    /// # Errors
    /// If the TLS library cannot be set up.
    pub fn new(settings: Settings) -> Result<Self, reqwest::Error> {
        // Artifacts come from inside the cluster: no proxy, and no credentials that could leak.
        let client = Client::builder()
            .no_proxy()
            .no_gzip()
            .connect_timeout(settings.connect_timeout)
            .read_timeout(settings.idle_timeout)
            .redirect(reqwest::redirect::Policy::limited(5))
            .build()?;
        Ok(Self { client, settings })
    }

    /// The bytes behind `url`, which have `digest`. May be repeated; cancelling leaves nothing.
    ///
    /// # Errors
    /// If the server does not answer, refuses, or sends something else.
    pub async fn archive(&self, url: &str, digest: &Digest) -> Result<Bytes, Error> {
        let target = Url::parse(url).map_err(|_syntax| Error::Url { url: url.to_owned() })?;
        let mut wait = self.settings.min_wait;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (source, after) = match self.attempt(target.clone(), url, digest).await {
                Ok(bytes) => return Ok(bytes),
                Err(Attempt::Final(error)) => return Err(error),
                Err(Attempt::Repeat { source, after }) => (source, after),
            };
            if attempts > self.settings.retries {
                return Err(Error::GaveUp { url: url.to_owned(), attempts, source });
            }
            tokio::time::sleep(after.unwrap_or(wait).min(self.settings.max_wait)).await;
            wait = (wait * 2).min(self.settings.max_wait);
        }
    }

    async fn attempt(&self, target: Url, url: &str, digest: &Digest) -> Result<Bytes, Attempt> {
        let response = self.client.get(target).send().await.map_err(Attempt::repeat)?;
        match response.status() {
            StatusCode::OK => self.body(response, digest).await,
            StatusCode::NOT_FOUND => Err(Attempt::Final(Error::NotFound)),
            status if calls_for_repetition(status) => {
                Err(Attempt::Repeat { source: None, after: retry_after(&response) })
            }
            status => Err(Attempt::Final(Error::Status { url: url.to_owned(), status })),
        }
    }

    async fn body(&self, mut response: Response, digest: &Digest) -> Result<Bytes, Attempt> {
        let limit_bytes = self.settings.max_bytes;
        let too_large = || Attempt::Final(Error::TooLarge { limit_bytes });
        if response.content_length().is_some_and(|announced| announced > limit_bytes) {
            return Err(too_large());
        }
        let mut hasher = digest.algorithm().hasher();
        let mut bytes = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(Attempt::repeat)? {
            if (bytes.len() + chunk.len()) as u64 > limit_bytes {
                return Err(too_large());
            }
            hasher.update(&chunk);
            bytes.extend_from_slice(&chunk);
        }
        let found = hasher.finish();
        if found != *digest {
            let advertised = digest.clone();
            return Err(Attempt::Final(Error::Digest { advertised, found }));
        }
        Ok(bytes.freeze())
    }
}

impl Attempt {
    fn repeat(error: reqwest::Error) -> Self {
        Self::Repeat { source: Some(error), after: None }
    }
}

/// The address of an artifact: the advertised one, or the same path on another host.
pub fn address(advertised: &str, host: Option<&str>) -> String {
    let moved = host.and_then(|host| {
        let (scheme, rest) = advertised.split_once("://")?;
        let (_, path) = rest.split_once('/')?;
        Some(format!("{scheme}://{host}/{path}"))
    });
    moved.unwrap_or_else(|| advertised.to_owned())
}

fn calls_for_repetition(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS
        || (status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED)
}

/// Only the form in seconds; a date is left to the usual wait.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}
