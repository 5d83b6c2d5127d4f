//! Requests to the API server, as bytes: an object is serialised once and read once.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use kube::client::Body;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use crate::cluster::TenantClient;
use crate::discovery::Resource;
use crate::federation::TokenError;

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

/// Asks for the metadata of an object, or of the objects of a list.
const METADATA_OBJECT: HeaderValue =
    HeaderValue::from_static("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
const METADATA_LIST: HeaderValue =
    HeaderValue::from_static("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");

/// Asks for all groups with their kinds in one answer.
const AGGREGATED_DISCOVERY: HeaderValue = HeaderValue::from_static(
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
);

/// Why the API server did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// It said no.
    #[error("{}", .0.message)]
    Refused(Box<Refusal>),
    /// It did not answer.
    #[error("cannot reach the API server")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no token to be shown to it.
    #[error("cannot log in to the API server")]
    Login(#[source] Box<TokenError>),
    /// The answer broke off or was too long.
    #[error("cannot read the answer of the API server")]
    Interrupted(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It took longer than it may.
    #[error("no answer from the API server within {}s", .0.as_secs())]
    TimedOut(Duration),
    /// The answer is not what such a request is answered with.
    #[error("cannot understand the answer of the API server")]
    Malformed(#[source] serde_json::Error),
    /// The request could not be put together.
    #[error("cannot form the request")]
    Request(#[source] http::Error),
    /// A name would change the address of the request.
    #[error(transparent)]
    Name(#[from] NameError),
    /// This process may not write any more: another one has taken over.
    #[error("no longer the leader: nothing is written")]
    Fenced,
}

/// How the API server says no: the parts of a `Status` that mean something to us.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Refusal {
    /// The HTTP status.
    pub code: u16,
    /// One word for machines: `Invalid`, `Conflict`, `NotFound`. May be empty.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
    /// What is wrong with which field.
    pub details: Details,
    /// When to ask again, if the server is only too busy.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

/// What a refusal is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Details {
    /// What is wrong with which field.
    pub causes: Vec<Cause>,
}

/// What is wrong with one field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Cause {
    /// One word for machines: `FieldValueInvalid`, `FieldManagerConflict`.
    pub reason: String,
    /// A sentence for people. May quote the value.
    pub message: String,
    /// The path of the field.
    pub field: String,
}

/// A name that cannot be part of an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid resource name {name:?}: {why}")]
pub struct NameError {
    /// The name.
    pub name: String,
    /// What is wrong with it.
    pub why: &'static str,
}

/// A successful answer and how long the server's clock says it is old.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) body: T,
    /// A time, on the server's clock, before it began to work on the request. None if it did not
    /// say what time it was.
    pub(crate) asked_after: Option<SystemTime>,
}

impl ApiError {
    /// Whether the thing asked for is not there.
    pub fn is_not_found(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.code == 404)
    }

    /// Whether somebody else changed the object in the meantime.
    pub fn is_conflict(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.code == 409)
    }

    /// Whether it passes by itself: the API server or a webhook behind it was not there.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Interrupted(_) | Self::TimedOut(_) => true,
            Self::Refused(refusal) => matches!(refusal.code, 429 | 500 | 502 | 503 | 504),
            Self::Login(_)
            | Self::Malformed(_)
            | Self::Request(_)
            | Self::Name(_)
            | Self::Fenced => false,
        }
    }

    /// Whether this identity may not do it.
    pub fn is_forbidden(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.code == 403)
    }

    /// What the API server said, if it said no.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// The machine-readable reason; empty if there is none.
    pub(crate) fn reason(&self) -> &str {
        self.refusal().map_or("", |refusal| refusal.reason.as_str())
    }
}

impl From<kube::Error> for ApiError {
    fn from(error: kube::Error) -> Self {
        let kube::Error::Api(status) = error else { return unreachable(error) };
        let kube::core::Status { code, reason, message, .. } = *status;
        Self::Refused(Box::new(Refusal { code, reason, message, ..Refusal::default() }))
    }
}

