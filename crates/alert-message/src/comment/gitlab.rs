//! GitLab's merge requests.

use event_api::Event;

use super::Service;
use crate::git_service::gitlab;
use crate::request::Method;
use crate::{Error, Provider, Step};

static SERVICE: Service = Service {
    marker: "flux-mr-comment-key",
    user: "username",
    author: "/author/username",
    comments: |api, number| api.url(&["merge_requests", number, "notes"]),
    query: "order_by=created_at&per_page=100&sort=asc",
    comment: |api, number, id| api.url(&["merge_requests", number, "notes", id]),
    edit: Method::Put,
    list: "failed to list merge request notes: ",
    update: "failed to update merge request note: ",
    create: "failed to create merge request note: ",
};

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    SERVICE.tell(gitlab::api(provider)?, provider, event)
}
