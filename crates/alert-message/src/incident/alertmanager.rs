//! Prometheus' Alertmanager.

use event_api::{Event, key};
use serde_json::json;

use crate::{Error, Provider, Request, Step, address, words};

/// Alertmanager then resolves the alert by its own `resolve_timeout`.
const NEVER: &str = words::ZERO_TIME;

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let url = address::http(&provider.address, "Alertmanager URL")?;
    let about = &event.involved_object;
    let mut annotations = json!({"message": event.message});
    let mut labels = event.metadata.clone();
    if let Some(summary) = labels.remove(key::SUMMARY) {
        annotations["summary"] = json!(summary);
    }
    for (label, value) in [
        ("alertname", format!("Flux{}{}", about.kind, title(&event.reason)).as_str()),
        ("severity", event.severity.as_str()),
        ("reason", &event.reason),
        ("kind", &about.kind),
        ("name", &about.name),
        ("namespace", &about.namespace),
        ("reportingcontroller", &event.reporting_controller),
    ] {
        labels.insert(label.to_owned(), value.to_owned());
    }
    let alerts = json!([{
        "status": "firing",
        "labels": labels,
        "annotations": annotations,
        "startsAt": words::time(event),
        "endsAt": NEVER,
    }]);
    let mut request = Request::post(url, &alerts);
    if !provider.username.is_empty() && !provider.password.is_empty() {
        request = request.basic(&provider.username, &provider.password);
    } else if !provider.token.is_empty() {
        request = request.bearer(&provider.token);
    }
    Ok(Step::tell(request))
}

/// A reason as alert routes know it: one capital, then small letters.
fn title(reason: &str) -> String {
    let mut title = String::with_capacity(reason.len());
    let mut inside = false;
    for c in reason.chars() {
        if inside {
            title.extend(c.to_lowercase());
        } else {
            title.extend(c.to_uppercase());
        }
        inside = c.is_alphanumeric() || c == '_';
    }
    title
}
