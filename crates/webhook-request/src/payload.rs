//! What requests say, and whether a service says it like that.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bounded::{self, InvalidJson};
use crate::{Rejected, Request};

const JSON: &str = "application/json";

/// What a request says, for the filters of a receiver.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// The body as it came; filters see it if it is JSON.
    Body,
    /// What was wrapped in the body.
    Unwrapped(Value),
    /// A body that filters do not see.
    Opaque,
}

impl Payload {
    /// The `req` of filters: an empty object where there is nothing to see.
    ///
    /// # Errors
    /// If the body claims to be JSON and is not, or is too much of it.
    pub fn json(&self, body: &[u8]) -> Result<Value, InvalidJson> {
        match self {
            Self::Body => bounded::object(body).map(Value::Object),
            Self::Unwrapped(value) => Ok(value.clone()),
            Self::Opaque => Ok(json!({})),
        }
    }
}

/// The body, as far as filters see it.
pub(crate) fn of(request: Request<'_>) -> Payload {
    // Flux: several types in one header are several guesses.
    let is_json = content_type(request).split(',').any(|one| media_type(one) == JSON);
    if is_json { Payload::Body } else { Payload::Opaque }
}

/// The body of GitHub and Bitbucket: JSON, or a form with JSON in it.
pub(crate) fn of_hub(request: Request<'_>) -> Result<Payload, Rejected> {
    let content_type = media_type(content_type(request));
    match content_type.as_str() {
        JSON => Ok(Payload::Body),
        // Flux: a form has been authenticated, but filters do not see it.
        "application/x-www-form-urlencoded" if is_form(request.body) => Ok(Payload::Opaque),
        "application/x-www-form-urlencoded" => Err(Rejected::Form),
        _ => Err(Rejected::ContentType { content_type }),
    }
}

/// Whether a form can be read: every `%` begins an escape, and semicolons are escaped.
fn is_form(body: &[u8]) -> bool {
    let mut escapes = body.split(|byte| *byte == b'%').skip(1);
    let is_escape = |rest: &[u8]| rest.len() >= 2 && rest.iter().take(2).all(u8::is_ascii_hexdigit);
    escapes.all(is_escape) && !body.contains(&b';')
}

fn content_type(request: Request<'_>) -> &str {
    let header = request.headers.get(http::header::CONTENT_TYPE);
    header.and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// A media type without its parameters, in small letters.
fn media_type(text: &str) -> String {
    text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

pub(crate) fn docker_hub(body: &[u8]) -> Result<(), Rejected> {
    has_texts("DockerHub", body, &["/push_data/tag", "/repository/repo_url"])
}

pub(crate) fn quay(body: &[u8]) -> Result<(), Rejected> {
    has_texts("Quay", body, &["/docker_url", "/updated_tags"])
}

pub(crate) fn acr(body: &[u8]) -> Result<(), Rejected> {
    has_texts("ACR", body, &["/action", "/target/repository", "/target/tag"])
}

pub(crate) fn nexus(body: &[u8]) -> Result<(), Rejected> {
    // Flux: of this one, nothing may follow the object.
    decoded::<Value>("Nexus", body)?;
    has_texts("Nexus", body, &["/action", "/repositoryName"])
}

/// An object in which what a service says is text, or lists of text, where it is there at all.
fn has_texts(service: &'static str, body: &[u8], places: &[&'static str]) -> Result<(), Rejected> {
    let object = bounded::object(body).map_err(|source| Rejected::Payload { service, source })?;
    let object = Value::Object(object);
    let is_text = |value: &Value| match value {
        Value::String(_) | Value::Null => true,
        Value::Array(items) => items.iter().all(|item| item.is_string() || item.is_null()),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    };
    match places.iter().find(|place| !object.pointer(place).is_none_or(is_text)) {
        Some(place) => Err(Rejected::Member { service, place }),
        None => Ok(()),
    }
}

/// A message of Google's registries, unwrapped from that of Pub/Sub.
pub(crate) fn gcr(body: &[u8]) -> Result<Payload, Rejected> {
    #[derive(Deserialize)]
    struct Push {
        message: Message,
    }
    #[derive(Deserialize)]
    struct Message {
        #[serde(default)]
        data: String,
    }
    #[derive(Deserialize)]
    #[serde(default)]
    #[derive(Default)]
    struct Change {
        action: Option<String>,
        digest: Option<String>,
        tag: Option<String>,
    }
    let push: Push = decoded("GCR", body)?;
    // What is not base64 is then no JSON either.
    let data = BASE64.decode(push.message.data).unwrap_or_default();
    let Change { action, digest, tag } = decoded("GCR", &data)?;
    let [action, digest, tag] = [action, digest, tag].map(Option::unwrap_or_default);
    Ok(Payload::Unwrapped(json!({"action": action, "digest": digest, "tag": tag})))
}

/// An event of the Continuous Delivery Foundation.
///
/// Differs: what every event has is looked for; the schema of each of its types is not applied.
pub(crate) fn cd_event(body: &[u8]) -> Result<(), Rejected> {
    let event: Value = decoded("CDEvent", body)?;
    for (pointer, missing) in [
        ("/context/version", "context.version"),
        ("/context/id", "context.id"),
        ("/context/source", "context.source"),
        ("/context/type", "context.type"),
        ("/context/timestamp", "context.timestamp"),
        ("/subject/id", "subject.id"),
    ] {
        let text = event.pointer(pointer).and_then(Value::as_str);
        if text.is_none_or(str::is_empty) {
            return Err(Rejected::CdEvent { missing });
        }
    }
    let kind = event.pointer("/context/type").and_then(Value::as_str).unwrap_or_default();
    if !kind.starts_with("dev.cdevents.") {
        return Err(Rejected::CdEvent { missing: "a context.type of dev.cdevents" });
    }
    if !event.pointer("/subject/content").is_some_and(Value::is_object) {
        return Err(Rejected::CdEvent { missing: "subject.content" });
    }
    Ok(())
}

fn decoded<'b, T: Deserialize<'b>>(service: &'static str, body: &'b [u8]) -> Result<T, Rejected> {
    bounded::from_slice(body).map_err(|source| Rejected::Payload { service, source })
}
