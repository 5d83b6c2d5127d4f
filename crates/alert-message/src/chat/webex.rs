//! Webex.

use std::fmt::Write as _;

use event_api::Event;
use serde_json::json;

use crate::{Error, Place, Provider, Request, Step, address, words};

pub(crate) fn tell(provider: &Provider, event: &Event, place: Place<'_>) -> Result<Step, Error> {
    let url = address::http(&provider.address, "Webex hook URL")?;
    let sign = if event.is_error() { "💣" } else { "✅" };
    let mut text = format!("{sign} **{}**\n{}\n", words::object(event), event.message);
    for (key, value) in &event.metadata {
        // Writing to a String cannot fail.
        _ = writeln!(text, ">**{key}**: {value}");
    }
    let mut message = json!({"markdown": text});
    if !provider.channel.is_empty() {
        message["roomId"] = json!(provider.channel);
    }
    if let Some(thread) = place.thread() {
        message["parentId"] = json!(thread.as_str());
    }
    Ok(Step::tell_at(place, Request::post(url, &message).bearer(&provider.token), "/id"))
}
