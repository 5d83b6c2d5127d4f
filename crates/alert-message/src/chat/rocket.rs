//! Rocket.Chat, which takes Slack's messages.

use event_api::Event;

use super::slack;
use crate::{Error, Provider, Request, Step, address};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let url = address::http(&provider.address, "Rocket hook URL")?;
    let color = if event.is_error() { "#FF0000" } else { "#0076D7" };
    let message = slack::message(event, &provider.channel, &provider.username, "", color);
    Ok(Step::tell(Request::post(url, &message)))
}
