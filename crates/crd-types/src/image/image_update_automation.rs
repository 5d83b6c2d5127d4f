//! `ImageUpdateAutomation`: commits chosen tags to Git.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use std::collections::BTreeMap;

use super::ImageRef;
use crate::references::LocalObjectReference;
use crate::source::GitRepositoryRef;
use crate::{Condition, GoDuration, Time};

/// Which files of which repository to update, and how to commit and push them.
#[serde_with::skip_serializing_none]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "image.toolkit.fluxcd.io",
    version = "v1",
    kind = "ImageUpdateAutomation",
    plural = "imageupdateautomations",
    shortname = "iua",
    shortname = "imgupd",
    shortname = "imgauto",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-images",
    namespaced,
    status = "ImageUpdateAutomationStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    doc = "Commits of chosen image tags to a Git repository."
)]
pub struct ImageUpdateAutomationSpec {
    /// How to check out, commit and push.
    pub git: Option<AutomationGit>,
    /// How often to run.
    pub interval: GoDuration,
    /// Which policies to consider; all of the namespace when absent.
    pub policy_selector: Option<LabelSelector>,
    /// The GitRepository to update.
    pub source_ref: AutomationSourceReference,
    /// Whether reconciliation pauses.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// What to change in the files.
    #[schemars(extend("default" = { "strategy": "Setters" }))]
    pub update: Option<UpdateStrategy>,
}

/// How to check out, commit and push.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AutomationGit {
    /// What to check out; that of the GitRepository when absent.
    pub checkout: Option<GitCheckout>,
    /// How to commit.
    pub commit: GitCommit,
    /// Where to push to; the branch that was checked out when absent.
    pub push: Option<GitPush>,
}

/// What to check out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GitCheckout {
    /// The reference to check out.
    #[serde(rename = "ref")]
    pub reference: GitRepositoryRef,
}

/// How to commit.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitCommit {
    /// Author and committer.
    pub author: GitAuthor,
    /// Template of the commit message.
    pub message_template: Option<String>,
    /// Further values for the template.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub message_template_values: BTreeMap<String, String>,
    /// Key to sign commits with.
    pub signing_key: Option<GitSigningKey>,
}

/// Author and committer.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GitAuthor {
    /// Address of the author.
    pub email: String,
    /// Name of the author.
    pub name: Option<String>,
}

/// Key to sign commits with.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GitSigningKey {
    /// Secret with the private key, in `git.asc` or `identity`.
    // Optional before `v1`; nothing is signed without it.
    #[schemars(required)]
    pub secret_ref: Option<LocalObjectReference>,
    /// Kind of the key; `gpg` when absent.
    #[serde(rename = "type")]
    #[schemars(extend("enum" = ["gpg", "ssh"]))]
    pub type_: Option<String>,
}

/// Where to push to.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GitPush {
    /// Branch to push to.
    pub branch: Option<String>,
    /// Push options for the server.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// Refspec to push, besides or instead of the branch.
    pub refspec: Option<String>,
}

/// Chooses objects by their labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-map-type" = "atomic"))]
pub struct LabelSelector {
    /// Requirements, all of which must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub match_expressions: Vec<LabelRequirement>,
    /// Labels that an object must carry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub match_labels: BTreeMap<String, String>,
}

/// One requirement on a label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LabelRequirement {
    /// Key of the label.
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    pub operator: String,
    /// Values to compare with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    pub values: Vec<String>,
}

/// The GitRepository to update.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AutomationSourceReference {
    /// API version of the source.
    pub api_version: Option<String>,
    /// Kind of the source.
    #[schemars(extend("enum" = ["GitRepository"], "default" = "GitRepository"))]
    pub kind: String,
    /// Name of the source.
    pub name: String,
    /// Namespace of the source; the automation's own by default.
    pub namespace: Option<String>,
}

/// What to change in the files.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UpdateStrategy {
    /// Directory to change files in; the root by default.
    pub path: Option<String>,
    /// How fields to change are found.
    #[schemars(extend("enum" = ["Setters"], "default" = "Setters"))]
    pub strategy: Option<String>,
}

/// What the automation last did.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageUpdateAutomationStatus {
    /// Conditions of the object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// When the automation last ran.
    pub last_automation_run_time: Option<Time>,
    /// Value of the reconcile request that was handled last.
    pub last_handled_reconcile_at: Option<String>,
    /// The commit pushed last.
    pub last_push_commit: Option<String>,
    /// When a commit was last pushed.
    pub last_push_time: Option<Time>,
    /// Generation that was reconciled last.
    pub observed_generation: Option<i64>,
    /// What each policy chose in the last run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub observed_policies: BTreeMap<String, ImageRef>,
    /// Revision of the source in the last run.
    pub observed_source_revision: Option<String>,
}
