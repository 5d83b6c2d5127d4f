//! Gitea and Forgejo.

use event_api::Event;
use serde_json::json;

use super::{States, Status, id, is_latest};
use crate::git_service::gitea;
use crate::{Error, Provider, Request, Step, words};

const STATES: States = States { service: "gitea", success: "success", failure: "failure" };
/// The one service that is told of work that goes on.
const PENDING: States = States { service: "gitea", success: "pending", failure: "pending" };
const LIST_FAILED: &str = "could not list commit statuses: ";

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let id = id(provider)?;
    let api = gitea::api(provider)?;
    let scale = if words::is_progress(event) { PENDING } else { STATES };
    let status = Status::new(event, &scale)?;
    let mut list = api.url(&["commits", &status.commit, "statuses"]);
    list.set_query(Some("limit=50&page=1"));
    let list = api.get(list).told_as(LIST_FAILED);
    Ok(Step::ask(list, move |answer| {
        let statuses = api.listed(answer, LIST_FAILED)?;
        if is_latest(&statuses, "context", &id, status.state, &status.description) {
            return Ok(Step::Done);
        }
        let body = json!({
            "state": status.state,
            "target_url": "",
            "description": status.description,
            "context": id,
        });
        let set = Request::post(api.url(&["statuses", &status.commit]), &body);
        Ok(api.change(set, ""))
    }))
}