/// Accepts what may stand between two slashes of an address (as the API machinery does).
pub(crate) fn check_name(name: &str) -> Result<(), NameError> {
    let why = match name {
        "" => "may not be empty",
        "." => "may not be '.'",
        ".." => "may not be '..'",
        _ if name.contains('/') => "may not contain '/'",
        _ if name.contains('%') => "may not contain '%'",
        _ => return Ok(()),
    };
    Err(NameError { name: name.to_owned(), why })
}

/// The parameters of a request, written as a query.
#[derive(Debug, Default)]
pub(crate) struct Query(String);

impl Query {
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(key);
        self.0.push('=');
        push_escaped(&mut self.0, value);
        self
    }

    /// The whole address.
    pub(crate) fn after(self, path: &str) -> String {
        format!("{path}{}", self.0)
    }
}

/// Appends `text` with all but unreserved characters escaped.
fn push_escaped(to: &mut String, text: &str) {
    use std::fmt::Write as _;
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            to.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            _ = write!(to, "%{byte:02X}");
        }
    }
}

impl Resource {
    /// The address of one object, or of all of a namespace (empty name), or of all (both empty).
    pub(crate) fn path(&self, namespace: &str, name: &str) -> Result<String, NameError> {
        let mut path = self.group_version_path();
        let mut segments = Vec::with_capacity(4);
        if self.namespaced && !namespace.is_empty() {
            segments.extend(["namespaces", namespace]);
        }
        segments.push(&self.plural);
        if !name.is_empty() {
            segments.push(name);
        }
        for segment in segments {
            check_name(segment)?;
            path.push('/');
            push_escaped(&mut path, segment);
        }
        Ok(path)
    }
}

