//! Git services: how their repositories are addressed, and how they answer.

use serde_json::Value;

use crate::{Answer, Error, Request, Step};

pub(crate) mod gitea;
pub(crate) mod github;
pub(crate) mod gitlab;

/// What a list request answered.
pub(crate) fn listed(answer: &Answer, what: &'static str) -> Result<Value, Error> {
    if answer.is_success() {
        return Ok(answer.json());
    }
    Err(Error::Api { what, method: "GET", status: answer.status })
}

/// A change at a git service, after which nothing follows.
pub(crate) fn changed(request: Request, what: &'static str) -> Step {
    let method = request.method.name();
    Step::ask(request, move |answer| {
        if answer.is_success() {
            return Ok(Step::Done);
        }
        Err(Error::Api { what, method, status: answer.status })
    })
}
