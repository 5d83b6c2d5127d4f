//! Statuses of commits. Each service is asked for the status that stands, and told only news.

use event_api::{Event, Severity};
use serde_json::Value;

use crate::{Error, Provider, words};

pub(crate) mod azure_devops;
pub(crate) mod bitbucket;
pub(crate) mod bitbucket_server;
pub(crate) mod gitea;
pub(crate) mod github;
pub(crate) mod gitlab;

/// The status that an event gives a commit.
struct Status {
    commit: String,
    state: &'static str,
    description: String,
}

/// A service's words for its states.
struct States {
    service: &'static str,
    success: &'static str,
    failure: &'static str,
}

impl Status {
    /// `None` for events that only say that work goes on.
    fn of(event: &Event, states: &States) -> Result<Option<Self>, Error> {
        if words::is_progress(event) {
            return Ok(None);
        }
        Self::new(event, states).map(Some)
    }

    fn new(event: &Event, states: &States) -> Result<Self, Error> {
        let commit = words::commit(event)?;
        let state = match event.severity {
            Severity::Info => states.success,
            Severity::Error => states.failure,
            Severity::Trace | Severity::Other(_) => {
                return Err(Error::Severity { service: states.service });
            }
        };
        Ok(Self { commit, state, description: words::reason(event) })
    }
}

/// The id of the status.
fn id(provider: &Provider) -> Result<String, Error> {
    if provider.status_id.is_empty() {
        return Err(Error::Setting { sentence: "commit status cannot be empty" });
    }
    Ok(provider.status_id.clone())
}

/// Whether the newest status of that id says the same. Services list the newest first.
fn is_latest(statuses: &Value, id_key: &str, id: &str, state: &str, description: &str) -> bool {
    let text =
        |status: &Value, key: &str| status.get(key).and_then(Value::as_str).map(str::to_owned);
    statuses
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|status| {
            let state_key = if status.get("state").is_some() { "state" } else { "status" };
            Some((text(status, id_key)?, text(status, state_key)?, text(status, "description")?))
        })
        .find(|(found, ..)| found == id)
        .is_some_and(|(_, found_state, found)| found_state == state && found == description)
}
