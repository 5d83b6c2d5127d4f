//! `Receiver`: webhooks that ask for reconciliations.

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ReceiverResource;
use crate::references::LocalObjectReference;
use crate::{Condition, GoDuration};

/// Which webhook wakes which objects.
#[serde_with::skip_serializing_none]
#[derive(CustomResource, Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "notification.toolkit.fluxcd.io",
    version = "v1",
    kind = "Receiver",
    plural = "receivers",
    category = "all",
    category = "fluxcd",
    category = "fluxcd-notifications",
    namespaced,
    status = "ReceiverStatus",
    schema = "disabled",
    derive = "Default",
    derive = "PartialEq",
    doc = "A webhook that asks for reconciliations."
)]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "self.type != 'generic-oidc' || (has(self.oidcProviders) && size(self.oidcProviders) > 0)",
        "message": "generic-oidc receivers must define at least one oidcProvider",
    },
    {
        "rule": "self.type == 'generic-oidc' || !has(self.oidcProviders) || size(self.oidcProviders) == 0",
        "message": "oidcProviders can only be set when type is generic-oidc",
    },
    {
        "rule": "self.type != 'generic-oidc' || !has(self.secretRef)",
        "message": "secretRef cannot be set when type is generic-oidc",
    },
    {
        "rule": "self.type == 'generic-oidc' || has(self.secretRef)",
        "message": "secretRef is required when type is not generic-oidc",
    },
]))]
pub struct ReceiverSpec {
    /// Events of the sender to react to; all when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// How often to reconcile.
    #[schemars(extend("default" = "10m"))]
    pub interval: Option<GoDuration>,
    /// Who may issue the tokens of `generic-oidc` requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["issuerURL"]))]
    pub oidc_providers: Vec<OidcProvider>,
    /// CEL expression over `res` and `req` that chooses among the resources.
    pub resource_filter: Option<String>,
    /// Objects to wake.
    pub resources: Vec<ReceiverResource>,
    /// Secret whose `token` validates requests.
    pub secret_ref: Option<LocalObjectReference>,
    /// Whether requests are refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspend: bool,
    /// Kind of the sender.
    #[serde(rename = "type")]
    #[schemars(extend("enum" = ["generic", "generic-hmac", "generic-oidc", "github", "gitlab", "bitbucket", "harbor", "dockerhub", "quay", "gcr", "nexus", "acr", "cdevents"]))]
    pub type_: String,
}

/// An issuer of tokens, and what their claims must say.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OidcProvider {
    /// Audience that tokens must name.
    pub audience: Option<String>,
    /// Address of the issuer.
    #[serde(rename = "issuerURL")]
    #[schemars(extend("pattern" = "^https?://"))]
    pub issuer_url: String,
    /// What must hold of a token.
    #[schemars(extend("minItems" = 1))]
    pub validations: Vec<OidcValidation>,
    /// Names for values that validations share.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<OidcVariable>,
}

/// A CEL expression that must be true of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OidcValidation {
    /// The expression.
    pub expression: String,
    /// What to say when it is false.
    pub message: String,
}

/// A named CEL expression.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OidcVariable {
    /// The expression.
    pub expression: String,
    /// The name.
    pub name: String,
}

/// What the notification controller last saw.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceiverStatus {
    /// Conditions of the object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Value of the reconcile request that was handled last.
    pub last_handled_reconcile_at: Option<String>,
    /// Generation that was reconciled last.
    pub observed_generation: Option<i64>,
    /// Path at which requests are received.
    pub webhook_path: Option<String>,

    /// Path at which requests are received (before `v1`).
    pub url: Option<String>,
}
