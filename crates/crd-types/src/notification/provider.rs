//! `Provider`: where notifications go.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LegacyStatus;
use crate::GoDuration;
use crate::references::LocalObjectReference;

/// Which service receives notifications, and how it is reached.
#[serde_with::skip_serializing_none]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "notification.toolkit.fluxcd.io",
    version = "v1beta3",
    kind = "Provider",
    plural = "providers",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-notifications",
    namespaced,
    status = "LegacyStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    doc = "A service that receives notifications."
)]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "self.type == 'github' || self.type == 'gitlab' || self.type == 'gitea' || self.type == 'bitbucketserver' || self.type == 'bitbucket' || self.type == 'azuredevops' || !has(self.commitStatusExpr)",
        "message": "spec.commitStatusExpr is only supported for the 'github', 'gitlab', 'gitea', 'bitbucketserver', 'bitbucket', 'azuredevops' provider types",
    },
]))]
pub struct ProviderSpec {
    /// Address of the service.
    #[schemars(extend("maxLength" = 2048))]
    pub address: Option<String>,
    /// Secret with TLS files: `ca.crt`, `tls.crt`, `tls.key`.
    pub cert_secret_ref: Option<LocalObjectReference>,
    /// Channel, topic or the like.
    #[schemars(extend("maxLength" = 2048))]
    pub channel: Option<String>,
    /// CEL expression over `event`, `alert` and `provider` that gives the id of a commit status.
    pub commit_status_expr: Option<String>,
    /// How often to reconcile; without effect.
    pub interval: Option<GoDuration>,
    /// Address of the proxy to use; prefer `proxySecretRef`.
    #[schemars(extend("maxLength" = 2048, "pattern" = "^(http|https)://.*$"))]
    pub proxy: Option<String>,
    /// Secret with the proxy to use.
    pub proxy_secret_ref: Option<LocalObjectReference>,
    /// Secret with credentials and further settings.
    pub secret_ref: Option<LocalObjectReference>,
    /// ServiceAccount whose identity is used towards the service.
    pub service_account_name: Option<String>,
    /// Whether notifications are withheld.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// Limit for sending one notification.
    #[schemars(extend("pattern" = r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$"))]
    pub timeout: Option<GoDuration>,
    /// Kind of the service.
    #[serde(rename = "type")]
    #[schemars(extend("enum" = ["slack", "discord", "msteams", "rocket", "generic", "generic-hmac", "github", "gitlab", "gitea", "giteapullrequestcomment", "bitbucketserver", "bitbucket", "azuredevops", "googlechat", "googlepubsub", "webex", "sentry", "azureeventhub", "telegram", "lark", "matrix", "opsgenie", "alertmanager", "grafana", "githubdispatch", "githubpullrequestcomment", "gitlabmergerequestcomment", "pagerduty", "datadog", "nats", "zulip", "otel"]))]
    pub type_: String,
    /// Name under which messages are posted.
    #[schemars(extend("maxLength" = 2048))]
    pub username: Option<String>,
}
