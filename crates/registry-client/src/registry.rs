//! One repository of a registry, for one operation.

use bytes::Bytes;
use http_access::{
    Authorization, Body, Client, Login, ReadError, Request, Secret, SendError, StatusCode, Url,
    header,
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use tokio::{sync::Mutex, time::Instant};

use crate::{
    challenge::{self, Challenge},
    manifest::{Descriptor, Manifest},
};

/// Largest manifest, list of tags, or token.
const MAX_DOCUMENT_BYTES: u64 = 4 << 20;
/// Most pages of tags. With the pages' own cap, this bounds a registry that never ends.
const MAX_PAGES: usize = 1000;
/// Most tags.
const MAX_TAGS: usize = 200_000;
/// How much of what a registry says to explain itself is told.
const TOLD_BYTES: usize = 512;

const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";

/// One repository of a registry, for one operation.
pub struct Registry {
    client: Client,
    /// Where the registry is.
    base: Url,
    /// The name of the repository there.
    repository: String,
    login: Option<Login>,
    /// What let us in last.
    authorization: Mutex<Option<Authorization>>,
}

/// Why a text names no repository.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid OCI registry URL: {url}")]
pub struct InvalidReference {
    /// As written.
    pub url: String,
}

/// Why something could not be brought over.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The registry could not be asked.
    #[error(transparent)]
    Send(#[from] SendError),
    /// The answer broke off, or is too large.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The registry refuses, and says so in its own form.
    #[error("{method} {url}: {code}: {message}")]
    Refused {
        /// How it was asked.
        method: &'static str,
        /// What for.
        url: String,
        /// Such as `MANIFEST_UNKNOWN`.
        code: String,
        /// What it says beside it.
        message: String,
    },
    /// The registry refuses in another form.
    #[error("{method} {url}: unexpected status code {status}: {body}")]
    Status {
        /// How it was asked.
        method: &'static str,
        /// What for.
        url: String,
        /// Code and its name.
        status: String,
        /// The beginning of what it says.
        body: String,
    },
    /// The answer is not what was asked for.
    #[error("{url} answers with something else: {what}")]
    Malformed {
        /// What was asked for.
        url: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The bytes are not those that were named.
    #[error("{url} has digest {found} where {expected} was asked for")]
    Digest {
        /// What was asked for.
        url: String,
        /// Its digest.
        expected: String,
        /// What came.
        found: String,
    },
    /// The digest is of a kind that is not computed here.
    #[error("unsupported digest {digest}")]
    Algorithm {
        /// As written.
        digest: String,
    },
    /// It is larger than we accept.
    #[error("{url} has {size_bytes} bytes, more than the limit of {limit_bytes}")]
    TooLarge {
        /// What was asked for.
        url: String,
        /// Its size.
        size_bytes: u64,
        /// What would be accepted.
        limit_bytes: u64,
    },
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry")
            .field("base", &self.base.as_str())
            .field("repository", &self.repository)
            .finish_non_exhaustive()
    }
}

impl Registry {
    /// The repository at `oci://<host>/<name>`; with `insecure`, asked without encryption.
    ///
    /// # Errors
    /// If the URL is not of that form.
    pub fn new(
        url: &str,
        insecure: bool,
        client: Client,
        login: Option<Login>,
    ) -> Result<Self, InvalidReference> {
        let invalid = || InvalidReference { url: url.to_owned() };
        let rest = url.strip_prefix("oci://").ok_or_else(invalid)?;
        let (host, repository) = rest.trim_end_matches('/').split_once('/').ok_or_else(invalid)?;
        let is_name = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-/".contains(&byte)
        };
        if !repository.bytes().all(is_name)
            || repository.split('/').any(|it| matches!(it, "" | "." | ".."))
        {
            return Err(invalid());
        }
        let host = if host == "docker.io" { "registry-1.docker.io" } else { host };
        let scheme = if insecure { "http" } else { "https" };
        let mut base = Url::parse(&format!("{scheme}://{host}/")).map_err(|_syntax| invalid())?;
        let _login_in_url = Login::take_from(&mut base);
        let repository = repository.to_owned();
        Ok(Self { client, base, repository, login, authorization: Mutex::new(None) })
    }

    /// The host, by which logins are found.
    pub fn host(url: &str) -> Option<&str> {
        url.strip_prefix("oci://")?.split('/').next()
    }

    /// All tags, in the registry's order.
    ///
    /// # Errors
    /// If the registry does not answer, refuses, or does not come to an end.
    pub async fn tags(&self, deadline: Instant) -> Result<Vec<String>, Error> {
        #[derive(Deserialize)]
        struct Page {
            #[serde(default)]
            tags: Option<Vec<String>>,
        }
        let mut url = self.url("tags/list")?;
        let mut tags = Vec::new();
        for _ in 0..MAX_PAGES {
            let malformed = |what| Error::Malformed { url: url.to_string(), what };
            let body = self.get(&url, "", deadline).await?;
            let link = body.headers().get(header::LINK).and_then(|it| it.to_str().ok());
            let next = link.and_then(next_page).map(str::to_owned);
            let bytes = body.limited(MAX_DOCUMENT_BYTES).bytes().await?;
            let page: Page = serde_json::from_slice(&bytes)
                .map_err(|_syntax| malformed("it is no list of tags"))?;
            tags.extend(page.tags.unwrap_or_default());
            if tags.len() > MAX_TAGS {
                return Err(malformed("there are too many tags"));
            }
            let Some(next) = next else { return Ok(tags) };
            let next =
                url.join(&next).map_err(|_syntax| malformed("its next page is no address"))?;
            if next.origin() != self.base.origin() || next == url {
                return Err(malformed("its next page leads astray"));
            }
            url = next;
        }
        Err(Error::Malformed { url: url.into(), what: "its list of tags does not end" })
    }

    /// The manifest that a tag or a digest names.
    ///
    /// # Errors
    /// If the registry does not answer, refuses, or sends something else.
    pub async fn manifest(&self, reference: &str, deadline: Instant) -> Result<Manifest, Error> {
        let url = self.url(&format!("manifests/{reference}"))?;
        let body = self.get(&url, ACCEPT, deadline).await?;
        let bytes = body.limited(MAX_DOCUMENT_BYTES).bytes().await?;
        let digest = sha256(&bytes);
        if reference.contains(':') {
            check(&url, reference, &digest)?;
        }
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|_syntax| Error::Malformed { url: url.into(), what: "it is no manifest" })?;
        Ok(Manifest { digest, ..manifest })
    }

    /// The blob that a descriptor names.
    ///
    /// # Errors
    /// If the registry does not answer, refuses, or sends more than `limit_bytes` or something else.
    pub async fn blob(
        &self,
        blob: &Descriptor,
        limit_bytes: u64,
        deadline: Instant,
    ) -> Result<Bytes, Error> {
        let url = self.url(&format!("blobs/{}", blob.digest))?;
        if blob.size > limit_bytes {
            let (url, size_bytes) = (url.into(), blob.size);
            return Err(Error::TooLarge { url, size_bytes, limit_bytes });
        }
        let bytes = self.get(&url, "", deadline).await?.limited(blob.size).bytes().await?;
        check(&url, &blob.digest, &sha256(&bytes))?;
        Ok(bytes)
    }

    fn url(&self, tail: &str) -> Result<Url, Error> {
        let path = format!("v2/{}/{tail}", self.repository);
        self.base
            .join(&path)
            .map_err(|_syntax| Error::Malformed { url: path, what: "it is no address" })
    }

    /// Asks, and asks again in the way that the registry wants.
    async fn get(&self, url: &Url, accept: &str, deadline: Instant) -> Result<Body, Error> {
        let mut authorization = self.authorization.lock().await.clone();
        for attempt in 0..2 {
            let mut request = Request::get(url, authorization.as_ref());
            if let Ok(value) = header::HeaderValue::from_str(accept)
                && !accept.is_empty()
            {
                request.headers.insert(header::ACCEPT, value);
            }
            let body = self.client.send(request, deadline).await?;
            if body.status() == StatusCode::OK {
                return Ok(body);
            }
            let wanted = body.headers().get(header::WWW_AUTHENTICATE);
            let wanted = wanted.and_then(|it| it.to_str().ok()).and_then(challenge::parse);
            let is_challenge = body.status() == StatusCode::UNAUTHORIZED && attempt == 0;
            let granted = match wanted.filter(|_| is_challenge) {
                None => None,
                Some(Challenge::Basic) => self.login.clone().map(Authorization::Basic),
                Some(Challenge::Bearer { realm, service }) => {
                    self.token(&realm, &service, deadline).await?
                }
            };
            match granted {
                None => return Err(refusal(url, body).await),
                Some(granted) => {
                    *self.authorization.lock().await = Some(granted.clone());
                    authorization = Some(granted);
                }
            }
        }
        Err(Error::Malformed { url: url.to_string(), what: "it asks for a login again and again" })
    }

    /// Asks the token server that the registry names.
    async fn token(
        &self,
        realm: &str,
        service: &str,
        deadline: Instant,
    ) -> Result<Option<Authorization>, Error> {
        #[derive(Deserialize)]
        struct Token {
            #[serde(default)]
            token: String,
            #[serde(default)]
            access_token: String,
        }
        let malformed = |what| Error::Malformed { url: realm.to_owned(), what };
        let mut url =
            Url::parse(realm).map_err(|_syntax| malformed("the token server has no address"))?;
        if self.base.scheme() == "https" && url.scheme() != "https" {
            return Err(malformed("the token server is not encrypted while the registry is"));
        }
        let scope = format!("repository:{}:pull", self.repository);
        url.query_pairs_mut().append_pair("scope", &scope);
        if !service.is_empty() {
            url.query_pairs_mut().append_pair("service", service);
        }
        let login = self.login.clone().map(Authorization::Basic);
        let body = self.client.send(Request::get(&url, login.as_ref()), deadline).await?;
        if body.status() != StatusCode::OK {
            return Err(refusal(&url, body).await);
        }
        let bytes = body.limited(MAX_DOCUMENT_BYTES).bytes().await?;
        let token: Token =
            serde_json::from_slice(&bytes).map_err(|_syntax| malformed("it is no token"))?;
        let token = if token.token.is_empty() { token.access_token } else { token.token };
        Ok((!token.is_empty()).then(|| Authorization::Bearer(Secret::new(token))))
    }
}

