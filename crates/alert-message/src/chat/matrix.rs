//! Matrix.

use std::fmt::Write as _;

use event_api::Event;
use serde_json::json;
use sha1::{Digest as _, Sha1};

use crate::request::Method;
use crate::{Error, Place, Provider, Request, Step, address, words};

pub(crate) fn tell(provider: &Provider, event: &Event, place: Place<'_>) -> Result<Step, Error> {
    let server = address::http(&provider.address, "Matrix homeserver URL")?;
    // Equal events have equal ids, so that a repeated request posts nothing twice.
    let transaction = format!("{:x}", Sha1::digest(event.to_json()));
    let url = address::below(
        &server,
        [
            "_matrix",
            "client",
            "r0",
            "rooms",
            &provider.channel,
            "send",
            "m.room.message",
            &transaction,
        ],
    );
    let sign = if event.is_error() { "🚨" } else { "💫" };
    let mut text = format!("{sign} {}\n{}\n", words::object(event), event.message);
    for (key, value) in &event.metadata {
        // Writing to a String cannot fail.
        _ = writeln!(text, "- {key}: {value}");
    }
    let mut message = json!({"body": text, "msgtype": "m.text"});
    if let Some(thread) = place.thread() {
        let first = thread.as_str();
        message["m.relates_to"] = json!({
            "rel_type": "m.thread",
            "event_id": first,
            // For those who know no threads, it answers the first.
            "is_falling_back": true,
            "m.in_reply_to": {"event_id": first},
        });
    }
    let request = Request::json(Method::Put, url, &message).bearer(&provider.token);
    Ok(Step::tell_at(place, request, "/event_id"))
}
