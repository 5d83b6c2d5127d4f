//! Comments at pull and merge requests: one for each object, edited when something new is said.

use event_api::{Event, key};
use serde_json::{Value, json};
use url::Url;

use crate::git_service::Api;
use crate::request::Method;
use crate::{Answer, Error, Provider, Request, Step, TokenOf, words};

pub(crate) mod gitea;
pub(crate) mod github;
pub(crate) mod gitlab;

const WHO_FAILED: &str = "failed to get authenticated user info: ";

/// How a service has comments.
struct Service {
    /// What the markers of our comments begin with.
    marker: &'static str,
    /// Where the answer to `whoami` has the name of the user, and a comment that of its author.
    user: &'static str,
    author: &'static str,
    /// The comments of a request, oldest first.
    comments: fn(&Api, &str) -> Url,
    query: &'static str,
    /// One of them, by the numbers of the request and of itself.
    comment: fn(&Api, &str, &str) -> Url,
    edit: Method,
    /// What is said of failures, before the answer.
    list: &'static str,
    update: &'static str,
    create: &'static str,
}

impl Service {
    /// Who are we, what did we write already, and then that edited or something new.
    fn tell(&'static self, api: Api, provider: &Provider, event: &Event) -> Result<Step, Error> {
        let comment = Comment::of(provider, event, self.marker)?;
        if let TokenOf::GitHubApp { login } = &provider.token_of {
            // An App is no user that could ask for its name.
            return Ok(self.write(api, comment, login.clone()));
        }
        Ok(Step::ask(api.whoami().told_as(WHO_FAILED), move |answer| {
            let author = user(&api, answer, self.user)?;
            Ok(self.write(api, comment, author))
        }))
    }

    fn write(&'static self, api: Api, comment: Comment, author: String) -> Step {
        let number = comment.number.to_string();
        let comments = (self.comments)(&api, &number);
        let mut list = comments.clone();
        list.set_query(Some(self.query));
        Step::ask(api.get(list).told_as(self.list), move |answer| {
            let found = api.listed(answer, self.list)?;
            let body = json!({"body": comment.body});
            Ok(match comment.written(&found, self.author, &author) {
                Some(id) => {
                    let url = (self.comment)(&api, &number, &id.to_string());
                    api.change(Request::json(self.edit, url, &body), self.update)
                }
                None => api.change(Request::post(comments, &body), self.create),
            })
        })
    }
}

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
fn user(api: &Api, answer: &Answer, key: &str) -> Result<String, Error> {
    let found = api.listed(answer, WHO_FAILED)?;
    Ok(found.get(key).and_then(Value::as_str).unwrap_or_default().to_owned())
}