/// What a registry says when it does not give what was asked for.
async fn refusal(url: &Url, body: Body) -> Error {
    #[derive(Deserialize)]
    struct Refusal {
        errors: Vec<Detail>,
    }
    #[derive(Deserialize)]
    struct Detail {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let mut shown = url.clone();
    shown.set_query(None);
    let (url, method) = (String::from(shown), "GET");
    let status = body.status();
    let bytes = body.limited(64 * 1024).bytes().await.unwrap_or_default();
    let told = serde_json::from_slice::<Refusal>(&bytes).ok().map(|refusal| refusal.errors);
    if let Some(Detail { code, message }) = told.into_iter().flatten().next() {
        return Error::Refused { method, url, code, message };
    }
    let told = &bytes[..bytes.len().min(TOLD_BYTES)];
    let body = String::from_utf8_lossy(told).into_owned();
    Error::Status { method, url, status: status.to_string(), body }
}

/// The address in a header `Link: <…>; rel="next"`.
fn next_page(link: &str) -> Option<&str> {
    link.split(',').find_map(|one| {
        let (address, parameters) = one.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|it| {
            let it = it.trim();
            it.eq_ignore_ascii_case("rel=\"next\"") || it.eq_ignore_ascii_case("rel=next")
        });
        is_next.then_some(address)
    })
}

