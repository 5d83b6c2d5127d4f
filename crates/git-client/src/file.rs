//! A plain file behind an address, for what lies beside repositories.

use reqwest::{Method, Response, Url, header};

use crate::error::Error;
use crate::http::{Body, Client, Http, MAX_REDIRECTS, Remote};

impl Client {
    /// The content of the file that the address leads to. Redirects are followed to wherever this
    /// client may go, as nothing that is sent is a secret.
    ///
    /// # Errors
    /// If the server cannot be reached, has no such file, or sends more than `limit_bytes`.
    pub async fn file(&self, remote: Remote, limit_bytes: u64) -> Result<Vec<u8>, Error> {
        let shown = remote.url.clone();
        let mut http = self.http(remote)?;
        for _ in 0..=MAX_REDIRECTS {
            let request = http.request(Method::GET, http.base.as_str());
            let response = http.send("Get", &shown, request).await?;
            if !response.status().is_redirection() {
                return content(http.succeeded(response, &shown).await?, limit_bytes).await;
            }
            http.base = target(&http, &shown, &response)?;
        }
        Err(Error::Redirect { url: shown, why: "there are too many" })
    }
}

/// Where a redirect leads to, if we may go there.
fn target(http: &Http, shown: &str, response: &Response) -> Result<Url, Error> {
    let refused = |why| Error::Redirect { url: shown.to_owned(), why };
    let target = response
        .headers()
        .get(header::LOCATION)
        .and_then(|location| location.to_str().ok())
        .and_then(|location| http.base.join(location).ok())
        .filter(|target| target.username().is_empty() && target.password().is_none())
        .ok_or_else(|| refused("it has no usable address"))?;
    if !matches!(target.scheme(), "http" | "https") {
        return Err(refused("it leads to another protocol"));
    }
    if http.base.scheme() == "https" && target.scheme() == "http" {
        return Err(refused("it leads from https to http"));
    }
    http.reach.check(&target)?;
    Ok(target)
}

async fn content(mut body: Body, limit_bytes: u64) -> Result<Vec<u8>, Error> {
    let mut content = Vec::new();
    while let Some(chunk) = body.chunk().await? {
        if (content.len() + chunk.len()) as u64 > limit_bytes {
            let limit = format!("{limit_bytes} bytes");
            return Err(Error::TooLarge { what: "the bytes of the file", limit });
        }
        content.extend_from_slice(&chunk);
    }
    Ok(content)
}
