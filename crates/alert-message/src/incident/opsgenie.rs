//! Opsgenie.

use event_api::Event;
use serde_json::json;

use crate::{Error, Provider, Request, Step, address};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let url = address::http(&provider.address, "Opsgenie hook URL")?;
    if provider.token.is_empty() {
        return Err(Error::Setting { sentence: "empty Opsgenie apikey/token" });
    }
    let about = &event.involved_object;
    let mut details = json!(event.metadata);
    details["severity"] = json!(event.severity.as_str());
    let alert = json!({
        "message": format!("{}/{}", about.kind, about.name),
        "description": event.message,
        "details": details,
    });
    let key = format!("GenieKey {}", provider.token.expose());
    Ok(Step::tell(Request::post(url, &alert).with("Authorization", key)))
}
