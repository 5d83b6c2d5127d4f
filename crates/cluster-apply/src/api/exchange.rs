//! One request and its answer: login, time limit, cap; whatever passes is tried again.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use kube::client::Body;
use serde::de::DeserializeOwned;

use super::error::{ApiError, refusal, unreachable};
use crate::cluster::TenantClient;

/// How many bytes an answer may have. An object has at most 3 MiB, a list of them may be long.
const MAX_ANSWER_BYTES: usize = 256 << 20;

/// The pauses before an API server that is not reached is tried again (it restarts, or closed a
/// connection that we thought open). All our requests may be repeated: an apply says what is to be,
/// a delete names the uid and a patch the version of what it is for.
const PAUSES: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(400), Duration::from_millis(1600)];

/// How often a request is repeated that the API server is too busy for, and how long each pause is
/// at most. Flux: client-go repeats it as often, after as long as the server says.
const BUSY: (usize, Duration) = (10, Duration::from_secs(10));

/// A successful answer and how long the server's clock says it is old.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) body: T,
    /// A time, on the server's clock, before it began to work on the request. None if it did not
    /// say what time it was.
    pub(crate) asked_after: Option<SystemTime>,
}

impl TenantClient {
    /// Sends a request, and sends it again while what stands in its way may pass.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        uri: &str,
        content_type: Option<&'static str>,
        body: Bytes,
    ) -> Result<Answer<T>, ApiError> {
        let (mut pauses, mut busy) = (PAUSES.into_iter(), std::iter::repeat_n((), BUSY.0));
        loop {
            let request = self.request(method.clone(), uri, content_type, body.clone())?;
            let settled = self.exchange(request).await;
            let pause = match &settled {
                Err(ApiError::Unreachable(_)) => pauses.next(),
                Err(ApiError::Refused(refusal)) => {
                    refusal.retry_after.filter(|_| busy.next().is_some())
                }
                _ => None,
            };
            let (Err(error), Some(pause)) = (&settled, pause) else { return settled };
            tracing::debug!(%error, uri, "the API server does not answer, trying again");
            tokio::time::sleep(pause.min(BUSY.1)).await;
            if method != Method::GET {
                self.check_fence()?; // the lease may have ended meanwhile
            }
        }
    }

    pub(super) async fn exchange<T: DeserializeOwned>(
        &self,
        request: Request<Body>,
    ) -> Result<Answer<T>, ApiError> {
        let timeout = self.cluster.timeout;
        let begun = tokio::time::Instant::now();
        let exchange = async {
            let answer = self.send(request).await?;
            let (head, body) = answer.into_parts();
            Ok::<_, ApiError>((head, read(body).await?))
        };
        let (head, bytes) = tokio::time::timeout(timeout, exchange)
            .await
            .map_err(|_elapsed| ApiError::TimedOut(timeout))??;
        if !head.status.is_success() {
            let mut refusal = refusal(head.status, &bytes);
            refusal.retry_after = retry_after(head.status, &head.headers);
            return Err(ApiError::Refused(Box::new(refusal)));
        }
        let body = serde_json::from_slice(&bytes).map_err(ApiError::Malformed)?;
        Ok(Answer { body, asked_after: asked_after(&head.headers, begun.elapsed()) })
    }

    /// Sends a request as whoever the cluster knows us as.
    pub(super) async fn send(
        &self,
        mut request: Request<Body>,
    ) -> Result<http::Response<Body>, ApiError> {
        let Some(tokens) = &self.cluster.tokens else {
            return self.cluster.client.send(request).await.map_err(unreachable);
        };
        let header = tokens.header().await.map_err(|error| ApiError::Login(Box::new(error)))?;
        request.headers_mut().insert(http::header::AUTHORIZATION, header.clone());
        let answer = self.cluster.client.send(request).await.map_err(unreachable)?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            tokens.forget(&header).await;
        }
        Ok(answer)
    }

    pub(super) fn request(
        &self,
        method: Method,
        uri: &str,
        content_type: Option<&'static str>,
        body: Bytes,
    ) -> Result<Request<Body>, ApiError> {
        let mut request = Request::builder().method(method).uri(uri);
        if let Some(user) = &self.acts_as {
            request = request.header("Impersonate-User", user);
        }
        if let Some(content_type) = content_type {
            request = request.header("Content-Type", HeaderValue::from_static(content_type));
        }
        request
            .header("Accept", HeaderValue::from_static("application/json"))
            .body(Body::from(body))
            .map_err(ApiError::Request)
    }
}

/// Reads an answer to its end.
pub(super) async fn read(body: Body) -> Result<Bytes, ApiError> {
    let whole = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
    Ok(whole.map_err(ApiError::Interrupted)?.to_bytes())
}

/// When a server that is too busy wants to be asked again.
fn retry_after(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let is_busy = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
    let seconds = headers.get("Retry-After").filter(|_| is_busy)?.to_str().ok()?;
    seconds.parse().ok().map(Duration::from_secs)
}

/// The server's time before it can have seen a request that took so long. The header has whole
/// seconds, and so have the times in managed fields: one second of slack for each.
fn asked_after(headers: &HeaderMap, took: Duration) -> Option<SystemTime> {
    let date = headers.get("Date")?.to_str().ok()?;
    let date = jiff::fmt::rfc2822::parse(date).ok()?;
    SystemTime::from(date.timestamp()).checked_sub(took + Duration::from_secs(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_server_says_when_to_come_back() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(StatusCode::TOO_MANY_REQUESTS, &headers), None);
        headers.insert("Retry-After", HeaderValue::from_static("3"));
        let three = Some(Duration::from_secs(3));
        assert_eq!(retry_after(StatusCode::TOO_MANY_REQUESTS, &headers), three);
        assert_eq!(retry_after(StatusCode::SERVICE_UNAVAILABLE, &headers), three);
        assert_eq!(retry_after(StatusCode::CONFLICT, &headers), None);
    }

    #[test]
    fn the_date_of_an_answer_bounds_when_it_was_asked() {
        let mut headers = HeaderMap::new();
        assert_eq!(asked_after(&headers, Duration::ZERO), None);
        headers.insert("Date", HeaderValue::from_static("Thu, 01 Jan 1970 00:01:40 GMT"));
        let bound = asked_after(&headers, Duration::from_secs(3)).unwrap();
        assert_eq!(bound.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs(), 95);
    }
}
