//! Where the chart of a release comes from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::GoDuration;
use crate::appliers::CommonMetadata;
use crate::references::LocalObjectReference;

/// The HelmChart to create.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartTemplate {
    /// Labels and annotations of the HelmChart.
    pub metadata: Option<CommonMetadata>,
    /// Spec of the HelmChart.
    pub spec: ChartTemplateSpec,
}

/// Spec of the HelmChart to create.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartTemplateSpec {
    /// Name of the chart in the repository, or its directory in the artifact.
    #[schemars(extend("minLength" = 1, "maxLength" = 2048))]
    pub chart: String,
    /// Whether values files that do not exist are passed over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore_missing_values_files: bool,
    /// How often to look for a new version; the release's interval when absent.
    pub interval: Option<GoDuration>,
    /// What makes a new artifact: another chart version, or any change of the source.
    #[schemars(extend("enum" = ["ChartVersion", "Revision"], "default" = "ChartVersion"))]
    pub reconcile_strategy: Option<String>,
    /// The source of the chart.
    pub source_ref: ChartSourceReference,
    /// Values files to merge into the chart, later ones win.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values_files: Vec<String>,
    /// Which signature must verify.
    pub verify: Option<ChartTemplateVerification>,
    /// Version or range of versions; of no meaning for charts from Git and buckets.
    #[schemars(extend("default" = "*"))]
    pub version: Option<String>,

    /// One more values file, merged before the others (before `v2`).
    pub values_file: Option<String>,
}

/// The source of a chart.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartSourceReference {
    /// API version of the source.
    pub api_version: Option<String>,
    /// Kind of the source.
    // Optional before `v2`; a HelmRepository is meant then.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-required" = true, "enum" = ["HelmRepository", "GitRepository", "Bucket"]))]
    pub kind: String,
    /// Name of the source.
    #[schemars(extend("minLength" = 1, "maxLength" = 253))]
    pub name: String,
    /// Namespace of the source; the release's own by default.
    #[schemars(extend("minLength" = 1, "maxLength" = 63))]
    pub namespace: Option<String>,
}

/// Which signature the chart must carry.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartTemplateVerification {
    /// Technology of the signature.
    #[schemars(extend("enum" = ["cosign", "notation"], "default" = "cosign"))]
    pub provider: String,
    /// Secret with the trusted public keys; a keyless signature is expected when absent.
    pub secret_ref: Option<LocalObjectReference>,
}

/// An existing source that holds the chart.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartReference {
    /// API version of the source.
    pub api_version: Option<String>,
    /// Kind of the source.
    #[schemars(extend("enum" = ["OCIRepository", "HelmChart", "ExternalArtifact"]))]
    pub kind: String,
    /// Name of the source.
    #[schemars(extend("minLength" = 1, "maxLength" = 253))]
    pub name: String,
    /// Namespace of the source; the release's own by default.
    #[schemars(extend("minLength" = 1, "maxLength" = 63))]
    pub namespace: Option<String>,
}
