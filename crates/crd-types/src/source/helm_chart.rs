//! `HelmChart`: a chart, packaged.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ChartVerification;
use crate::references::AccessFrom;
use crate::{Artifact, Condition, GoDuration};

/// Which chart of which source to package, and how often to look.
#[serde_with::skip_serializing_none]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "source.toolkit.fluxcd.io",
    version = "v1",
    kind = "HelmChart",
    plural = "helmcharts",
    shortname = "hc",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-sources",
    namespaced,
    status = "HelmChartStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    doc = "A Helm chart from one of the sources."
)]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "!has(self.verify) || self.sourceRef.kind == 'HelmRepository'",
        "message": "spec.verify is only supported when spec.sourceRef.kind is 'HelmRepository'",
    },
]))]
pub struct HelmChartSpec {
    /// Name of the chart in the repository, or its directory in the artifact.
    pub chart: String,
    /// Whether values files that do not exist are passed over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore_missing_values_files: bool,
    /// How often to look for a new version.
    pub interval: GoDuration,
    /// What makes a new artifact: another chart version, or any change of the source.
    #[schemars(extend("enum" = ["ChartVersion", "Revision"], "default" = "ChartVersion"))]
    pub reconcile_strategy: Option<String>,
    /// The source of the chart.
    pub source_ref: HelmChartSourceReference,
    /// Whether reconciliation pauses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// Values files to merge into the chart, later ones win.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values_files: Vec<String>,
    /// Which signature must verify.
    pub verify: Option<ChartVerification>,
    /// Version or range of versions; of no meaning for charts from Git and buckets.
    #[schemars(extend("default" = "*"))]
    pub version: Option<String>,

    /// Who in other namespaces may use this source (before `v1`); without effect.
    pub access_from: Option<AccessFrom>,
    /// One more values file, merged before the others (before `v1`).
    pub values_file: Option<String>,
}

/// The source of a chart.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmChartSourceReference {
    /// API version of the source.
    pub api_version: Option<String>,
    /// Kind of the source.
    #[schemars(extend("enum" = ["HelmRepository", "GitRepository", "Bucket"]))]
    pub kind: String,
    /// Name of the source.
    pub name: String,
}

/// What the source controller last saw and stored.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmChartStatus {
    /// The artifact stored last.
    pub artifact: Option<Artifact>,
    /// Conditions of the object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Value of the reconcile request that was handled last.
    pub last_handled_reconcile_at: Option<String>,
    /// Name of the chart found last.
    pub observed_chart_name: Option<String>,
    /// Generation that was reconciled last.
    pub observed_generation: Option<i64>,
    /// Revision of the source that the chart was taken from.
    pub observed_source_artifact_revision: Option<String>,
    /// Values files of the stored chart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed_values_files: Vec<String>,
    /// Address of the newest artifact.
    pub url: Option<String>,
}
