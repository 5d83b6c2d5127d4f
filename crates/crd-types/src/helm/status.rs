//! What is known of a release.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::inventory::ResourceInventory;
use crate::{Condition, GoDuration, Time};

/// What the helm controller last did.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmReleaseStatus {
    /// Conditions of the object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Failures since the last success or change.
    pub failures: Option<i64>,
    /// The HelmChart created for this release, as `<namespace>/<name>`.
    pub helm_chart: Option<String>,
    /// The last few releases, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Snapshot>,
    /// Failures of installing since the last success or change.
    pub install_failures: Option<i64>,
    /// The objects of the release.
    pub inventory: Option<ResourceInventory>,
    /// Digest of the values of the last attempt.
    pub last_attempted_config_digest: Option<String>,
    /// Generation of the last attempt.
    pub last_attempted_generation: Option<i64>,
    /// Action of the last attempt.
    #[schemars(extend("enum" = ["install", "upgrade"]))]
    pub last_attempted_release_action: Option<String>,
    /// How long the action of the last attempt took.
    #[schemars(extend("pattern" = null))]
    pub last_attempted_release_action_duration: Option<GoDuration>,
    /// Chart version of the last attempt.
    pub last_attempted_revision: Option<String>,
    /// Digest of the chart of the last attempt, if from an OCI registry.
    pub last_attempted_revision_digest: Option<String>,
    /// Checksum of the values of the last attempt; written by older controllers.
    pub last_attempted_values_checksum: Option<String>,
    /// Value of the force request that was handled last.
    pub last_handled_force_at: Option<String>,
    /// Value of the reconcile request that was handled last.
    pub last_handled_reconcile_at: Option<String>,
    /// Value of the reset request that was handled last.
    pub last_handled_reset_at: Option<String>,
    /// Revision of the last release; written by older controllers.
    #[schemars(extend("format" = null))]
    pub last_release_revision: Option<i64>,
    /// Digest of the common metadata last used.
    pub observed_common_metadata_digest: Option<String>,
    /// Generation that was reconciled last.
    pub observed_generation: Option<i64>,
    /// Digest of the post renderers last used.
    pub observed_post_renderers_digest: Option<String>,
    /// Namespace in which Helm's records are.
    #[schemars(extend("minLength" = 1, "maxLength" = 63))]
    pub storage_namespace: Option<String>,
    /// Failures of upgrading since the last success or change.
    pub upgrade_failures: Option<i64>,

    /// Chart version that was applied last (before `v2`).
    pub last_applied_revision: Option<String>,
}

/// One release, as found in Helm's records.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Action that made the release.
    pub action: Option<String>,
    /// Version of the scheme by which `digest` is computed.
    pub api_version: Option<String>,
    /// Version of the application in the chart.
    pub app_version: Option<String>,
    /// Name of the chart.
    pub chart_name: String,
    /// Version of the chart.
    pub chart_version: String,
    /// Digest of the values.
    pub config_digest: String,
    /// When the release was deleted.
    pub deleted: Option<Time>,
    /// Digest of the release.
    pub digest: String,
    /// When the release was first deployed.
    pub first_deployed: Time,
    /// When the release was last deployed.
    pub last_deployed: Time,
    /// Name of the release.
    pub name: String,
    /// Namespace of the release.
    pub namespace: String,
    /// Digest of the chart, if from an OCI registry.
    pub oci_digest: Option<String>,
    /// Status that Helm gives the release.
    pub status: String,
    /// Outcome of each test; absent when tests did not run.
    pub test_hooks: Option<BTreeMap<String, TestHookStatus>>,
    /// Revision of the release.
    #[schemars(extend("format" = null))]
    pub version: i64,
}

/// Outcome of a test.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestHookStatus {
    /// When the test last ended.
    pub last_completed: Option<Time>,
    /// When the test last began.
    pub last_started: Option<Time>,
    /// Phase in which the test is.
    pub phase: Option<String>,
}
