//! Azure DevOps.

use event_api::{Event, key};
use serde_json::{Value, json};

use super::{States, Status, id};
use crate::address::{admits_identity, below, repository};
use crate::refusal::{Dialect, changed, listed};
use crate::{Error, Provider, Request, Step};

const STATES: States = States { service: "azure devops", success: "succeeded", failure: "error" };
const LIST_FAILED: &str = "could not list commit statuses: ";
const GENRE: &str = "fluxcd";
/// Where Azure DevOps takes tokens of identities.
const HOSTS: [&str; 2] = ["dev.azure.com", ".visualstudio.com"];

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    let repository = repository(&provider.address)?;
    admits_identity(provider, &repository.server, &HOSTS)?;
    let id = id(provider)?;
    let parts: Vec<&str> = repository.id.split('/').collect();
    let [organization, project, _git, name] = parts.as_slice() else {
        return Err(Error::Repository { id: repository.id.clone() });
    };
    let Some(status) = Status::of(event, &STATES)? else { return Ok(Step::Done) };
    let genre = match event.metadata.get(key::SUMMARY) {
        Some(summary) => format!("{GENRE}:{summary}"),
        None => GENRE.to_owned(),
    };
    let mut statuses = below(
        &repository.server,
        [
            organization,
            project,
            "_apis",
            "git",
            "repositories",
            name,
            "commits",
            &status.commit,
            "statuses",
        ],
    );
    statuses.set_query(Some("api-version=7.1"));
    let token = provider.token.clone();
    let list = Request::get(statuses.clone()).basic("", &token).told_as(LIST_FAILED);
    Ok(Step::ask(list, move |answer| {
        let found = listed(answer, Dialect::AzureDevOps, LIST_FAILED)?;
        if is_latest(&found, &genre, &id, &status) {
            return Ok(Step::Done);
        }
        let body = json!({
            "state": status.state,
            "description": status.description,
            "context": {"genre": genre, "name": id},
        });
        let set = Request::post(statuses, &body).basic("", &token);
        Ok(changed(set, Dialect::AzureDevOps, "could not create commit status: "))
    }))
}

fn is_latest(found: &Value, genre: &str, id: &str, status: &Status) -> bool {
    let text = |value: &Value, pointer: &str| {
        value.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
    };
    found
        .get("value")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .find(|one| {
            text(one, "/context/genre").as_deref() == Some(genre)
                && text(one, "/context/name").as_deref() == Some(id)
        })
        .is_some_and(|one| {
            text(one, "/state").as_deref() == Some(status.state)
                && text(one, "/description").as_deref() == Some(status.description.as_str())
        })
}
