//! OpenTelemetry: one span for each event; the events of one revision make a trace.

use event_api::{Event, key};
use secret_text::Secret;
use sha2::{Digest as _, Sha256};

use super::protobuf::Message;
use crate::request::Method;
use crate::{Error, Provider, Request, Step, address, words};

const PROTOBUF: &str = "application/x-protobuf";
/// Where spans go if the address does not say.
const DEFAULT_PATH: &str = "/v1/traces";
const STATUS_OK: u8 = 1;
const STATUS_ERROR: u8 = 2;
const SPAN_KIND_INTERNAL: u8 = 1;

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let mut url = address::http(&provider.address, "OTLP endpoint URL")?;
    if event.involved_object.kind == "HelmRepository" {
        return Ok(Step::Done);
    }
    url.set_query(None);
    if url.path() == "/" && !names_root(&provider.address) {
        url.set_path(DEFAULT_PATH);
    }
    let body = Some((PROTOBUF, export(provider, event)));
    let mut request =
        Request { body, ..Request::new(Method::Post, url).told_as("traces export: ") };
    for (name, value) in &provider.headers {
        request = request.with(name, value.expose());
    }
    let has_login = provider.headers.keys().any(|name| name.eq_ignore_ascii_case("authorization"));
    let token = provider.token_or_password();
    // Differs: a login is sent even where the Secret names no headers; Flux leaves it out then.
    if !has_login && !token.is_empty() {
        request = if provider.username.is_empty() {
            request.bearer(token)
        } else {
            request.basic(&provider.username, token)
        };
    }
    Ok(Step::tell(request))
}

/// The request of the OTLP exporter, with the numbers that its fields have there.
fn export(provider: &Provider, event: &Event) -> Vec<u8> {
    let alert = &provider.alert;
    let about = &event.involved_object;
    let trace = Sha256::digest(format!("{}:{}", alert.uid, revision(event)));
    let span_id = Sha256::digest(event.to_json());
    let time = event.timestamp.map_or(0, jiff::Timestamp::as_nanosecond);
    let time = u64::try_from(time).unwrap_or_default();
    let attributes = [
        ("object.uid", &about.uid),
        ("object.kind", &about.kind),
        ("object.name", &about.name),
        ("object.namespace", &about.namespace),
    ];
    let metadata = event.metadata.iter().map(|(key, value)| (key.as_str(), value));
    // The protocol has a message only where something failed.
    let status = if event.is_error() {
        Message::default().text(2, &event.message).number(3, STATUS_ERROR)
    } else {
        Message::default().number(3, STATUS_OK)
    };
    let span = Message::default()
        .bytes(1, &trace[..16])
        .bytes(2, &span_id[..8])
        .text(5, &words::kind_and_path(event))
        .number(6, SPAN_KIND_INTERNAL)
        .fixed64(7, time)
        .fixed64(8, time)
        .messages(9, attributes.into_iter().chain(metadata).map(attribute))
        .message(15, &status);
    let service = format!("{}/{}", alert.namespace, alert.name);
    let resource = [
        ("service.name", &service),
        ("service.namespace", &alert.namespace),
        ("service.instance.id", &alert.uid),
    ];
    let scope = Message::default().text(1, "flux:notification-controller");
    let resource_spans = Message::default()
        .message(1, &Message::default().messages(1, resource.map(attribute)))
        .message(2, &Message::default().message(1, &scope).message(2, &span));
    Message::default().message(1, &resource_spans).into_bytes()
}

/// Whether the path of an address is a slash. A URL has one in any case.
fn names_root(address: &Secret) -> bool {
    address.expose().split(['?', '#']).next().is_some_and(|address| address.ends_with('/'))
}

/// What makes a trace: the chart's digest where there is one, else the revision.
fn revision(event: &Event) -> String {
    let fact = |key: &str| event.metadata.get(key);
    match (fact("app-version"), fact("oci-digest")) {
        (Some(version), Some(digest)) => format!("{version}@{digest}"),
        _ => fact(key::REVISION).cloned().unwrap_or_else(|| "unknown".to_owned()),
    }
}

fn attribute((key, value): (&str, &String)) -> Message {
    Message::default().text(1, key).message(2, &Message::default().text(1, value))
}
