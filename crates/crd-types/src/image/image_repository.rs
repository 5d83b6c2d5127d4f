//! `ImageRepository`: the tags of a container image.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::references::{AccessFrom, LocalObjectReference};
use crate::{Condition, GoDuration, Time};

/// Which image to scan, and how often.
#[serde_with::skip_serializing_none]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "image.toolkit.fluxcd.io",
    version = "v1",
    kind = "ImageRepository",
    plural = "imagerepositories",
    shortname = "imgrepo",
    shortname = "imagerepo",
    namespaced,
    status = "ImageRepositoryStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    doc = "A container image whose tags are scanned."
)]
pub struct ImageRepositorySpec {
    /// Which namespaces may use the tags in their policies.
    pub access_from: Option<AccessFrom>,
    /// Secret with TLS files: `ca.crt`, `tls.crt`, `tls.key`.
    pub cert_secret_ref: Option<LocalObjectReference>,
    /// Regular expressions of tags to leave out.
    #[schemars(extend("default" = [r"^.*\.sig$"], "maxItems" = 25))]
    pub exclusion_list: Option<Vec<String>>,
    /// Name of the image, without scheme and tag.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(extend("x-required" = true))]
    pub image: String,
    /// Whether plain HTTP is used.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure: bool,
    /// How often to scan.
    #[serde(default)]
    #[schemars(extend("x-required" = true, "default" = null))]
    pub interval: GoDuration,
    /// Who provides credentials without a Secret.
    #[schemars(extend("enum" = ["generic", "aws", "azure", "gcp"], "default" = "generic"))]
    pub provider: Option<String>,
    /// Secret with the proxy to use.
    pub proxy_secret_ref: Option<LocalObjectReference>,
    /// Secret with registry credentials in the notation of image pull secrets.
    pub secret_ref: Option<LocalObjectReference>,
    /// ServiceAccount whose image pull secrets or identity are used.
    #[schemars(extend("maxLength" = 253))]
    pub service_account_name: Option<String>,
    /// Whether reconciliation pauses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// Limit for one scan; `interval` when absent.
    #[schemars(extend("pattern" = r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$"))]
    pub timeout: Option<GoDuration>,
}

/// Outcome of a scan.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScanResult {
    /// The first few tags, in descending order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latest_tags: Vec<String>,
    /// Digest over all tags.
    pub revision: Option<String>,
    /// When the scan ended.
    pub scan_time: Option<Time>,
    /// How many tags were found.
    #[schemars(extend("format" = null))]
    pub tag_count: i64,
}

/// What the last scan found.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageRepositoryStatus {
    /// Full name of the image, with host and organisation.
    pub canonical_image_name: Option<String>,
    /// Conditions of the object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Value of the reconcile request that was handled last.
    pub last_handled_reconcile_at: Option<String>,
    /// Outcome of the last scan.
    pub last_scan_result: Option<ScanResult>,
    /// Exclusions of the last scan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed_exclusion_list: Vec<String>,
    /// Generation that was reconciled last.
    pub observed_generation: Option<i64>,
}
