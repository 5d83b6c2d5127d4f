//! What controllers tell the notification controller, and what that passes on: Flux's event API.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

/// The group of metadata keys that belong to no kind.
pub const GROUP: &str = "event.toolkit.fluxcd.io";

/// Keys of metadata that have a meaning, without the group in front.
pub mod key {
    /// Revision of the artifact that was worked on.
    pub const REVISION: &str = "revision";
    /// Revision of what that artifact was made of.
    pub const ORIGIN_REVISION: &str = "originRevision";
    /// Digest of the artifact, in its older form.
    pub const CHECKSUM: &str = "checksum";
    /// Digest of the artifact.
    pub const DIGEST: &str = "digest";
    /// Anything that tells two otherwise equal events apart.
    pub const TOKEN: &str = "token";
    /// Commit whose status the event is about.
    pub const COMMIT: &str = "commit";
    /// Marks events that only update the status of a commit.
    pub const COMMIT_STATUS: &str = "commit_status";
    /// Number of a pull or merge request.
    pub const CHANGE_REQUEST: &str = "change_request";
    /// A sentence about what is concerned.
    pub const SUMMARY: &str = "summary";
}

/// Value of [`key::COMMIT_STATUS`].
pub const COMMIT_STATUS_UPDATE: &str = "update";

/// Something that happened to an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The object.
    #[serde(default)]
    pub involved_object: InvolvedObject,
    /// How much it matters.
    #[serde(default)]
    pub severity: Severity,
    /// When it happened, to the second.
    #[serde(default, with = "seconds")]
    pub timestamp: Option<Timestamp>,
    /// What happened, for people.
    #[serde(default)]
    pub message: String,
    /// What happened, for programs: the reason of a condition.
    #[serde(default)]
    pub reason: String,
    /// More facts.
    #[serde(
        default,
        deserialize_with = "null_is_none",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub metadata: BTreeMap<String, String>,
    /// The controller that says so.
    #[serde(default)]
    pub reporting_controller: String,
    /// The process that says so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reporting_instance: String,
}

/// The object that an event is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InvolvedObject {
    /// Its kind.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Its namespace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Its name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Its identity.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Its group and version.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub api_version: String,
    /// Its state when the event was made.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub resource_version: String,
    /// The part of it that is meant.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub field_path: String,
}

/// How much an event matters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Of use to whoever looks at the object.
    Trace,
    /// News.
    Info,
    /// Something failed.
    Error,
    /// What another sender wrote, be it nothing; the API does not check it.
    #[serde(untagged)]
    Other(String),
}

impl Default for Severity {
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl Severity {
    /// As it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Trace => "trace",
            Self::Info => "info",
            Self::Error => "error",
            Self::Other(other) => other,
        }
    }
}

impl Event {
    /// The event as Go prints it: signatures and transaction ids are made of these bytes.
    pub fn to_json(&self) -> String {
        go_json::escape_html(&serde_json::to_string(self).unwrap_or_default())
    }

    /// Whether something failed.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The revision that a commit status is about: of the commit, of the origin, of the artifact.
    pub fn commit_revision(&self) -> Option<&str> {
        [key::COMMIT, key::ORIGIN_REVISION, key::REVISION]
            .iter()
            .find_map(|key| self.metadata.get(*key))
            .map(String::as_str)
    }
}

impl InvolvedObject {
    /// The group of its API version; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
}

/// Times without fractions, and `null` for none, as Kubernetes writes them.
mod seconds {
    use jiff::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub(super) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.collect_str(&format_args!("{time:.0}")),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Option::<Timestamp>::deserialize(deserializer)
    }
}

/// Go writes and reads an absent map as `null`.
fn null_is_none<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_and_printed_as_go_does_it() {
        let text = r#"{"involvedObject":{"kind":"Kustomization","namespace":"apps","name":"web","uid":"1","apiVersion":"kustomize.toolkit.fluxcd.io/v1"},"severity":"error","timestamp":"2026-03-04T05:06:07Z","message":"a \u003c b","reason":"Failed","metadata":{"revision":"main"},"reportingController":"kustomize-controller"}"#;
        let event: Event = serde_json::from_str(text).unwrap();
        assert!(event.is_error());
        assert_eq!(event.involved_object.group(), "kustomize.toolkit.fluxcd.io");
        assert_eq!(event.to_json(), text);
    }

    #[test]
    fn what_others_leave_out_or_invent_is_read() {
        let text = r#"{"involvedObject":{},"severity":"loud","timestamp":null,"metadata":null}"#;
        let event: Event = serde_json::from_str(text).unwrap();
        assert_eq!(event.severity, Severity::Other("loud".to_owned()));
        assert_eq!(event.commit_revision(), None);
        assert!(event.to_json().contains(r#""severity":"loud","timestamp":null"#));
    }
}
