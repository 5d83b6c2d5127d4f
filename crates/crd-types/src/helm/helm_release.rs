//! `HelmRelease`: a chart, installed and kept as installed.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ChartReference, ChartTemplate, HelmReleaseStatus, Install, PostRenderer, Rollback, Test,
    Uninstall, Upgrade, ValuesReference,
};
use crate::GoDuration;
use crate::appliers::{CommonMetadata, CustomHealthCheck};
use crate::object_selection::IgnoreRule;
use crate::references::{DependencyReference, KubeConfigReference};

/// Which chart to install with which values, and how.
#[serde_with::skip_serializing_none]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "helm.toolkit.fluxcd.io",
    version = "v2",
    kind = "HelmRelease",
    plural = "helmreleases",
    shortname = "hr",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-appliers",
    namespaced,
    status = "HelmReleaseStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    doc = "A Helm chart that is installed and kept as installed."
)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "(has(self.chart) && !has(self.chartRef)) || (!has(self.chart) && has(self.chartRef))",
    "message": "either chart or chartRef must be set",
}]))]
pub struct HelmReleaseSpec {
    /// Template of the HelmChart to create.
    pub chart: Option<ChartTemplate>,
    /// An existing source that holds the chart.
    pub chart_ref: Option<ChartReference>,
    /// Labels and annotations for every object, over its own.
    pub common_metadata: Option<CommonMetadata>,
    /// Helm releases that must be ready first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<DependencyReference>,
    /// What to do when the cluster is not as the release says.
    pub drift_detection: Option<DriftDetection>,
    /// CEL expressions that judge the health of custom resources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_check_exprs: Vec<CustomHealthCheck>,
    /// How to install.
    pub install: Option<Install>,
    /// How often to reconcile.
    pub interval: GoDuration,
    /// The remote cluster to install to; this one when absent.
    pub kube_config: Option<KubeConfigReference>,
    /// How many revisions of the release Helm keeps; 0 for all, 5 when absent.
    #[schemars(extend("format" = null))]
    pub max_history: Option<i64>,
    /// Whether a client is kept over the actions of one reconciliation; true when absent.
    pub persistent_client: Option<bool>,
    /// To which objects post renderers apply; `combined` when absent.
    #[schemars(extend("enum" = ["nohooks", "combined", "separate"]))]
    pub post_render_strategy: Option<String>,
    /// Changes to the rendered objects, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub post_renderers: Vec<PostRenderer>,
    /// Name of the release; made from target namespace and name when absent.
    #[schemars(extend("minLength" = 1, "maxLength" = 53))]
    pub release_name: Option<String>,
    /// How to roll back.
    pub rollback: Option<Rollback>,
    /// ServiceAccount to act as.
    #[schemars(extend("minLength" = 1, "maxLength" = 253))]
    pub service_account_name: Option<String>,
    /// Namespace for Helm's own records; that of this object when absent.
    #[schemars(extend("minLength" = 1, "maxLength" = 63))]
    pub storage_namespace: Option<String>,
    /// Whether reconciliation pauses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// Namespace of the release; that of this object when absent.
    #[schemars(extend("minLength" = 1, "maxLength" = 63))]
    pub target_namespace: Option<String>,
    /// Whether and how to run the chart's tests.
    pub test: Option<Test>,
    /// Limit for each Helm action; five minutes when absent.
    pub timeout: Option<GoDuration>,
    /// How to uninstall.
    pub uninstall: Option<Uninstall>,
    /// How to upgrade.
    pub upgrade: Option<Upgrade>,
    /// Values for the chart, over all others.
    pub values: Option<Value>,
    /// Objects that hold values for the chart; later ones win.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values_from: Vec<ValuesReference>,
    /// How readiness is awaited.
    pub wait_strategy: Option<WaitStrategy>,
}

/// What to do when the cluster is not as the release says.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DriftDetection {
    /// Fields that are left to others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<IgnoreRule>,
    /// Whether drift is corrected, reported or ignored; `disabled` when absent.
    #[schemars(extend("enum" = ["enabled", "warn", "disabled"]))]
    pub mode: Option<String>,
}

/// How readiness is awaited.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WaitStrategy {
    /// `poller` for Flux's health rules, `legacy` for Helm 3's.
    #[schemars(extend("enum" = ["poller", "legacy"]))]
    pub name: String,
}
