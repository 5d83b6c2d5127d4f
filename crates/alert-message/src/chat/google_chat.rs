//! Google Chat.

use event_api::Event;
use serde_json::{Value, json};

use crate::{Error, Place, Provider, Request, Step, address, words};

pub(crate) fn tell(provider: &Provider, event: &Event, place: Place<'_>) -> Result<Step, Error> {
    let mut url = address::http(&provider.address, "Google Chat hook URL")?;
    let text = if event.is_error() {
        format!("<font color=\"#ff0000\">{}</font>", event.message)
    } else {
        event.message.clone()
    };
    let message = json!({"textParagraph": {"text": text}, "keyValue": null});
    let mut sections = vec![json!({"header": "", "widgets": [message]})];
    if !event.metadata.is_empty() {
        let facts: Vec<Value> =
            event.metadata.iter().map(|(key, value)| fact(key, value)).collect();
        sections.push(json!({"header": "", "widgets": facts}));
    }
    let header = json!({
        "title": words::object(event),
        "subtitle": event.reporting_controller,
        "imageUrl": null,
        "imageStyle": null,
    });
    let mut cards = json!({"cards": [{"header": header, "sections": sections}]});
    if let Some(thread) = place.thread() {
        cards["thread"] = json!({"name": thread.as_str()});
        let or_alone = "REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD";
        url.query_pairs_mut().append_pair("messageReplyOption", or_alone);
    }
    Ok(Step::tell_at(place, Request::post(url, &cards), "/thread/name"))
}

fn fact(key: &str, value: &str) -> Value {
    json!({
        "textParagraph": null,
        "keyValue": {
            "topLabel": key,
            "content": value,
            "contentMultiline": false,
            "bottomLabel": null,
            "icon": null,
        },
    })
}
