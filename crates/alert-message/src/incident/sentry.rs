//! Sentry: failures as events, everything else as transactions.

use event_api::{Event, Severity};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::address::UriFault;
use crate::request::Method;
use crate::{Error, Provider, Request, Step, address, words};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    if provider.address.is_empty() {
        return Err(Error::Setting { sentence: "DSN cannot be empty" });
    }
    let dsn = address::http(&provider.address, "Sentry DSN")?;
    let malformed = || Error::Address { what: "Sentry DSN", fault: UriFault::Malformed };
    let key = dsn.username();
    let (path, project) =
        dsn.path().trim_end_matches('/').rsplit_once('/').ok_or_else(malformed)?;
    if key.is_empty() || project.is_empty() {
        return Err(malformed());
    }
    let mut url: Url = dsn.clone();
    url.set_path(&format!("{path}/api/{project}/envelope/"));
    url.set_query(None);
    // Refused only for URLs without a host, which `http` does not answer.
    let _has_host = url.set_username("").and_then(|()| url.set_password(None));
    let (kind, item) = match event.severity {
        Severity::Error => ("event", failure(provider, event)),
        Severity::Info => ("transaction", transaction(provider, event)),
        // Flux: an empty event is not sent (notifier/sentry.go).
        Severity::Trace | Severity::Other(_) => return Ok(Step::Done),
    };
    let envelope = format!(
        "{}\n{}\n{}\n",
        json!({"event_id": item["event_id"], "sent_at": words::time(event), "dsn": provider.address.expose()}),
        json!({"type": kind}),
        item
    );
    let login = format!("Sentry sentry_version=7, sentry_client=ferroflux/1.0, sentry_key={key}");
    let body = Some(("application/x-sentry-envelope", envelope.into_bytes()));
    let request = Request { body, ..Request::new(Method::Post, url) };
    Ok(Step::tell(request.with("X-Sentry-Auth", login)))
}

fn failure(provider: &Provider, event: &Event) -> Value {
    json!({
        "event_id": id(event, "event"),
        "platform": "other",
        "level": "error",
        "environment": provider.channel,
        "server_name": event.reporting_controller,
        "timestamp": words::time(event),
        "transaction": words::kind_and_path(event),
        "message": event.message,
        "contexts": {"metadata": event.metadata},
    })
}

fn transaction(provider: &Provider, event: &Event) -> Value {
    let about = &event.involved_object;
    let mut tags = json!({
        "flux_involved_object_kind": about.kind,
        "flux_involved_object_namespace": about.namespace,
        "flux_involved_object_name": about.name,
        "flux_reporting_controller": event.reporting_controller,
        "flux_reporting_instance": event.reporting_instance,
        "flux_reason": event.reason,
    });
    for (key, value) in &event.metadata {
        tags[key] = json!(value);
    }
    let span = id(event, "span").split_off(16);
    json!({
        "event_id": id(event, "transaction"),
        "type": "transaction",
        "platform": "other",
        "environment": provider.channel,
        "transaction": words::kind_and_path(event),
        "message": event.message,
        "contexts": {"trace": {"trace_id": id(event, "trace"), "span_id": span, "op": "event"}},
        "tags": tags,
        "start_timestamp": words::time(event),
        "timestamp": words::time(event),
        "spans": [],
    })
}

/// An id of 32 digits. Equal events have equal ids, so that a repeated request counts once.
fn id(event: &Event, role: &str) -> String {
    let digest = Sha256::new().chain_update(role).chain_update(event.to_json()).finalize();
    let mut id = format!("{digest:x}");
    id.truncate(32);
    id
}
