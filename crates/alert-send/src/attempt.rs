//! One attempt: a conversation from its beginning to its end.

use alert_message::{Answer, Method, Request, Step, Thread};
use bytes::Bytes;
use http_access::header::{
    AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
};
use http_access::{Access, Authorization, Body, Cause, Client, Clients, Secret, SendError};
use tokio::time::Instant;

use crate::mask::Mask;
use crate::retry::{Retry, retry_after};
use crate::{Error, nats, shared_key};

/// Limit: bytes of an answer. The longest is a page of a hundred comments.
const ANSWER_BYTES: u64 = 8 << 20;

/// Why an attempt failed.
pub(crate) struct Failed {
    pub(crate) error: Error,
    pub(crate) retry: Retry,
}

impl<E: Into<Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self { error: error.into(), retry: Retry::Never }
    }
}

/// Asks until there is nothing left to ask, and returns what others can be told below.
pub(crate) async fn converse(
    clients: &Clients,
    access: &Access,
    mut step: Step,
    deadline: Instant,
    mask: &mut Mask,
) -> Result<Option<Thread>, Failed> {
    loop {
        step = match step {
            Step::Done => return Ok(None),
            Step::Begun(thread) => return Ok(Some(thread)),
            Step::Ask(request, then) => {
                let client = clients.client(access)?;
                let (answer, retry) = ask(&client, request, deadline, mask).await?;
                then(&answer).map_err(|error| Failed { error: error.into(), retry })?
            }
            Step::Publish(publication) => {
                return nats::publish(publication, clients, access, deadline).await.map(|()| None);
            }
        };
    }
}

/// The answer, and whether another attempt may get a better one. `mask` learns what is signed here.
async fn ask(
    client: &Client,
    request: Request,
    deadline: Instant,
    mask: &mut Mask,
) -> Result<(Answer, Retry), Failed> {
    let told = request.told;
    let mut secret = secret_headers(&request)?;
    if let Some(key) = &request.shared_key {
        let signature = shared_key::authorization(key, &request.url)?;
        mask.hide(shared_key::secrets(&signature));
        secret.insert(AUTHORIZATION, sensitive(AUTHORIZATION.as_str(), &signature)?);
    }
    let mut headers = HeaderMap::new();
    let mut body = None;
    if let Some((content_type, content)) = request.body {
        if !secret.contains_key(CONTENT_TYPE) {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        body = Some(Bytes::from(content));
    }
    let authorization = Authorization::Headers(secret);
    let request = http_access::Request {
        method: match request.method {
            Method::Get => http_access::Method::GET,
            Method::Post => http_access::Method::POST,
            Method::Put => http_access::Method::PUT,
            Method::Patch => http_access::Method::PATCH,
        },
        url: &request.url,
        // Any of them may be a credential, so none goes to where a server redirects.
        authorization: Some(&authorization),
        headers,
        body,
    };
    let is_look_up = request.method == http_access::Method::GET;
    let answer = client.send(request, deadline).await.map_err(|error| unanswered(error, told))?;
    read(answer, is_look_up, told).await
}

async fn read(
    answer: Body,
    is_look_up: bool,
    told: &'static str,
) -> Result<(Answer, Retry), Failed> {
    let status = answer.status().as_u16();
    let later = answer.headers().get(RETRY_AFTER).and_then(|header| header.to_str().ok());
    let later = later.and_then(|header| retry_after(header, jiff::Timestamp::now()));
    let retry = match status {
        429 | 503 => later.map_or(Retry::Soon, Retry::After),
        501 => Retry::Never,
        500.. => Retry::Soon,
        _ => Retry::Never,
    };
    let is_success = answer.status().is_success();
    let mut answer = answer.limited(ANSWER_BYTES);
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            // What is looked up is there as a whole or not at all.
            Err(error) if is_look_up && is_success => {
                return Err(Failed {
                    error: Error::Answer { told, source: error },
                    retry: Retry::Soon,
                });
            }
            // Without its end, too, the status has said it: what was taken is not sent again, and of a
            // refusal a part will do.
            Ok(None) | Err(_) => break,
        }
    }
    Ok((Answer { status, body }, retry))
}

fn secret_headers(request: &Request) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let key = HeaderName::try_from(name);
        let key = key.map_err(|_no_name| Error::Header { name: name.clone() })?;
        headers.insert(key, sensitive(name, value)?);
    }
    Ok(headers)
}

fn sensitive(name: &str, value: &Secret) -> Result<HeaderValue, Error> {
    let value = HeaderValue::try_from(value.expose());
    let mut value = value.map_err(|_no_value| Error::Header { name: name.to_owned() })?;
    value.set_sensitive(true);
    Ok(value)
}

fn unanswered(error: SendError, told: &'static str) -> Failed {
    let refused = |why| Error::Refused { told, why }.into();
    match error {
        SendError::Request { source, .. } => {
            let retry = match &source {
                Cause::UnknownAuthority
                | Cause::Expired
                | Cause::WrongHost { .. }
                | Cause::Deadline => Retry::Never,
                Cause::Refused { .. }
                | Cause::NoSuchHost { .. }
                | Cause::ConnectTimeout { .. }
                | Cause::Silent
                | Cause::Closed
                | Cause::Tls(_)
                | Cause::Other(_) => Retry::Soon,
            };
            Failed { error: Error::NoAnswer { told, source }, retry }
        }
        SendError::Redirect { why, .. } => {
            Failed { error: Error::Refused { told, why }, retry: Retry::Never }
        }
        SendError::LinkLocal { .. } => {
            refused("the address is link-local, where no server of a provider is")
        }
        SendError::Scheme { .. } => refused("unsupported protocol scheme"),
    }
}
