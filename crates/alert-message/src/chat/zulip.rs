//! Zulip.

use event_api::Event;
use url::form_urlencoded::Serializer;

use crate::request::Method;
use crate::{Error, Provider, Request, Step, address, words};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let mut url = address::http(&provider.address, "Zulip endpoint URL")?;
    url.set_path("/api/v1/messages");
    let channel = &provider.channel;
    let (stream, topic) = channel
        .split_once('/')
        .filter(|(stream, topic)| !stream.is_empty() && !topic.is_empty())
        .ok_or_else(|| Error::ZulipChannel { channel: channel.clone() })?;
    let form = Serializer::new(String::new())
        .append_pair("content", &words::markdown(event))
        .append_pair("to", stream)
        .append_pair("topic", topic)
        .append_pair("type", "stream")
        .finish()
        // Go escapes one sign that the standard leaves alone, and leaves another.
        .replace('*', "%2A")
        .replace("%7E", "~");
    let body = Some(("application/x-www-form-urlencoded", form.into_bytes()));
    let request = Request { body, ..Request::new(Method::Post, url) };
    Ok(Step::tell(request.told_as("").basic(&provider.username, &provider.password)))
}
