//! What services say when they refuse, in the words of the libraries that Flux asks them with.

use serde_json::Value;

use crate::{Answer, Error, Request, Step};

/// How a library tells of a refusal.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dialect {
    GitHub,
    GitLab,
    Gitea,
    AzureDevOps,
    /// The status and its name: Bitbucket and Datadog.
    Status,
    BitbucketServer,
}

/// What a look-up answered. `told` comes before what is said of a refusal, as in its request.
pub(crate) fn listed(
    answer: &Answer,
    dialect: Dialect,
    told: &'static str,
) -> Result<Value, Error> {
    accepted(answer, "GET", dialect, told).map(|()| answer.json())
}

/// A change, after which nothing follows.
pub(crate) fn changed(request: Request, dialect: Dialect, told: &'static str) -> Step {
    let method = request.method.name();
    Step::ask(request.told_as(told), move |answer| {
        accepted(answer, method, dialect, told).map(|()| Step::Done)
    })
}

fn accepted(
    answer: &Answer,
    method: &str,
    dialect: Dialect,
    told: &'static str,
) -> Result<(), Error> {
    if answer.is_success() {
        return Ok(());
    }
    Err(Error::Api { told, said: dialect.said(method, answer) })
}

impl Dialect {
    fn said(self, method: &str, answer: &Answer) -> String {
        let status = answer.status;
        let body = answer.json();
        let message = body.get("message");
        match self {
            Self::GitHub => {
                let message = message.and_then(Value::as_str).unwrap_or_default();
                let errors = body.get("errors").and_then(Value::as_array);
                let errors: Vec<_> = errors.into_iter().flatten().map(github_error).collect();
                format!("{method} <address>: {status} {message} [{}]", errors.join(" "))
            }
            Self::GitLab if status == 404 => "404 Not Found".to_owned(),
            Self::GitLab => match gitlab_error(answer, &body) {
                said if said.is_empty() => format!("{method} <address>: {status}"),
                said => format!("{method} <address>: {status} {said}"),
            },
            Self::Gitea | Self::AzureDevOps => match message {
                Some(Value::String(message)) => message.clone(),
                Some(message) => message.to_string(),
                None => format!("{}: {}", with_name(status, " "), answer.text()),
            },
            Self::Status => with_name(status, " "),
            Self::BitbucketServer => with_name(status, " - "),
        }
    }
}

fn github_error(error: &Value) -> String {
    let text = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
    let [resource, field, code, message] = ["resource", "field", "code", "message"].map(text);
    format!("{{Resource:{resource} Field:{field} Code:{code} Message:{message}}}")
}

fn gitlab_error(answer: &Answer, body: &Value) -> String {
    match body {
        Value::Null if answer.body.is_empty() => String::new(),
        Value::Null => format!("failed to parse unknown error format: {}", answer.text()),
        body => gitlab_words(body),
    }
}

/// Values as GitLab's library prints them. As deep as the JSON parser lets them be.
fn gitlab_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(gitlab_words).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members
                .iter()
                .map(|(key, value)| format!("{{{key}: {}}}", gitlab_words(value)))
                .collect();
            members.sort_unstable();
            members.join(", ")
        }
        other => other.to_string(),
    }
}

/// A status with the name that HTTP has for it.
fn with_name(status: u16, between: &str) -> String {
    let name = match status {
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        413 => "Request Entity Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Entity",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => return status.to_string(),
    };
    format!("{status}{between}{name}")
}
