//! Comments at pull and merge requests: one for each object, edited when something new is said.

use event_api::{Event, key};
use serde_json::Value;

use crate::git_service::listed;
use crate::{Answer, Error, Provider, words};

pub(crate) mod gitea;
pub(crate) mod github;
pub(crate) mod gitlab;

/// The comment of an object.
struct Comment {
    /// Number of the request.
    number: u64,
    /// What tells the comment from others.
    marker: String,
    body: String,
}

impl Comment {
    fn of(provider: &Provider, event: &Event, prefix: &str) -> Result<Self, Error> {
        if provider.uid.is_empty() {
            return Err(Error::Setting { sentence: "provider UID cannot be empty" });
        }
        let about = &event.involved_object;
        let marker = format!(
            "<!-- {prefix}:{}/{}/{}/{} -->",
            provider.uid, about.kind, about.namespace, about.name
        );
        let body = format!("{marker}\n\n{}", words::markdown(event));
        let number = event.metadata.get(key::CHANGE_REQUEST).ok_or(Error::NoChangeRequest)?;
        let number =
            number.parse().map_err(|_no_number| Error::ChangeRequest { number: number.clone() })?;
        Ok(Self { number, marker, body })
    }

    /// The id of the comment among those listed, if its author wrote it already.
    fn written(&self, listed: &Value, author_at: &str, author: &str) -> Option<u64> {
        let text = |one: &Value, pointer: &str| {
            one.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
        };
        listed
            .as_array()?
            .iter()
            .find(|one| {
                text(one, author_at).as_deref() == Some(author)
                    && text(one, "/body").is_some_and(|body| body.contains(&self.marker))
            })?
            .get("id")?
            .as_u64()
    }
}

/// The name of the user who asks, from the service's answer.
fn user(answer: &Answer, key: &str) -> Result<String, Error> {
    let found = listed(answer, "get authenticated user info")?;
    Ok(found.get(key).and_then(Value::as_str).unwrap_or_default().to_owned())
}
