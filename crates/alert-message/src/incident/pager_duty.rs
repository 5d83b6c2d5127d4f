//! `PagerDuty`: incidents of failures, and change events of everything else.

use event_api::{Event, Severity};
use serde_json::{Value, json};
use url::Url;

use crate::{Error, Provider, Request, Step, address, words};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let server = address::http(&provider.address, "PagerDuty endpoint URL")?;
    if words::is_progress(event) {
        return Ok(Step::Done);
    }
    let incident = Request::post(at(&server, "/v2/enqueue"), &incident(provider, event));
    if event.severity != Severity::Info {
        return Ok(Step::tell(incident.told_as("failed sending event: ")));
    }
    let change = Request::post(at(&server, "/v2/change/enqueue"), &change(provider, event));
    let change = change.told_as("failed sending change event: ");
    let incident = incident.told_as("failed sending event: ");
    let told = incident.told;
    Ok(Step::ask(incident, move |answer| answer.accepted(told).map(|()| Step::tell(change))))
}

fn at(server: &Url, path: &str) -> Url {
    let mut url = server.clone();
    url.set_query(None);
    url.set_path(path);
    url
}

/// Opens an incident for a failure; anything else resolves the one that may be open.
fn incident(provider: &Provider, event: &Event) -> Value {
    let about = &event.involved_object;
    let mut incident = json!({
        "routing_key": provider.channel,
        "event_action": if event.is_error() { "trigger" } else { "resolve" },
    });
    if !about.uid.is_empty() {
        incident["dedup_key"] = json!(about.uid);
    }
    if event.is_error() {
        let mut payload = summary(event);
        payload["severity"] = json!("error");
        payload["component"] = json!(about.name);
        payload["group"] = json!(about.kind);
        incident["payload"] = payload;
    }
    incident
}

fn change(provider: &Provider, event: &Event) -> Value {
    json!({"routing_key": provider.channel, "payload": summary(event)})
}

fn summary(event: &Event) -> Value {
    let metadata = (!event.metadata.is_empty()).then_some(&event.metadata);
    json!({
        "summary": format!("{}: {}", words::reason(event), words::short_object(event)),
        "source": format!("Flux {}", event.reporting_controller),
        "timestamp": words::time(event),
        "custom_details": {"message": event.message, "metadata": metadata},
    })
}
