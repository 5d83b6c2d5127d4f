//! One repository, for one operation.

use std::io::Write;

use bytes::Bytes;
use helm_chart::index::IndexEntry;
use http_access::{
    Access, Authorization, Body, Client, InvalidAccess, Login, ReadError, Request, SendError, Url,
};
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

/// One repository, for one operation.
#[derive(Debug)]
pub struct Repository {
    client: Client,
    base: Url,
    login: Option<Login>,
    pass_credentials: bool,
}

/// An index that was brought over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// SHA-256 of the bytes, in hex.
    pub sha256: String,
    /// How many they are.
    pub size_bytes: u64,
}

/// Why a URL is none of a repository.
#[derive(Debug, thiserror::Error)]
pub enum InvalidUrl {
    /// It cannot be parsed. In the words of Go.
    #[error("parse \"{url}\": invalid URI for request")]
    Syntax {
        /// As written.
        url: String,
    },
    /// It belongs to the other type of repository.
    #[error("'oci' URL scheme cannot be used with 'default' HelmRepository type")]
    Oci,
    /// Nobody serves that scheme.
    #[error("scheme \"{scheme}\" not supported")]
    Scheme {
        /// What it is.
        scheme: String,
    },
}

/// Why something could not be brought over.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The server could not be asked.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The answer broke off, or is too large.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The server refuses. The words are Helm's.
    #[error("failed to fetch {url} : {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// Code and its name.
        status: String,
    },
    /// The index is too large.
    #[error("index exceeds the maximum index file size of {limit_bytes} bytes")]
    IndexTooLarge {
        /// What would be accepted.
        limit_bytes: u64,
    },
    /// The archive is too large.
    #[error("chart exceeds the maximum chart size of {limit_bytes} bytes")]
    ChartTooLarge {
        /// What would be accepted.
        limit_bytes: u64,
    },
    /// The file that it goes to cannot be written.
    #[error("cannot write the file")]
    Write(#[source] std::io::Error),
    /// The index names no address for it.
    #[error("chart '{name}' has no downloadable URLs")]
    NoUrl {
        /// Name of the chart.
        name: String,
    },
    /// The index names an address that is none.
    #[error("invalid chart URL format '{url}'")]
    InvalidUrl {
        /// As written.
        url: String,
    },
    /// The archive is not the one that the index speaks of.
    #[error("chart archive has digest sha256:{found} where the index has {expected}")]
    Digest {
        /// As the index has it.
        expected: String,
        /// What came.
        found: String,
    },
}

impl Repository {
    /// A repository at `url`, reached by `access`. A login in the URL counts where there is no other.
    ///
    /// # Errors
    /// If the URL is of another scheme than http and https, or none.
    pub fn new(
        url: &str,
        client: Client,
        login: Option<Login>,
        pass_credentials: bool,
    ) -> Result<Self, InvalidUrl> {
        let mut base =
            Url::parse(url).map_err(|_syntax| InvalidUrl::Syntax { url: url.to_owned() })?;
        match base.scheme() {
            "http" | "https" => {}
            "oci" => return Err(InvalidUrl::Oci),
            other => return Err(InvalidUrl::Scheme { scheme: other.to_owned() }),
        }
        let of_url = Login::take_from(&mut base);
        Ok(Self { client, base, login: login.or(of_url), pass_credentials })
    }

    /// Prepares connections.
    ///
    /// # Errors
    /// If a certificate, a key or the proxy cannot be used.
    pub fn client(access: &Access) -> Result<Client, InvalidAccess> {
        Client::new(access)
    }

