//! Discord, by its endpoint for Slack's messages.

use event_api::Event;

use super::slack;
use crate::{Error, Provider, Request, Step, address};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let mut url = address::http(&provider.address, "Discord hook URL")?;
    if !provider.address.expose().ends_with("/slack") {
        let path = format!("{}/slack", url.path().trim_end_matches('/'));
        url.set_path(&without_empty_segments(&path));
    }
    let color = if event.is_error() { "danger" } else { "good" };
    let username = slack::username(provider, event);
    Ok(Step::tell(Request::post(url, &slack::message(event, "", username, "", color))))
}

fn without_empty_segments(path: &str) -> String {
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    segments.fold(String::new(), |path, segment| path + "/" + segment)
}
