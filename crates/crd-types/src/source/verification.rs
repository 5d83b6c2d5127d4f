//! Signatures of OCI artifacts and charts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::references::LocalObjectReference;

/// The identity that a keyless signature must carry.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OidcIdentityMatch {
    /// Regular expression for the issuer.
    pub issuer: String,
    /// Regular expression for the subject.
    pub subject: String,
}

/// Which signature an OCI artifact must carry.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OciVerification {
    /// Identities of keyless signatures; one match suffices.
    #[serde(rename = "matchOIDCIdentity", default, skip_serializing_if = "Vec::is_empty")]
    pub match_oidc_identity: Vec<OidcIdentityMatch>,
    /// Technology of the signature.
    #[schemars(extend("enum" = ["cosign", "notation"], "default" = "cosign"))]
    pub provider: String,
    /// Secret with the trusted public keys; a keyless signature is expected when absent.
    pub secret_ref: Option<LocalObjectReference>,
    /// Secret with the trusted root of a Sigstore deployment other than the public one.
    pub trusted_root_secret_ref: Option<LocalObjectReference>,
}

/// Which signature a chart must carry.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChartVerification {
    /// Identities of keyless signatures; one match suffices.
    #[serde(rename = "matchOIDCIdentity", default, skip_serializing_if = "Vec::is_empty")]
    pub match_oidc_identity: Vec<OidcIdentityMatch>,
    /// Technology of the signature.
    #[schemars(extend("enum" = ["cosign", "notation"], "default" = "cosign"))]
    pub provider: String,
    /// Secret with the trusted public keys; a keyless signature is expected when absent.
    pub secret_ref: Option<LocalObjectReference>,
}
