//! Words that Kustomization and HelmRelease, the kinds that apply objects, have in common.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Labels and annotations for every object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommonMetadata {
    /// Annotations to set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Labels to set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// CEL expressions that judge the health of one kind, each over the object's top-level fields.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomHealthCheck {
    /// API version of the kind; only the group counts.
    pub api_version: String,
    /// True when the object is as its spec says.
    pub current: String,
    /// True when the object has failed.
    pub failed: Option<String>,
    /// True while the object is on its way.
    pub in_progress: Option<String>,
    /// Kind; every kind of the group when absent.
    pub kind: Option<String>,
}
