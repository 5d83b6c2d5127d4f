//! GitHub's pull requests.

use event_api::Event;

use super::Service;
use crate::git_service::github;
use crate::request::Method;
use crate::{Error, Provider, Step};

static SERVICE: Service = Service {
    marker: "flux-pr-comment-key",
    user: "login",
    author: "/user/login",
    comments: |api, number| api.url(&["issues", number, "comments"]),
    query: "direction=asc&per_page=100&sort=created",
    comment: |api, _, id| api.url(&["issues", "comments", id]),
    edit: Method::Patch,
    list: "failed to list pull request comments: ",
    update: "failed to update pull request comment: ",
    create: "failed to create pull request comment: ",
};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    SERVICE.tell(github::api(provider)?, provider, event)
}