impl TenantClient {
    /// Reads one document; none if there is no such thing.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
    ) -> Result<Option<Answer<T>>, ApiError> {
        match self.call(Method::GET, path, None, Bytes::new()).await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Applies an object with force; a dry run writes nothing.
    pub(crate) async fn patch_apply(
        &self,
        path: &str,
        object: Bytes,
        dry_run: bool,
    ) -> Result<Answer<Value>, ApiError> {
        let mut query = Query::default()
            .with("fieldManager", &self.settings().field_manager)
            .with("force", "true");
        if dry_run {
            query = query.with("dryRun", "All");
        } else {
            self.check_fence()?;
        }
        let uri = query.after(path);
        self.call(Method::PATCH, &uri, Some("application/apply-patch+yaml"), object).await
    }

    /// Changes an object by a JSON patch (RFC 6902).
    pub(crate) async fn patch_json(&self, path: &str, steps: &Value) -> Result<(), ApiError> {
        self.check_fence()?;
        let query = Query::default().with("fieldManager", &self.settings().field_manager);
        let uri = query.after(path);
        let body = Bytes::from(steps.to_string());
        self.call::<IgnoredAny>(Method::PATCH, &uri, Some("application/json-patch+json"), body)
            .await?;
        Ok(())
    }

    /// Deletes one object in the background; with `uid`, only if it still is that very one.
    pub(crate) async fn delete(&self, path: &str, uid: Option<&str>) -> Result<(), ApiError> {
        self.check_fence()?;
        let mut options = serde_json::json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background",
        });
        if let Some(uid) = uid {
            options["preconditions"] = serde_json::json!({ "uid": uid });
        }
        let body = Bytes::from(options.to_string());
        self.call::<IgnoredAny>(Method::DELETE, path, Some("application/json"), body).await?;
        Ok(())
    }

    /// Begins a request whose answer is read as it comes in: a watch. Only its head is timed.
    pub(crate) async fn open(
        &self,
        uri: &str,
        metadata_only: bool,
    ) -> Result<http::Response<Body>, ApiError> {
        let mut request = self.request(Method::GET, uri, None, Bytes::new())?;
        if metadata_only {
            request.headers_mut().insert("Accept", METADATA_OBJECT);
        }
        let timeout = self.cluster.timeout;
        let answer = tokio::time::timeout(timeout, self.send(request))
            .await
            .map_err(|_elapsed| ApiError::TimedOut(timeout))??;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let bytes = read(answer.into_body()).await?;
        Err(ApiError::Refused(Box::new(refusal(status, &bytes))))
    }

    /// Reads a list; of each object all, or only its metadata.
    pub(crate) async fn list<T: DeserializeOwned>(
        &self,
        uri: &str,
        metadata_only: bool,
    ) -> Result<T, ApiError> {
        let mut request = self.request(Method::GET, uri, None, Bytes::new())?;
        if metadata_only {
            request.headers_mut().insert("Accept", METADATA_LIST);
        }
        Ok(self.exchange(request).await?.body)
    }

    /// Reads what is served, group by group with all kinds.
    pub(crate) async fn aggregated_discovery(&self, path: &str) -> Result<Value, ApiError> {
        let mut request = self.request(Method::GET, path, None, Bytes::new())?;
        request.headers_mut().insert("Accept", AGGREGATED_DISCOVERY);
        Ok(self.exchange(request).await?.body)
    }

    pub(crate) fn check_fence(&self) -> Result<(), ApiError> {
        if self.settings().may_write() { Ok(()) } else { Err(ApiError::Fenced) }
    }

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

    async fn exchange<T: DeserializeOwned>(
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
    async fn send(&self, mut request: Request<Body>) -> Result<http::Response<Body>, ApiError> {
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

    fn request(
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

/// The client wraps what happened into an error that repeats it.
fn unreachable(error: kube::Error) -> ApiError {
    ApiError::Unreachable(match error {
        kube::Error::Service(cause) => cause,
        kube::Error::HyperError(cause) => Box::new(cause),
        other => Box::new(other),
    })
}

async fn read(body: Body) -> Result<Bytes, ApiError> {
    let whole = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
    Ok(whole.map_err(ApiError::Interrupted)?.to_bytes())
}

/// Reads how the server said no. What is no `Status` comes from something in between.
fn refusal(status: StatusCode, body: &[u8]) -> Refusal {
    let mut refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
    refusal.code = status.as_u16();
    if refusal.message.is_empty() {
        // Flux: the words of client-go for an answer that is no Status.
        refusal.message = match status {
            StatusCode::NOT_FOUND => "the server could not find the requested resource".to_owned(),
            other => format!("the server answered {other}"),
        };
    }
    refusal
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
    fn a_name_cannot_leave_its_place_in_the_address() {
        let resource = Resource::new("", "v1", "ConfigMap", "configmaps", true);
        assert_eq!(
            resource.path("shop", "a:b c?d").unwrap(),
            "/api/v1/namespaces/shop/configmaps/a%3Ab%20c%3Fd"
        );
        assert_eq!(resource.path("", "").unwrap(), "/api/v1/configmaps");
        for (namespace, name) in [("..", "a"), ("shop", "../../secrets/x"), ("a/b", "c")] {
            assert!(resource.path(namespace, name).is_err(), "{namespace} {name}");
        }
        assert_eq!(
            resource.path("shop", "a/b").unwrap_err().to_string(),
            r#"invalid resource name "a/b": may not contain '/'"#
        );
    }

    #[test]
    fn a_refusal_keeps_reason_message_and_causes() {
        let body = br#"{"kind":"Status","reason":"Invalid","message":"no","details":{"causes":
            [{"reason":"FieldValueInvalid","message":"bad","field":"spec"}]}}"#;
        let read = refusal(StatusCode::UNPROCESSABLE_ENTITY, body);
        assert_eq!((read.code, read.reason.as_str()), (422, "Invalid"));
        assert_eq!(read.details.causes[0].field, "spec");
        let page = refusal(StatusCode::NOT_FOUND, b"404 page not found\n");
        assert_eq!(page.message, "the server could not find the requested resource");
    }

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
