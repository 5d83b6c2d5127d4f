//! GitHub, and GitHub Enterprise.

use event_api::Event;
use serde_json::json;

use super::{States, Status, id, is_latest};
use crate::git_service::{github, listed};
use crate::{Error, Provider, Request, Step};

const STATES: States = States { service: "github", success: "success", failure: "failure" };

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let id = id(provider)?;
    let api = github::api(provider)?;
    let Some(status) = Status::of(event, &STATES)? else { return Ok(Step::Done) };
    let mut list = api.url(&["commits", &status.commit, "statuses"]);
    list.set_query(Some("per_page=50"));
    let list = api.get(list);
    Ok(Step::ask(list, move |answer| {
        let statuses = listed(answer, "list commit statuses")?;
        if is_latest(&statuses, "context", &id, status.state, &status.description) {
            return Ok(Step::Done);
        }
        let body = json!({"state": status.state, "context": id, "description": status.description});
        let set = Request::post(api.url(&["statuses", &status.commit]), &body);
        Ok(api.change(set, "create commit status"))
    }))
}