fn check(url: &Url, expected: &str, found: &str) -> Result<(), Error> {
    if !expected.starts_with("sha256:") {
        return Err(Error::Algorithm { digest: expected.to_owned() });
    }
    if expected != found {
        let (expected, found) = (expected.to_owned(), found.to_owned());
        return Err(Error::Digest { url: url.to_string(), expected, found });
    }
    Ok(())
}

fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let digest = Sha256::digest(bytes);
    digest.iter().fold("sha256:".to_owned(), |mut text, byte| {
        // Writing to a text cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(url: &str) -> Result<Registry, InvalidReference> {
        let client = Client::new(&http_access::Access::default()).unwrap();
        Registry::new(url, false, client, None)
    }

    #[test]
    fn a_repository_has_a_host_and_a_name() {
        let found = registry("oci://r.example:5000/a/b-c/").unwrap();
        let url = found.url("tags/list").unwrap();
        assert_eq!(url.as_str(), "https://r.example:5000/v2/a/b-c/tags/list");
        for bad in
            ["https://r/a", "oci://r", "oci://r/", "oci://r/A", "oci://r/a/../b", "oci://r y/a"]
        {
            assert!(registry(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_next_page_is_found() {
        assert_eq!(
            next_page("</v2/a/tags/list?last=x>; rel=\"next\""),
            Some("/v2/a/tags/list?last=x")
        );
        assert_eq!(next_page("</a>; rel=\"prev\", </b>; rel=next"), Some("/b"));
        assert_eq!(next_page("</a>"), None);
    }

    #[test]
    fn only_what_was_named_is_taken() {
        let url = Url::parse("https://r/").unwrap();
        assert!(check(&url, &sha256(b"x"), &sha256(b"x")).is_ok());
        assert!(check(&url, &sha256(b"x"), &sha256(b"y")).is_err());
        assert!(check(&url, "md5:x", "md5:x").is_err());
    }
}
