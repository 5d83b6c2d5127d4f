//! `Bucket`: an artifact from the objects of a bucket.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::references::{AccessFrom, LocalObjectReference};
use crate::{Artifact, Condition, GoDuration};

/// Which bucket to turn into an artifact, and how often to look.
#[serde_with::skip_serializing_none]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "source.toolkit.fluxcd.io",
    version = "v1",
    kind = "Bucket",
    plural = "buckets",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-sources",
    namespaced,
    status = "BucketStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    doc = "A bucket of an object store and the artifact made from its objects."
)]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "self.provider == 'aws' || self.provider == 'generic' || !has(self.sts)",
        "message": "STS configuration is only supported for the 'aws' and 'generic' Bucket providers",
    },
    {
        "rule": "self.provider != 'aws' || !has(self.sts) || self.sts.provider == 'aws'",
        "message": "'aws' is the only supported STS provider for the 'aws' Bucket provider",
    },
    {
        "rule": "self.provider != 'generic' || !has(self.sts) || self.sts.provider == 'ldap'",
        "message": "'ldap' is the only supported STS provider for the 'generic' Bucket provider",
    },
    {
        "rule": "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.secretRef)",
        "message": "spec.sts.secretRef is not required for the 'aws' STS provider",
    },
    {
        "rule": "!has(self.sts) || self.sts.provider != 'aws' || !has(self.sts.certSecretRef)",
        "message": "spec.sts.certSecretRef is not required for the 'aws' STS provider",
    },
    {
        "rule": "self.provider != 'generic' || !has(self.serviceAccountName)",
        "message": "ServiceAccountName is not supported for the 'generic' Bucket provider",
    },
    {
        "rule": "!has(self.secretRef) || !has(self.serviceAccountName)",
        "message": "cannot set both .spec.secretRef and .spec.serviceAccountName",
    },
]))]
pub struct BucketSpec {
    /// Name of the bucket.
    pub bucket_name: String,
    /// Secret with TLS files: `ca.crt`, `tls.crt`, `tls.key`.
    pub cert_secret_ref: Option<LocalObjectReference>,
    /// Host of the object store.
    pub endpoint: String,
    /// Rules in the notation of `.gitignore` that replace the built-in ones.
    pub ignore: Option<String>,
    /// Whether plain HTTP is used.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub insecure: bool,
    /// How often to look upstream.
    pub interval: GoDuration,
    /// Prefix of the objects to take.
    pub prefix: Option<String>,
    /// Kind of the object store.
    #[schemars(extend("enum" = ["generic", "aws", "gcp", "azure"], "default" = "generic"))]
    pub provider: Option<String>,
    /// Secret with the proxy to use.
    pub proxy_secret_ref: Option<LocalObjectReference>,
    /// Region of the bucket.
    pub region: Option<String>,
    /// Secret with credentials.
    pub secret_ref: Option<LocalObjectReference>,
    /// ServiceAccount whose identity is used towards the provider.
    pub service_account_name: Option<String>,
    /// Service that issues temporary credentials.
    pub sts: Option<BucketSts>,
    /// Whether reconciliation pauses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// Limit for fetching.
    #[schemars(extend("pattern" = r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$", "default" = "60s"))]
    pub timeout: Option<GoDuration>,

    /// Who in other namespaces may use this source (before `v1`); without effect.
    pub access_from: Option<AccessFrom>,
}

/// Service that issues temporary credentials.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BucketSts {
    /// Secret with TLS files for the service.
    pub cert_secret_ref: Option<LocalObjectReference>,
    /// Address of the service.
    #[schemars(extend("pattern" = "^(http|https)://.*$"))]
    pub endpoint: String,
    /// Kind of the service.
    #[schemars(extend("enum" = ["aws", "ldap"]))]
    pub provider: String,
    /// Secret with credentials for the service.
    pub secret_ref: Option<LocalObjectReference>,
}

/// What the source controller last saw and stored.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BucketStatus {
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
    /// Address of the newest artifact.
    pub url: Option<String>,
}
