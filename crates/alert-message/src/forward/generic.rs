//! Any web server.

use event_api::Event;

use crate::request::Method;
use crate::{Error, Provider, Request, Step, address};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    request(provider, event, event.to_json()).map(Step::tell)
}

pub(super) fn request(provider: &Provider, event: &Event, body: String) -> Result<Request, Error> {
    let url = address::http(&provider.address, "hook URL")?;
    let mut request = Request::json_text(Method::Post, url, body)
        .with("gotk-component", event.reporting_controller.as_str());
    for (name, value) in &provider.headers {
        request.headers.retain(|(set, _)| !set.eq_ignore_ascii_case(name));
        request = request.with(name, value.expose());
    }
    Ok(request)
}
