//! Conditions of an object's status, and the condition types that Flux knows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Time;

/// One aspect of an object's state.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// When the condition took its present status.
    pub last_transition_time: Time,
    /// Details for a person; may be empty.
    #[schemars(extend("maxLength" = 32768))]
    pub message: String,
    /// Generation of the object that the condition speaks of.
    #[schemars(extend("minimum" = 0))]
    pub observed_generation: Option<i64>,
    /// Reason of the last transition as one word.
    #[schemars(extend("minLength" = 1, "maxLength" = 1024, "pattern" = "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"))]
    pub reason: String,
    /// Whether the condition holds.
    #[schemars(extend("enum" = ["True", "False", "Unknown"]))]
    pub status: String,
    /// Which aspect this is.
    #[serde(rename = "type")]
    #[schemars(extend("maxLength" = 316, "pattern" = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"))]
    pub type_: String,
}

/// Longest message, in bytes, that the API server admits; longer ones are cut.
pub const MESSAGE_MAX_BYTES: usize = 32_768;

/// The object works as its spec says.
pub const READY: &str = "Ready";
/// A change is under way.
pub const RECONCILING: &str = "Reconciling";
/// Nothing but an edit of the object helps.
pub const STALLED: &str = "Stalled";
/// The applied objects are healthy (Kustomization).
pub const HEALTHY: &str = "Healthy";
/// The artifact of the advertised revision is stored.
pub const ARTIFACT_IN_STORAGE: &str = "ArtifactInStorage";
/// Upstream has something newer than the stored artifact.
pub const ARTIFACT_OUTDATED: &str = "ArtifactOutdated";
/// The signature of the source was verified.
pub const SOURCE_VERIFIED: &str = "SourceVerified";
/// The last attempt to fetch from upstream failed.
pub const FETCH_FAILED: &str = "FetchFailed";
/// The last attempt to build from what was fetched failed.
pub const BUILD_FAILED: &str = "BuildFailed";
/// The last attempt to store an artifact failed.
pub const STORAGE_OPERATION_FAILED: &str = "StorageOperationFailed";
/// A repository that is to be included is not available.
pub const INCLUDE_UNAVAILABLE: &str = "IncludeUnavailable";
