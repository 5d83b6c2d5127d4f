//! What a source advertises: a file that can be downloaded and verified.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Time;

/// The output of a source reconciliation.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// Digest of the file as `<algorithm>:<hex>`.
    // Absent in what Flux before 1.0 of the source API left in a status.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-required" = true, "pattern" = r"^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$"))]
    pub digest: String,
    /// Time at which this artifact was last stored.
    #[schemars(required)]
    pub last_update_time: Option<Time>,
    /// Annotations of the upstream artifact, such as those of an OCI manifest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Path of the file below the root of the artifact server.
    pub path: String,
    /// Human-readable identity of the content, such as `main@sha1:<commit>`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-required" = true))]
    pub revision: String,
    /// Size of the file in bytes.
    pub size: Option<i64>,
    /// Address from which the file can be downloaded.
    pub url: String,
    /// Checksum of the file, as versions before `v1` advertised it.
    pub checksum: Option<String>,
}
