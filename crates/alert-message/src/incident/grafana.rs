//! Annotations in Grafana.

use event_api::Event;
use serde_json::json;

use crate::{Error, Provider, Request, Step, address, words};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let url = address::http(&provider.address, "Grafana URL")?;
    let about = &event.involved_object;
    let mut tags = vec!["flux".to_owned(), event.reporting_controller.clone()];
    for (key, value) in &event.metadata {
        tags.push(format!("{}: {}", key.replace(':', "|"), value.replace(':', "|")));
    }
    tags.push(format!("kind: {}", about.kind));
    tags.push(format!("name: {}", about.name));
    tags.push(format!("namespace: {}", about.namespace));
    let annotation = json!({
        // Flux: seconds, though Grafana documents milliseconds (notifier/grafana.go).
        "when": words::unix_seconds(event),
        "text": words::object(event),
        "tags": tags,
    });
    let request = Request::post(url, &annotation);
    Ok(Step::tell(if !provider.token.is_empty() {
        request.bearer(&provider.token)
    } else if !provider.username.is_empty() && !provider.password.is_empty() {
        request.basic(&provider.username, &provider.password)
    } else {
        request
    }))
}
