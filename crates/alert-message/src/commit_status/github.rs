//! GitHub, and GitHub Enterprise.

use event_api::Event;
use serde_json::json;

use super::{States, Status, id, is_latest};
use crate::git_service::github;
use crate::{Error, Provider, Request, Step};

const STATES: States = States { service: "github", success: "success", failure: "failure" };
const LIST_FAILED: &str = "could not list commit statuses: ";

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let id = id(provider)?;
    let api = github::api(provider)?;
    let Some(status) = Status::of(event, &STATES)? else { return Ok(Step::Done) };
    let mut list = api.url(&["commits", &status.commit, "statuses"]);
    list.set_query(Some("per_page=50"));
    let list = api.get(list).told_as(LIST_FAILED);
    Ok(Step::ask(list, move |answer| {
        let statuses = api.listed(answer, LIST_FAILED)?;
        if is_latest(&statuses, "context", &id, status.state, &status.description) {
            return Ok(Step::Done);
        }
        let body = json!({"state": status.state, "context": id, "description": status.description});
        let set = Request::post(api.url(&["statuses", &status.commit]), &body);
        Ok(api.change(set, "could not create commit status: "))
    }))
}
