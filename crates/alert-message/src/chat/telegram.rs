//! Telegram.

use std::fmt::Write as _;

use event_api::Event;
use serde_json::json;
use url::Url;

use crate::{Error, Place, Provider, Request, Step, UriFault};

/// What Telegram's second Markdown takes for markup.
const SPECIAL: &str = "\\.-_[]()~>`#+=|{}!*";

pub(crate) fn tell(provider: &Provider, event: &Event, place: Place<'_>) -> Result<Step, Error> {
    if provider.channel.is_empty() {
        return Err(Error::Setting { sentence: "empty Telegram channel" });
    }
    if provider.token.is_empty() {
        return Err(Error::Setting { sentence: "empty Telegram token" });
    }
    let about = &event.involved_object;
    let sign = if event.is_error() { "🚨" } else { "💫" };
    let heading =
        format!("{sign} {}/{}/{}", about.kind.to_lowercase(), about.name, about.namespace);
    let mut text = format!("*{}*\n{}\n", escaped(&heading), escaped(&event.message));
    for (key, value) in &event.metadata {
        // Writing to a String cannot fail.
        _ = writeln!(text, "\\- *{}*: {}", escaped(key), escaped(value));
    }
    let (chat, thread) = match provider.channel.split_once(':') {
        Some((chat, thread)) => (chat, Some(thread)),
        None => (provider.channel.as_str(), None),
    };
    let mut message = json!({"chat_id": chat, "text": text, "parse_mode": "MarkdownV2"});
    if let Some(thread) = thread.filter(|thread| !thread.is_empty()) {
        message["message_thread_id"] = json!(thread);
    }
    if let Some(first) = place.thread().and_then(|thread| thread.as_str().parse::<i64>().ok()) {
        let reply = json!({"message_id": first, "allow_sending_without_reply": true});
        message["reply_parameters"] = reply;
    }
    let url = format!("https://api.telegram.org/bot{}/sendMessage", provider.token.expose());
    let url = Url::parse(&url).map_err(|_malformed| Error::Address {
        what: "Telegram token",
        fault: UriFault::Malformed,
    })?;
    Ok(Step::tell_at(place, Request::post(url, &message).told_as(""), "/result/message_id"))
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if SPECIAL.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
