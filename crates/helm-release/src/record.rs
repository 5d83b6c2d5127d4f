//! What Helm stores about one revision of a release.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use helm_render::Hook;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::chart::ChartRecord;
use crate::intent::Intent;

/// The word for server-side apply in [`Record::apply_method`].
pub const SSA: &str = "ssa";
/// The word for client-side apply.
const CSA: &str = "csa";

/// One revision of a release. Fields that we do not know are kept and written again.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Name of the release.
    pub name: String,
    /// What became of it.
    pub info: Info,
    /// The chart that was released: most of a record, and the same whatever becomes of it.
    #[serde(with = "crate::chart::shared")]
    pub chart: Option<Arc<ChartRecord>>,
    /// What the user set beside the chart's values; absent if nothing.
    #[serde(deserialize_with = "null_is_absent")]
    pub config: Option<Map<String, Value>>,
    /// The objects, as Helm prints them.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub manifest: String,
    /// What runs at moments of the release.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub hooks: Vec<HookRecord>,
    /// Number of the revision, from 1.
    pub version: i64,
    /// Namespace of the release.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// `ssa` or `csa`; absent before Helm 4, where it means `csa`.
    pub apply_method: Option<String>,
    /// Fields of other versions of Helm.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
    /// Labels of the Secret that are not Helm's own.
    #[serde(skip)]
    pub labels: BTreeMap<String, String>,
    /// What we were about to do when this was written; absent when it is done, or if it was not we
    /// who wrote it.
    #[serde(skip)]
    pub intent: Option<Intent>,
}

/// What became of a release. Times are RFC 3339, as stored.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Info {
    /// When its first revision was deployed.
    pub first_deployed: Option<String>,
    /// When this revision was deployed.
    pub last_deployed: Option<String>,
    /// When it was deleted.
    pub deleted: Option<String>,
    /// A sentence about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where it is in its life.
    pub status: Status,
    /// What the chart tells whoever installs it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub notes: String,
    /// Fields of other versions of Helm.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

/// Where a release is in its life. The words are Helm's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are Helm's")]
pub enum Status {
    #[default]
    Unknown,
    Deployed,
    Uninstalled,
    Superseded,
    Failed,
    Uninstalling,
    PendingInstall,
    PendingUpgrade,
    PendingRollback,
    /// A word that no version of Helm that we know writes.
    #[serde(untagged)]
    Other(String),
}

/// A hook and how it ran last.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HookRecord {
    /// `metadata.name`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `kind`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Path of the template.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// The document as rendered.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub manifest: String,
    /// When it runs: `pre-install`, `test` and so on.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub events: Vec<String>,
    /// How it ran last.
    pub last_run: HookRun,
    /// Lower runs first.
    #[serde(skip_serializing_if = "is_zero")]
    pub weight: i64,
    /// `hook-succeeded`, `hook-failed`, `before-hook-creation`.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub delete_policies: Vec<String>,
    /// `hook-succeeded`, `hook-failed`.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_empty")]
    pub output_log_policies: Vec<String>,
    /// Fields of other versions of Helm.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

/// How a hook ran last. Times are RFC 3339, as stored.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HookRun {
    /// When it began.
    pub started_at: Option<String>,
    /// When it ended.
    pub completed_at: Option<String>,
    /// How it went.
    pub phase: HookPhase,
    /// Fields of other versions of Helm.
    #[serde(flatten)]
    pub others: BTreeMap<String, Value>,
}

/// How a hook went. The words are Helm's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names are Helm's")]
pub enum HookPhase {
    /// It has not run.
    #[default]
    #[serde(rename = "")]
    Never,
    Unknown,
    Running,
    Succeeded,
    Failed,
    /// A word that no version of Helm that we know writes.
    #[serde(untagged)]
    Other(String),
}

pub use helm_render::HookEvent;

impl Record {
    /// `<namespace>/<name>.v<version>`, as Flux names a revision in messages.
    pub fn full_name(&self) -> String {
        format!("{}/{}.v{}", self.namespace, self.name, self.version)
    }

    /// Whether its objects were applied on the server's side.
    pub fn is_server_side(&self) -> bool {
        self.apply_method.as_deref() == Some(SSA)
    }

    /// Notes how its objects are applied.
    pub fn set_server_side(&mut self, server_side: bool) {
        self.apply_method = Some(if server_side { SSA } else { CSA }.to_owned());
    }

    /// Name of its chart; empty if the record has none.
    pub fn chart_name(&self) -> &str {
        self.chart.as_ref().map_or("", |chart| chart.text("name"))
    }

    /// Version of its chart; empty if the record has none.
    pub fn chart_version(&self) -> &str {
        self.chart.as_ref().map_or("", |chart| chart.text("version"))
    }

    /// Version of the application in its chart; empty if the record has none.
    pub fn app_version(&self) -> &str {
        self.chart.as_ref().map_or("", |chart| chart.text("appVersion"))
    }
}

impl Status {
    /// Helm's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unknown => "unknown",
            Self::Deployed => "deployed",
            Self::Uninstalled => "uninstalled",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
            Self::Uninstalling => "uninstalling",
            Self::PendingInstall => "pending-install",
            Self::PendingUpgrade => "pending-upgrade",
            Self::PendingRollback => "pending-rollback",
            Self::Other(word) => word,
        }
    }

    /// Whether somebody is, or was, in the middle of changing the release.
    pub const fn is_pending(&self) -> bool {
        matches!(self, Self::PendingInstall | Self::PendingUpgrade | Self::PendingRollback)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl HookPhase {
    /// Helm's word for it.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Never => "",
            Self::Unknown => "Unknown",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Other(word) => word,
        }
    }
}

impl HookRecord {
    /// Whether it runs at this moment.
    pub fn runs_at(&self, event: HookEvent) -> bool {
        self.events.iter().any(|known| known == event.name())
    }
}

/// A rendered hook that has not run.
pub fn hook_record(hook: &Hook) -> HookRecord {
    HookRecord {
        name: hook.name.clone(),
        kind: hook.kind.clone(),
        path: hook.path.clone(),
        manifest: hook.manifest.clone(),
        events: hook.events.iter().map(|event| event.name().to_owned()).collect(),
        last_run: HookRun::default(),
        weight: hook.weight,
        delete_policies: hook.delete_policies.clone(),
        output_log_policies: hook.output_log_policies.clone(),
        others: BTreeMap::new(),
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// Go decodes null into an empty list.
pub(crate) fn null_is_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::<Vec<T>>::deserialize(deserializer)?.unwrap_or_default())
}

/// An empty map and none are the same to Go's `omitempty`.
fn null_is_absent<'de, D>(deserializer: D) -> Result<Option<Map<String, Value>>, D::Error>
where
    D: serde::Deserializer<'de>,
{
    let map = Option::<Map<String, Value>>::deserialize(deserializer)?;
    Ok(map.filter(|map| !map.is_empty()))
}
