//! What would be sent, for people, without a word to anybody.

use alert_message::{Method, Place, Provider, Step};
use event_api::Event;
use http_access::Access;

use crate::Error;
use crate::mask::Mask;

/// What telling a provider of an event begins with: method, server, content. Masked, and cut off where
/// it is long.
///
/// # Errors
/// If the conversation cannot begin, as in [`Sender::tell`](crate::Sender::tell).
pub fn rehearse(provider: &Provider, event: &Event) -> Result<String, Error> {
    let said = match alert_message::begin(provider, event, Place::Alone)? {
        Step::Done | Step::Begun(_) => "nothing".to_owned(),
        Step::Ask(request, _) => {
            let method = match request.method {
                Method::Get => "GET",
                Method::Post => "POST",
                Method::Put => "PUT",
                Method::Patch => "PATCH",
            };
            let (scheme, host) = (request.url.scheme(), request.url.host_str().unwrap_or_default());
            let content = request.body.map(|(_, content)| content).unwrap_or_default();
            let content = String::from_utf8(content)
                .unwrap_or_else(|binary| format!("({} bytes)", binary.as_bytes().len()));
            format!("{method} {scheme}://{host} {content}")
        }
        Step::Publish(message) => format!("PUB {} {}", message.subject, message.message),
    };
    Ok(Mask::new(provider, &Access::default()).text(&said))
}
