//! `HelmRepository`: the index of a chart repository.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::references::{AccessFrom, LocalObjectReference};
use crate::{Artifact, Condition, GoDuration};

/// Which chart repository to index, and how often to look.
#[serde_with::skip_serializing_none]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "source.toolkit.fluxcd.io",
    version = "v1",
    kind = "HelmRepository",
    plural = "helmrepositories",
    shortname = "helmrepo",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-sources",
    namespaced,
    status = "HelmRepositoryStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    doc = "A Helm chart repository and its index."
)]
pub struct HelmRepositorySpec {
    /// Who in other namespaces may use this source; without effect.
    pub access_from: Option<AccessFrom>,
    /// Secret with TLS files: `ca.crt`, `tls.crt`, `tls.key`.
    pub cert_secret_ref: Option<LocalObjectReference>,
    /// Whether plain HTTP is used towards an OCI registry.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure: bool,
    /// How often to look upstream; an OCI registry is not indexed and needs none.
    pub interval: Option<GoDuration>,
    /// Whether credentials are sent to other hosts that the index names.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pass_credentials: bool,
    /// Who provides credentials without a Secret, for an OCI registry.
    #[schemars(extend("enum" = ["generic", "aws", "azure", "gcp"], "default" = "generic"))]
    pub provider: Option<String>,
    /// Secret with credentials: `username` and `password`, or an image pull secret for an OCI registry.
    pub secret_ref: Option<LocalObjectReference>,
    /// Whether reconciliation pauses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// Limit for fetching the index.
    #[schemars(extend("pattern" = r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$"))]
    pub timeout: Option<GoDuration>,
    /// Protocol of the repository; `default` when absent.
    #[serde(rename = "type")]
    #[schemars(extend("enum" = ["default", "oci"]))]
    pub type_: Option<String>,
    /// Address of the repository.
    #[schemars(extend("pattern" = "^(http|https|oci)://.*$"))]
    pub url: String,
}

/// What the source controller last saw and stored.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HelmRepositoryStatus {
    /// The artifact stored last.
    pub artifact: Option<Artifact>,
    /// Conditions of the object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Value of the reconcile request that was handled last.
    pub last_handled_reconcile_at: Option<String>,
    /// Generation that was reconciled last.
    pub observed_generation: Option<i64>,
    /// Address of the newest artifact.
    pub url: Option<String>,
}
