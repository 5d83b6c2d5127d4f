//! Objects that events come from or go to.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Objects of one kind, by name or by labels, whose events an Alert chooses.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventSource {
    /// API version of the referent.
    pub api_version: Option<String>,
    /// Kind of the referent.
    // Optional in `v1beta1`; without it nothing matches.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-required" = true, "enum" = KINDS))]
    pub kind: String,
    /// Labels that the referents must carry; needs the name `*`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
    /// Name of the referent, or `*` for all.
    #[schemars(extend("minLength" = 1, "maxLength" = 253))]
    pub name: String,
    /// Namespace of the referent; the referrer's own by default.
    #[schemars(extend("minLength" = 1, "maxLength" = 253))]
    pub namespace: Option<String>,
}

/// Objects of one kind, by name or by labels, that a Receiver wakes.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceiverResource {
    /// API version of the referent.
    pub api_version: Option<String>,
    /// CEL expression over `res` and `req` that chooses among the referents.
    pub filter: Option<String>,
    /// Kind of the referent.
    // Optional in `v1beta1`; without it nothing matches.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-required" = true, "enum" = KINDS))]
    pub kind: String,
    /// Labels that the referents must carry; needs the name `*`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
    /// Name of the referent, or `*` for all.
    #[schemars(extend("minLength" = 1, "maxLength" = 253))]
    pub name: String,
    /// Namespace of the referent; the referrer's own by default.
    #[schemars(extend("minLength" = 1, "maxLength" = 253))]
    pub namespace: Option<String>,
}

/// The kinds that Flux's notifications know.
const KINDS: [&str; 12] = [
    "Bucket",
    "GitRepository",
    "Kustomization",
    "HelmRelease",
    "HelmChart",
    "HelmRepository",
    "ImageRepository",
    "ImagePolicy",
    "ImageUpdateAutomation",
    "OCIRepository",
    "ArtifactGenerator",
    "ExternalArtifact",
];
