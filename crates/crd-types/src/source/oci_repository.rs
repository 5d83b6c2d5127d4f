//! `OCIRepository`: an artifact from an OCI registry.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::OciVerification;
use crate::references::LocalObjectReference;
use crate::{Artifact, Condition, GoDuration};

/// Which artifact of which repository to store, and how often to look.
#[serde_with::skip_serializing_none]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "source.toolkit.fluxcd.io",
    version = "v1",
    kind = "OCIRepository",
    plural = "ocirepositories",
    shortname = "ocirepo",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-sources",
    namespaced,
    status = "OCIRepositoryStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    doc = "An OCI repository and the artifact made from one of its layers."
)]
pub struct OCIRepositorySpec {
    /// Secret with TLS files: `ca.crt`, `tls.crt`, `tls.key`.
    pub cert_secret_ref: Option<LocalObjectReference>,
    /// Rules in the notation of `.gitignore` that replace the built-in ones.
    pub ignore: Option<String>,
    /// Whether plain HTTP is used.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure: bool,
    /// How often to look upstream.
    pub interval: GoDuration,
    /// Which layer to take; the first when absent.
    pub layer_selector: Option<OciLayerSelector>,
    /// Who provides credentials without a Secret.
    #[schemars(extend("enum" = ["generic", "aws", "azure", "gcp"], "default" = "generic"))]
    pub provider: Option<String>,
    /// Secret with the proxy to use.
    pub proxy_secret_ref: Option<LocalObjectReference>,
    /// What to pull; tag `latest` when absent.
    #[serde(rename = "ref")]
    pub reference: Option<OciRepositoryRef>,
    /// Secret with registry credentials in the notation of image pull secrets.
    pub secret_ref: Option<LocalObjectReference>,
    /// ServiceAccount whose image pull secrets or identity are used.
    pub service_account_name: Option<String>,
    /// Whether reconciliation pauses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// Limit for registry operations.
    #[schemars(extend("pattern" = r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$", "default" = "60s"))]
    pub timeout: Option<GoDuration>,
    /// Address of the repository, without tag.
    #[schemars(extend("pattern" = "^oci://.*$"))]
    pub url: String,
    /// Which signature must verify.
    pub verify: Option<OciVerification>,
}

/// What to pull. The most exact one wins: digest, semver, tag.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OciRepositoryRef {
    /// Digest of the manifest, as `sha256:<hex>`.
    pub digest: Option<String>,
    /// Range of versions from which the newest tag is taken.
    pub semver: Option<String>,
    /// Regular expression that tags must match before the range is applied.
    pub semver_filter: Option<String>,
    /// Tag.
    pub tag: Option<String>,
}

/// Which layer to take, and what to do with it.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OciLayerSelector {
    /// Media type of the layer; the first match is taken.
    pub media_type: Option<String>,
    /// Whether the layer is unpacked and packed anew, or stored as it is; `extract` when absent.
    #[schemars(extend("enum" = ["extract", "copy"]))]
    pub operation: Option<String>,
}

/// What the source controller last saw and stored.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OCIRepositoryStatus {
    /// The artifact stored last.
    pub artifact: Option<Artifact>,
    /// Conditions of the object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Value of the reconcile request that was handled last.
    pub last_handled_reconcile_at: Option<String>,
    /// Generation that was reconciled last.
    pub observed_generation: Option<i64>,
    /// Ignore rules of the stored artifact.
    pub observed_ignore: Option<String>,
    /// Layer selection of the stored artifact.
    pub observed_layer_selector: Option<OciLayerSelector>,
    /// Address of the newest artifact.
    pub url: Option<String>,

    /// Checksum over what shaped the artifact (`v1beta2`).
    pub content_config_checksum: Option<String>,
}
