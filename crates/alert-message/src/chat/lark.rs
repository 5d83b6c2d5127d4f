//! Lark.

use std::fmt::Write as _;

use event_api::Event;
use serde_json::json;

use crate::{Error, Provider, Request, Step, address, words};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    // Flux: the words are those of Slack (notifier/lark.go).
    let url = address::http(&provider.address, "Slack hook URL")?;
    let (sign, color) = if event.is_error() { ("🚨", "red") } else { ("💫", "turquoise") };
    let mut text = format!("**{}**\n\n", event.message);
    for (key, value) in &event.metadata {
        // Writing to a String cannot fail.
        _ = writeln!(text, "{key}: {value}");
    }
    let message = json!({
        "msg_type": "interactive",
        "card": {
            "config": {"wide_screen_mode": true},
            "header": {
                "title": {"tag": "plain_text", "content": format!("{sign} {}", words::object(event))},
                "template": color,
            },
            "elements": [{"tag": "div", "text": {"tag": "lark_md", "content": text}}],
        },
    });
    Ok(Step::tell(Request::post(url, &message).told_as("")))
}
