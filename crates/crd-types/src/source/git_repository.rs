//! `GitRepository`: an artifact from a commit.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::references::{AccessFrom, LocalObjectReference};
use crate::{Artifact, Condition, GoDuration};

/// Which commit of which repository to turn into an artifact, and how often to look.
#[serde_with::skip_serializing_none]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "source.toolkit.fluxcd.io",
    version = "v1",
    kind = "GitRepository",
    plural = "gitrepositories",
    shortname = "gitrepo",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-sources",
    namespaced,
    status = "GitRepositoryStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    doc = "A Git repository and the artifact made from one of its commits."
)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!has(self.serviceAccountName) || (has(self.provider) && (self.provider == 'azure' || self.provider == 'aws'))",
    "message": "serviceAccountName can only be set when provider is 'azure' or 'aws'",
}]))]
pub struct GitRepositorySpec {
    /// Rules in the notation of `.gitignore` that replace the built-in ones.
    pub ignore: Option<String>,
    /// Artifacts of other sources of this kind to copy into this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<GitRepositoryInclude>,
    /// How often to look upstream.
    pub interval: GoDuration,
    /// Who provides credentials without a Secret; `generic` when absent.
    #[schemars(extend("enum" = ["generic", "aws", "azure", "github"]))]
    pub provider: Option<String>,
    /// Secret with the proxy to use.
    pub proxy_secret_ref: Option<LocalObjectReference>,
    /// Whether submodules are fetched as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recurse_submodules: bool,
    /// What to check out; branch `master` when absent.
    #[serde(rename = "ref")]
    pub reference: Option<GitRepositoryRef>,
    /// Secret with credentials: `username` and `password`, `bearerToken`, `identity` and `known_hosts`, TLS files.
    pub secret_ref: Option<LocalObjectReference>,
    /// ServiceAccount whose identity is used towards the provider.
    pub service_account_name: Option<String>,
    /// Directories to which the artifact is limited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sparse_checkout: Vec<String>,
    /// Whether reconciliation pauses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// Limit for Git operations.
    #[schemars(extend("pattern" = r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$", "default" = "60s"))]
    pub timeout: Option<GoDuration>,
    /// Address of the repository.
    #[schemars(extend("pattern" = "^(http|https|ssh)://.*$"))]
    pub url: String,
    /// Which signatures must verify.
    pub verify: Option<GitRepositoryVerification>,

    /// Which Git library to use (before `v1`); without effect.
    #[schemars(extend("enum" = ["go-git", "libgit2"]))]
    pub git_implementation: Option<String>,
    /// Who in other namespaces may use this source (before `v1`); without effect.
    pub access_from: Option<AccessFrom>,
}

/// What to check out. The most exact one wins: commit, name, semver, tag, branch.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GitRepositoryRef {
    /// Branch whose tip is taken.
    pub branch: Option<String>,
    /// Hash of the commit.
    pub commit: Option<String>,
    /// Full name of a reference, such as `refs/heads/main`.
    pub name: Option<String>,
    /// Range of versions from which the newest tag is taken.
    pub semver: Option<String>,
    /// Tag.
    pub tag: Option<String>,
}

/// Which signatures must verify, and with which keys.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitRepositoryVerification {
    /// Which of commit and tag must be signed.
    #[schemars(extend("enum" = ["head", "HEAD", "Tag", "TagAndHEAD"], "default" = "HEAD"))]
    pub mode: Option<String>,
    /// Secret with the public keys of the trusted authors.
    // Optional in `v1beta1`; without it nothing verifies.
    #[schemars(required)]
    pub secret_ref: Option<LocalObjectReference>,
}

/// Another GitRepository whose artifact is copied in.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitRepositoryInclude {
    /// Directory in the other artifact; its root by default.
    pub from_path: Option<String>,
    /// The other GitRepository.
    pub repository: LocalObjectReference,
    /// Directory in this artifact; the other repository's name by default.
    pub to_path: Option<String>,
}

/// What the source controller last saw and stored.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitRepositoryStatus {
    /// The artifact stored last.
    pub artifact: Option<Artifact>,
    /// Conditions of the object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Artifacts that were copied in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub included_artifacts: Vec<Artifact>,
    /// Value of the reconcile request that was handled last.
    pub last_handled_reconcile_at: Option<String>,
    /// Generation that was reconciled last.
    pub observed_generation: Option<i64>,
    /// Ignore rules of the stored artifact.
    pub observed_ignore: Option<String>,
    /// Includes of the stored artifact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed_include: Vec<GitRepositoryInclude>,
    /// Whether the stored artifact has submodules in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub observed_recurse_submodules: bool,
    /// Directories to which the stored artifact is limited.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observed_sparse_checkout: Vec<String>,
    /// Verification mode of the stored artifact.
    pub source_verification_mode: Option<String>,

    /// Address of the newest artifact (before `v1`).
    pub url: Option<String>,
    /// Checksum over what shaped the artifact (`v1beta2`).
    pub content_config_checksum: Option<String>,
}
