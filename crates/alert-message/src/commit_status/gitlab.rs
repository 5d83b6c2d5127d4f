//! GitLab.

use event_api::Event;
use serde_json::{Value, json};

use super::{States, Status, id};
use crate::git_service::gitlab;
use crate::{Error, Provider, Request, Step};

const STATES: States = States { service: "gitlab", success: "success", failure: "failed" };
const LIST_FAILED: &str = "unable to list commit status: ";

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let api = gitlab::api(provider)?;
    let id = id(provider)?;
    let Some(status) = Status::of(event, &STATES)? else { return Ok(Step::Done) };
    let mut list = api.url(&["repository", "commits", &status.commit, "statuses"]);
    list.query_pairs_mut().append_pair("name", &id);
    let list = api.get(list).told_as(LIST_FAILED);
    Ok(Step::ask(list, move |answer| {
        let statuses = api.listed(answer, LIST_FAILED)?;
        let stands = [
            ("name", id.as_str()),
            ("sha", &status.commit),
            ("status", status.state),
            ("description", &status.description),
        ];
        let is_same = |one: &Value| {
            stands.iter().all(|(key, value)| one.get(*key).and_then(Value::as_str) == Some(value))
        };
        if statuses.as_array().into_iter().flatten().any(is_same) {
            return Ok(Step::Done);
        }
        let body = json!({"name": id, "state": status.state, "description": status.description});
        let set = Request::post(api.url(&["statuses", &status.commit]), &body);
        Ok(api.change(set, ""))
    }))
}
