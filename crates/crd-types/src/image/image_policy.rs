//! `ImagePolicy`: the tag of an image that is to be used.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Condition, GoDuration};

/// How the tag of an image is chosen.
#[serde_with::skip_serializing_none]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "image.toolkit.fluxcd.io",
    version = "v1",
    kind = "ImagePolicy",
    plural = "imagepolicies",
    shortname = "imgpol",
    shortname = "imagepol",
    namespaced,
    status = "ImagePolicyStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    doc = "A rule that chooses one tag of a container image."
)]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "!has(self.interval) || (has(self.digestReflectionPolicy) && self.digestReflectionPolicy == 'Always')",
        "message": "spec.interval is only accepted when spec.digestReflectionPolicy is set to 'Always'",
    },
    {
        "rule": "has(self.interval) || !has(self.digestReflectionPolicy) || self.digestReflectionPolicy != 'Always'",
        "message": "spec.interval must be set when spec.digestReflectionPolicy is set to 'Always'",
    },
]))]
pub struct ImagePolicySpec {
    /// When the digest of the chosen tag is looked up.
    #[schemars(extend("enum" = ["Always", "IfNotPresent", "Never"], "default" = "Never"))]
    pub digest_reflection_policy: Option<String>,
    /// Which tags to consider, and which part of them to compare.
    pub filter_tags: Option<TagFilter>,
    /// The scanned image.
    pub image_repository_ref: ImageRepositoryReference,
    /// How often to look the digest up.
    pub interval: Option<GoDuration>,
    /// How tags compare.
    pub policy: ImagePolicyChoice,
    /// Whether reconciliation pauses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
}

/// Which tags to consider, and which part of them to compare.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TagFilter {
    /// Template over the groups of `pattern` that gives the part to compare.
    pub extract: Option<String>,
    /// Regular expression that tags must match.
    pub pattern: Option<String>,
}

/// The scanned image.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImageRepositoryReference {
    /// Name of the ImageRepository.
    pub name: String,
    /// Namespace of the ImageRepository; the policy's own by default.
    pub namespace: Option<String>,
}

/// How tags compare: exactly one of the fields is set.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImagePolicyChoice {
    /// By letters.
    pub alphabetical: Option<OrderPolicy>,
    /// By number.
    pub numerical: Option<OrderPolicy>,
    /// By version, within a range.
    pub semver: Option<SemVerPolicy>,
}

/// Which end of the order is the newest.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OrderPolicy {
    /// `asc` takes the last, `desc` the first.
    #[schemars(extend("enum" = ["asc", "desc"], "default" = "asc"))]
    pub order: Option<String>,
}

/// The newest version within a range.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SemVerPolicy {
    /// Range of versions.
    pub range: String,
}

/// An image with its tag.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ImageRef {
    /// Digest of the image.
    pub digest: Option<String>,
    /// Name of the image, without tag.
    pub name: String,
    /// Tag.
    pub tag: String,
}

/// What the policy last chose.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImagePolicyStatus {
    /// Conditions of the object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Value of the reconcile request that was handled last.
    pub last_handled_reconcile_at: Option<String>,
    /// The image as chosen last.
    pub latest_ref: Option<ImageRef>,
    /// Generation that was reconciled last.
    pub observed_generation: Option<i64>,
    /// The image as chosen before.
    pub observed_previous_ref: Option<ImageRef>,

    /// The image as chosen last (before `v1`).
    pub latest_image: Option<String>,
    /// The image as chosen before (`v1beta2`).
    pub observed_previous_image: Option<String>,
}
