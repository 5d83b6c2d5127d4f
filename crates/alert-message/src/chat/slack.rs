//! Slack, and the form of message that others took over from it.

use event_api::Event;
use serde_json::{Value, json};

use crate::request::POST_FAILED;
use crate::{Error, Place, Provider, Request, Step, address, words};

const API: &str = "https://slack.com/api/chat.postMessage";

pub(crate) fn tell(provider: &Provider, event: &Event, place: Place<'_>) -> Result<Step, Error> {
    let url = address::http(&provider.address, "Slack hook URL")?;
    let author = words::object(event);
    let first_line = event.message.split('\n').next().unwrap_or_default();
    let fallback = format!("{author}: {first_line}");
    let (good, bad) = ("good", "danger");
    let username = username(provider, event);
    let mut message = message(
        event,
        &provider.channel,
        username,
        &fallback,
        if event.is_error() { bad } else { good },
    );
    if let Some(thread) = place.thread() {
        message["thread_ts"] = json!(thread.as_str());
        message["reply_broadcast"] = json!(place.is_last());
    }
    let mut request = Request::post(url, &message);
    if !provider.token.is_empty() {
        request = request.bearer(&provider.token);
    }
    // The API answers 200 to what it refuses.
    let answers_in_body = provider.address.expose() == API;
    let is_first = place == Place::First;
    Ok(Step::ask(request, move |answer| {
        // Webhooks answer a word, servers with Slack's API the same as Slack.
        let told = || Step::told(is_first, answer, "/ts");
        if !answers_in_body {
            return answer.accepted(POST_FAILED).map(|()| told());
        }
        let said = answer.json();
        if said.get("ok").and_then(Value::as_bool) == Some(true) {
            return Ok(told());
        }
        let error = said.get("error").and_then(Value::as_str).unwrap_or_default().to_owned();
        Err(Error::Slack { error })
    }))
}

/// The name to post under; the controller's where none is set.
pub(super) fn username<'a>(provider: &'a Provider, event: &'a Event) -> &'a str {
    if provider.username.is_empty() { &event.reporting_controller } else { &provider.username }
}

/// A message with one attachment.
pub(super) fn message(
    event: &Event,
    channel: &str,
    username: &str,
    fallback: &str,
    color: &str,
) -> Value {
    let fields: Vec<Value> = event
        .metadata
        .iter()
        .map(|(title, value)| json!({"title": title, "value": value, "short": false}))
        .collect();
    json!({
        "channel": channel,
        "username": username,
        "icon_url": "",
        "icon_emoji": "",
        "attachments": [{
            "fallback": fallback,
            "color": color,
            "author_name": words::object(event),
            "text": event.message,
            "mrkdwn_in": ["text"],
            "fields": fields,
        }],
    })
}
