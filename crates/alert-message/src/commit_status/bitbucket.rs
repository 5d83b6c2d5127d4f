//! Bitbucket.

use event_api::Event;
use secret_text::Secret;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use url::Url;

use super::{States, Status, id};
use crate::address::{below, repository};
use crate::refusal::{Dialect, changed, listed};
use crate::{Error, Provider, Request, Step, UriFault, words};

pub(super) const STATES: States =
    States { service: "bitbucket", success: "SUCCESSFUL", failure: "FAILED" };
const LOOK_FAILED: &str = "could not get commit status: ";

pub(crate) fn tell(provider: &Provider, event: &Event) -> Result<Step, Error> {
    if provider.token.is_empty() {
        return Err(Error::Setting { sentence: "bitbucket token cannot be empty" });
    }
    let id = id(provider)?;
    let repository = repository(&provider.address)?;
    let (username, password) = login(&provider.token)?;
    let (owner, name) = repository.owner_and_name()?;
    let Some(status) = Status::of(event, &STATES)? else { return Ok(Step::Done) };
    let key = key(&id);
    let server = Url::parse("https://api.bitbucket.org/2.0").map_err(|_malformed| {
        Error::Address { what: "Bitbucket address", fault: UriFault::Malformed }
    })?;
    let statuses = below(
        &server,
        ["repositories", owner, name, "commit", &status.commit, "statuses", "build"],
    );
    let look = Request::get(below(&statuses, [key.as_str()]))
        .told_as(LOOK_FAILED)
        .basic(&username, &password);
    let label = words::short_object(event);
    Ok(Step::ask(look, move |answer| {
        if answer.status != 404 {
            let stands = listed(answer, Dialect::Status, LOOK_FAILED)?;
            let text = |key: &str| stands.get(key).and_then(Value::as_str);
            if text("state") == Some(status.state)
                && text("description") == Some(&status.description)
            {
                return Ok(Step::Done);
            }
        }
        let body = json!({
            "state": status.state,
            "key": key,
            "name": label,
            "url": "https://bitbucket.org",
            "description": status.description,
        });
        let set = Request::post(statuses, &body).basic(&username, &password);
        Ok(changed(set, Dialect::Status, ""))
    }))
}

/// The id as a key of at most 40 characters.
pub(super) fn key(id: &str) -> String {
    format!("{:x}", Sha1::digest(id))
}

/// `user:password`.
fn login(token: &Secret) -> Result<(String, Secret), Error> {
    match token.expose().split_once(':') {
        Some((user, password)) if !password.contains(':') => {
            Ok((user.to_owned(), Secret::new(password)))
        }
        _ => Err(Error::Setting {
            sentence: "invalid token format, expected to be <user>:<password>",
        }),
    }
}
