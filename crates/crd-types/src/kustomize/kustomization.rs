//! `Kustomization`: applies what a source's artifact holds.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::appliers::{CommonMetadata, CustomHealthCheck};
use crate::inventory::ResourceInventory;
use crate::object_selection::{IgnoreRule, Image, Json6902Patch, Patch};
use crate::references::{
    DependencyReference, KubeConfigReference, LocalObjectReference, NamespacedObjectKindReference,
};
use crate::{Condition, GoDuration, Time};

/// What to build from which source, and how to apply it.
#[expect(clippy::struct_excessive_bools, reason = "the API has this many switches")]
#[serde_with::skip_serializing_none]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "kustomize.toolkit.fluxcd.io",
    version = "v1",
    kind = "Kustomization",
    plural = "kustomizations",
    shortname = "ks",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-appliers",
    namespaced,
    status = "KustomizationStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    doc = "Objects that are built from a source and kept as built."
)]
pub struct KustomizationSpec {
    /// Notes of origin to add to the built objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("items" = { "type": "string", "enum": ["originAnnotations", "transformerAnnotations"] }))]
    pub build_metadata: Vec<String>,
    /// Labels and annotations for every object, over its own.
    pub common_metadata: Option<CommonMetadata>,
    /// Directories of components, relative to `path`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
    /// How encrypted files are read.
    pub decryption: Option<Decryption>,
    /// What happens to the applied objects when this one is deleted; `MirrorPrune` when absent.
    #[schemars(extend("enum" = ["MirrorPrune", "Delete", "WaitForTermination", "Orphan"]))]
    pub deletion_policy: Option<String>,
    /// Kustomizations that must be ready first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<DependencyReference>,
    /// Whether objects are recreated when an immutable field changes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("default" = false))]
    pub force: bool,
    /// CEL expressions that judge the health of custom resources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_check_exprs: Vec<CustomHealthCheck>,
    /// Objects whose health decides readiness.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health_checks: Vec<NamespacedObjectKindReference>,
    /// Fields of the applied objects that are left to others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<IgnoreRule>,
    /// Whether components that do not exist are passed over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore_missing_components: bool,
    /// Replacements of container images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<Image>,
    /// How often to reconcile.
    pub interval: GoDuration,
    /// The remote cluster to apply to; this one when absent.
    pub kube_config: Option<KubeConfigReference>,
    /// Prefix for the names of all objects.
    #[schemars(extend("minLength" = 1, "maxLength" = 200))]
    pub name_prefix: Option<String>,
    /// Suffix for the names of all objects.
    #[schemars(extend("minLength" = 1, "maxLength" = 200))]
    pub name_suffix: Option<String>,
    /// Patches, after those of the kustomization file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<Patch>,
    /// Directory of the kustomization file; the artifact's root by default.
    pub path: Option<String>,
    /// Substitution of variables in the built objects.
    pub post_build: Option<PostBuild>,
    /// Whether objects that are no longer built are deleted.
    pub prune: bool,
    /// How long to wait after a failure; `interval` when absent.
    pub retry_interval: Option<GoDuration>,
    /// ServiceAccount to apply as.
    pub service_account_name: Option<String>,
    /// The source to build from.
    pub source_ref: KustomizationSourceReference,
    /// Whether reconciliation pauses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// Namespace for all namespaced objects.
    #[schemars(extend("minLength" = 1, "maxLength" = 63))]
    pub target_namespace: Option<String>,
    /// Limit for build, apply and health checks; `interval` less 30 seconds when absent.
    pub timeout: Option<GoDuration>,
    /// Whether the health of every applied object is awaited.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wait: bool,

    /// Strategic merge patches (before `v1`); appended to those of the kustomization file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches_strategic_merge: Vec<Value>,
    /// JSON 6902 patches (before `v1`); appended to those of the kustomization file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches_json6902: Vec<Json6902Patch>,
    /// How to validate before applying (before `v1`); every apply is preceded by a dry run anyway.
    #[schemars(extend("enum" = ["none", "client", "server"]))]
    pub validation: Option<String>,
}

/// How encrypted files are read.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Decryption {
    /// Format of the encryption.
    #[schemars(extend("enum" = ["sops"]))]
    pub provider: String,
    /// Secret with the private keys.
    pub secret_ref: Option<LocalObjectReference>,
    /// ServiceAccount whose identity is used towards key services.
    pub service_account_name: Option<String>,
}

/// Substitution of `${variables}` in the built objects.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostBuild {
    /// Values by variable name; they win over `substituteFrom`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub substitute: BTreeMap<String, String>,
    /// Objects whose entries are variables; later ones win.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub substitute_from: Vec<SubstituteReference>,
    /// When to substitute; `WithVariables` when absent.
    #[schemars(extend("enum" = ["WithVariables", "Always"]))]
    pub substitute_strategy: Option<String>,
}

/// A ConfigMap or Secret whose entries are variables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubstituteReference {
    /// Kind of the referent.
    #[schemars(extend("enum" = ["Secret", "ConfigMap"]))]
    pub kind: String,
    /// Name of the referent.
    #[schemars(extend("minLength" = 1, "maxLength" = 253))]
    pub name: String,
    /// Whether the referent may be missing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("default" = false))]
    pub optional: bool,
}

/// The source to build from.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KustomizationSourceReference {
    /// API version of the source.
    pub api_version: Option<String>,
    /// Kind of the source.
    #[schemars(extend("enum" = ["OCIRepository", "GitRepository", "Bucket", "ExternalArtifact"]))]
    pub kind: String,
    /// Name of the source.
    pub name: String,
    /// Namespace of the source; the Kustomization's own by default.
    pub namespace: Option<String>,
}

/// What the kustomize controller last applied.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KustomizationStatus {
    /// Conditions of the object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The last few outcomes, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<ReconciliationSnapshot>,
    /// The objects that were applied.
    pub inventory: Option<ResourceInventory>,
    /// Revision upstream of the artifact that was applied last, as its metadata says.
    pub last_applied_origin_revision: Option<String>,
    /// Revision that was applied last.
    pub last_applied_revision: Option<String>,
    /// Revision of the last attempt.
    pub last_attempted_revision: Option<String>,
    /// Value of the reconcile request that was handled last.
    pub last_handled_reconcile_at: Option<String>,
    /// Generation that was reconciled last.
    pub observed_generation: Option<i64>,

    /// The objects that were applied (`v1beta1`).
    pub snapshot: Option<LegacySnapshot>,
}

/// An outcome, and how often it came in a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReconciliationSnapshot {
    /// Digest of the built manifests.
    pub digest: String,
    /// When this outcome came first.
    pub first_reconciled: Time,
    /// When this outcome came last.
    pub last_reconciled: Time,
    /// How long the last reconciliation took.
    #[schemars(extend("pattern" = null))]
    pub last_reconciled_duration: GoDuration,
    /// Reason of the outcome.
    pub last_reconciled_status: String,
    /// Further facts, such as the revision.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// How often this outcome came.
    pub total_reconciliations: i64,
}

/// The objects that were applied, as `v1beta1` recorded them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LegacySnapshot {
    /// Checksum of the manifests.
    pub checksum: String,
    /// The kinds applied, by namespace.
    pub entries: Vec<LegacySnapshotEntry>,
}

/// The kinds applied in one namespace.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LegacySnapshotEntry {
    /// Kind by group, version and kind.
    pub kinds: BTreeMap<String, String>,
    /// Namespace; none for cluster-scoped kinds.
    pub namespace: Option<String>,
}
