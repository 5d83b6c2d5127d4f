//! OpenTelemetry: one span for each event; the events of one revision make a trace.

use event_api::{Event, key};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{Error, Provider, Request, Step, address, words};

const STATUS_OK: u8 = 1;
const STATUS_ERROR: u8 = 2;
const SPAN_KIND_INTERNAL: u8 = 1;

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let url = address::http(&provider.address, "OTLP endpoint URL")?;
    if event.involved_object.kind == "HelmRepository" {
        return Ok(Step::Done);
    }
    let mut request = Request::post(url, &spans(provider, event));
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

fn spans(provider: &Provider, event: &Event) -> Value {
    let alert = &provider.alert;
    let about = &event.involved_object;
    let trace = format!("{:x}", Sha256::digest(format!("{}:{}", alert.uid, revision(event))));
    let span = format!("{:x}", Sha256::digest(event.to_json()));
    let time = event.timestamp.map_or(0, jiff::Timestamp::as_nanosecond).to_string();
    let mut attributes = vec![
        attribute("object.uid", &about.uid),
        attribute("object.kind", &about.kind),
        attribute("object.name", &about.name),
        attribute("object.namespace", &about.namespace),
    ];
    attributes.extend(event.metadata.iter().map(|(key, value)| attribute(key, value)));
    // The protocol has a message only where something failed.
    let status = if event.is_error() {
        json!({"code": STATUS_ERROR, "message": event.message})
    } else {
        json!({"code": STATUS_OK})
    };
    json!({"resourceSpans": [{
        "resource": {"attributes": [
            attribute("service.name", &format!("{}/{}", alert.namespace, alert.name)),
            attribute("service.namespace", &alert.namespace),
            attribute("service.instance.id", &alert.uid),
        ]},
        "scopeSpans": [{
            "scope": {"name": "flux:notification-controller"},
            "spans": [{
                "traceId": &trace[..32],
                "spanId": &span[..16],
                "name": words::kind_and_path(event),
                "kind": SPAN_KIND_INTERNAL,
                "startTimeUnixNano": time,
                "endTimeUnixNano": time,
                "attributes": attributes,
                "status": status,
            }],
        }],
    }]})
}

/// What makes a trace: the chart's digest where there is one, else the revision.
fn revision(event: &Event) -> String {
    let fact = |key: &str| event.metadata.get(key);
    match (fact("app-version"), fact("oci-digest")) {
        (Some(version), Some(digest)) => format!("{version}@{digest}"),
        _ => fact(key::REVISION).cloned().unwrap_or_else(|| "unknown".to_owned()),
    }
}

fn attribute(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}
