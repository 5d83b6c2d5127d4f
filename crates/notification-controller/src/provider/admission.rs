//! Which events a provider is told of.

use alert_message::Class;
use event_api::{COMMIT_STATUS_UPDATE, Event, key};

use crate::event::metadata::{common, own};

/// Why a provider is not told of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Withheld {
    /// It is about a commit's status only.
    #[error("event dropped because it only updates the status of a commit")]
    StatusUpdate,
    /// It names no commit.
    #[error("event dropped for commit status providers due to missing commit metadata key")]
    NoCommit,
    /// It names no pull or merge request.
    #[error(
        "event dropped for change request providers due to missing change request metadata key"
    )]
    NoChangeRequest,
}

/// Whether a provider of a class is told of an event, whose metadata still has its prefixes.
///
/// # Errors
/// Why not.
pub(crate) fn admits(class: Class, event: &Event) -> Result<(), Withheld> {
    let is_update = own(event, key::COMMIT_STATUS) == Some(COMMIT_STATUS_UPDATE);
    match class {
        Class::CommitStatus => {
            // Failures are not marked as updates, and are told all the same.
            let is_told = is_update || event.is_error() || common(event, key::COMMIT).is_some();
            if is_told { Ok(()) } else { Err(Withheld::NoCommit) }
        }
        Class::Message | Class::ChangeRequest if is_update => Err(Withheld::StatusUpdate),
        Class::ChangeRequest if common(event, key::CHANGE_REQUEST).is_none() => {
            Err(Withheld::NoChangeRequest)
        }
        Class::Forward | Class::Message | Class::ChangeRequest => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn classes_are_told_of_what_they_can_tell() {
        let event = |severity: &str, metadata: serde_json::Value| -> Event {
            serde_json::from_value(json!({
                "involvedObject": {"kind": "K", "name": "n", "apiVersion": "g/v1"},
                "severity": severity, "metadata": metadata,
            }))
            .unwrap()
        };
        let plain = event("info", json!({}));
        let error = event("error", json!({}));
        let update = event("info", json!({"g/commit_status": "update"}));
        let commit = event("info", json!({"event.toolkit.fluxcd.io/commit": "c"}));
        let request = event("info", json!({"event.toolkit.fluxcd.io/change_request": "1"}));
        let told = |class| [&plain, &error, &update, &commit, &request].map(|it| admits(class, it));
        let (ok, update, commit) = (Ok(()), Err(Withheld::StatusUpdate), Err(Withheld::NoCommit));
        assert_eq!(told(Class::Forward), [ok; 5]);
        assert_eq!(told(Class::Message), [ok, ok, update, ok, ok]);
        assert_eq!(told(Class::CommitStatus), [commit, ok, ok, ok, commit]);
        let none = Err(Withheld::NoChangeRequest);
        assert_eq!(told(Class::ChangeRequest), [none, none, update, none, ok]);
    }
}
