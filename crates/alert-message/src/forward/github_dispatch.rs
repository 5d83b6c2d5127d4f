//! Repository dispatches of GitHub.

use event_api::Event;
use serde_json::json;

use crate::git_service::github;
use crate::{Error, Provider, Request, Step};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let api = github::api(provider)?;
    let about = &event.involved_object;
    let dispatch = json!({
        "event_type": format!("{}/{}.{}", about.kind, about.name, about.namespace),
        "client_payload": event,
    });
    let request = Request::post(api.url(&["dispatches"]), &dispatch);
    Ok(api.change(request, "could not send github repository dispatch webhook: "))
}
