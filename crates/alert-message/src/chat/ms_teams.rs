//! Microsoft Teams: adaptive cards, and the cards of its former connectors.

use event_api::{Event, key};
use serde_json::{Value, json};

use crate::{Error, Provider, Request, Step, address, words};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let url = address::http(&provider.address, "MS Teams webhook URL")?;
    let is_connector = url.host_str().is_some_and(|host| host.ends_with(".webhook.office.com"));
    let card = if is_connector { message_card(event) } else { adaptive_card(event) };
    Ok(Step::tell(Request::post(url, &card)))
}

fn adaptive_card(event: &Event) -> Value {
    let mut message = json!({"type": "TextBlock", "text": event.message, "wrap": true});
    if event.is_error() {
        message["color"] = json!("attention");
    }
    if event.message.is_empty() {
        message = json!({"type": "TextBlock", "wrap": true});
    }
    let mut facts = json!({"type": "FactSet"});
    if !event.metadata.is_empty() {
        facts["facts"] = summary_first(event)
            .map(|(title, value)| json!({"title": title, "value": value}))
            .collect();
    }
    let heading = json!({
        "type": "TextBlock", "text": words::object(event), "size": "large", "weight": "bolder", "wrap": true,
    });
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": [{"type": "Container", "items": [heading, message, facts]}],
                "msteams": {"width": "Full"},
            },
        }],
    })
}

fn summary_first(event: &Event) -> impl Iterator<Item = (&String, &String)> {
    let summary = event.metadata.get_key_value(key::SUMMARY);
    summary.into_iter().chain(event.metadata.iter().filter(|(key, _)| *key != key::SUMMARY))
}

fn message_card(event: &Event) -> Value {
    let facts: Vec<Value> =
        event.metadata.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    let object = words::object(event);
    json!({
        "@type": "MessageCard",
        "@context": "http://schema.org/extensions",
        "themeColor": if event.is_error() { "FF0000" } else { "0076D7" },
        "summary": object,
        "sections": [{"activityTitle": event.message, "activitySubtitle": object, "facts": facts}],
    })
}