    /// Brings the index over into `file`. May be repeated; when cancelled, `file` has a part of it.
    ///
    /// # Errors
    /// If the server does not answer, refuses, or sends more than `limit_bytes`.
    pub async fn index(
        &self,
        file: &mut (impl Write + Send),
        limit_bytes: u64,
        deadline: Instant,
    ) -> Result<Downloaded, FetchError> {
        let mut url = self.base.clone();
        let path = format!("{}/index.yaml", url.path().trim_end_matches('/'));
        url.set_path(&path);
        let mut body = self.get(&url, deadline).await?.limited(limit_bytes);
        let mut hasher = Sha256::new();
        let mut size_bytes = 0;
        loop {
            let chunk = match body.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(ReadError::TooLarge { limit_bytes }) => {
                    return Err(FetchError::IndexTooLarge { limit_bytes });
                }
                Err(error) => return Err(error.into()),
            };
            hasher.update(&chunk);
            size_bytes += chunk.len() as u64;
            file.write_all(&chunk).map_err(FetchError::Write)?;
        }
        Ok(Downloaded { sha256: hex(&hasher.finalize()), size_bytes })
    }

    /// Brings the archive of a chart over, and checks it against the digest of the index. May be
    /// repeated; cancelling leaves nothing.
    ///
    /// # Errors
    /// If the server does not answer, refuses, or sends more than `limit_bytes` or something else.
    pub async fn archive(
        &self,
        name: &str,
        entry: &IndexEntry,
        limit_bytes: u64,
        deadline: Instant,
    ) -> Result<Bytes, FetchError> {
        let address =
            entry.urls.first().ok_or_else(|| FetchError::NoUrl { name: name.to_owned() })?;
        let url = self.resolved(address)?;
        let bytes = match self.get(&url, deadline).await?.limited(limit_bytes).bytes().await {
            Ok(bytes) => bytes,
            Err(ReadError::TooLarge { limit_bytes }) => {
                return Err(FetchError::ChartTooLarge { limit_bytes });
            }
            Err(error) => return Err(error.into()),
        };
        // Differs: Flux does not look at the digest of the index.
        let expected = entry.digest.trim();
        let found = hex(&Sha256::digest(&bytes));
        let hex_of_expected = expected.strip_prefix("sha256:").unwrap_or(expected);
        if !expected.is_empty() && !hex_of_expected.eq_ignore_ascii_case(&found) {
            return Err(FetchError::Digest { expected: expected.to_owned(), found });
        }
        Ok(bytes)
    }

    /// The address of a chart, which may be relative to the index. The query of the repository
    /// goes along, as it may be what lets us in.
    fn resolved(&self, address: &str) -> Result<Url, FetchError> {
        let invalid = || FetchError::InvalidUrl { url: address.to_owned() };
        if let Ok(absolute) = Url::parse(address) {
            return Ok(absolute);
        }
        let mut folder = self.base.clone();
        let path = format!("{}/", folder.path().trim_end_matches('/'));
        folder.set_path(&path);
        let mut url = folder.join(address).map_err(|_syntax| invalid())?;
        if url.query().is_none() {
            url.set_query(self.base.query());
        }
        Ok(url)
    }

    async fn get(&self, url: &Url, deadline: Instant) -> Result<Body, FetchError> {
        let is_ours = self.pass_credentials || url.origin() == self.base.origin();
        let login = self.login.clone().filter(|_| is_ours).map(Authorization::Basic);
        let body = self.client.send(Request::get(url, login.as_ref()), deadline).await?;
        let status = body.status();
        if status == http_access::StatusCode::OK {
            return Ok(body);
        }
        let mut shown = url.clone();
        let _login = Login::take_from(&mut shown);
        shown.set_query(None);
        Err(FetchError::Status { url: shown.into(), status: status.to_string() })
    }
}

/// A URL as it is compared: one slash at its end for http, none for oci.
pub fn normalized(url: &str) -> String {
    let bare = url.trim_end_matches('/');
    if bare.starts_with("oci://") { bare.to_owned() } else { format!("{bare}/") }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        // Writing to a text cannot fail.
        let _infallible = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(url: &str) -> Result<Repository, InvalidUrl> {
        let client = Repository::client(&Access::default()).unwrap();
        Repository::new(url, client, None, false)
    }

    #[test]
    fn charts_lie_beside_the_index_or_where_it_says() {
        let at = repository("https://example.com/charts?token=x").unwrap();
        for (address, url) in [
            ("a-1.tgz", "https://example.com/charts/a-1.tgz?token=x"),
            ("/a-1.tgz", "https://example.com/a-1.tgz?token=x"),
            ("https://other.example/a.tgz", "https://other.example/a.tgz"),
        ] {
            assert_eq!(at.resolved(address).unwrap().as_str(), url);
        }
    }

    #[test]
    fn only_web_servers_have_an_index() {
        let message = |url| repository(url).map(drop).unwrap_err().to_string();
        assert!(message("oci://x").starts_with("'oci' URL scheme cannot be used"));
        assert_eq!(message("ftp://x"), "scheme \"ftp\" not supported");
        assert_eq!(message("http://:x"), "parse \"http://:x\": invalid URI for request");
    }

    #[test]
    fn urls_are_compared_by_their_normal_form() {
        assert_eq!(normalized("https://a/b//"), "https://a/b/");
        assert_eq!(normalized("oci://a/b/"), "oci://a/b");
    }
}
