//! `Alert`: which events are notified.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;

use super::{EventSource, LegacyStatus};
use crate::references::LocalObjectReference;

/// Which events go to which provider.
#[serde_with::skip_serializing_none]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "notification.toolkit.fluxcd.io",
    version = "v1beta3",
    kind = "Alert",
    plural = "alerts",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-notifications",
    namespaced,
    status = "LegacyStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    doc = "A choice of events that go to a provider."
)]
pub struct AlertSpec {
    /// Metadata to add to every event.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub event_metadata: BTreeMap<String, String>,
    /// Least severity of the events.
    #[schemars(extend("enum" = ["info", "error"], "default" = "info"))]
    pub event_severity: Option<String>,
    /// Objects whose events are chosen.
    pub event_sources: Vec<EventSource>,
    /// Regular expressions of messages to leave out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusion_list: Vec<String>,
    /// Regular expressions of messages to take; all when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inclusion_list: Vec<String>,
    /// The provider that receives the events.
    pub provider_ref: LocalObjectReference,
    /// A sentence about what is concerned; prefer `eventMetadata`.
    #[schemars(extend("maxLength" = 255))]
    pub summary: Option<String>,
    /// Whether events are withheld.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
}
