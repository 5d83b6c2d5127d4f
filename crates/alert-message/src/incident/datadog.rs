//! Events in Datadog.

use event_api::Event;
use serde_json::json;

use crate::refusal::{Dialect, changed};
use crate::{Error, Provider, Request, Step, address, words};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    if provider.token.is_empty() {
        return Err(Error::Setting { sentence: "token cannot be empty" });
    }
    let mut url = address::http(&provider.address, "DataDog address")?;
    url.set_path("/api/v1/events");
    url.set_query(None);
    let about = &event.involved_object;
    let facts = [
        ("flux_reporting_controller", &event.reporting_controller),
        ("flux_reason", &event.reason),
        ("kube_kind", &about.kind),
        ("kube_name", &about.name),
        ("kube_namespace", &about.namespace),
    ];
    let metadata = event.metadata.iter().map(|(key, value)| (key.as_str(), value));
    let tags: Vec<String> = facts
        .into_iter()
        .chain(metadata)
        .map(|(key, value)| format!("{key}:{value}").to_lowercase())
        .collect();
    let happening = json!({
        "title": format!("Events from the {} {}/{}", about.kind, about.name, about.namespace),
        "text": event.message,
        "tags": tags,
        "source_type_name": "fluxcd",
        "date_happened": words::unix_seconds(event),
        "alert_type": if event.is_error() { "error" } else { "info" },
    });
    let request = Request::post(url, &happening).with("Dd-Api-Key", provider.token.expose());
    Ok(changed(request, Dialect::Status, "failed to post event to DataDog: "))
}
