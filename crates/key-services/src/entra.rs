//! Tokens of Microsoft Entra: for clients that can prove who they are, and for machines.

use crate::desk::{Desk, FORM, Granted};
use crate::error::Reason;
use crate::request::{Request, escaped, form, is_path};

/// Who Microsoft is told that the token is for.
pub(crate) const AUDIENCE: &str = "api://AzureADTokenExchange";
const AUTHORITY: &str = "https://login.microsoftonline.com";
const METADATA: &str = "http://169.254.169.254";

/// A client, in the tenant where it is one.
pub(crate) struct Client<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) id: &'a str,
    /// Where it is known, if its credential says so.
    pub(crate) authority: Option<&'a str>,
}

/// How a client proves who it is.
pub(crate) enum Proof<'a> {
    /// By a secret.
    Secret(&'a str),
    /// By a token of the cluster.
    Token(&'a str),
}

/// For a client.
pub(crate) async fn of_client(
    desk: Desk<'_>,
    client: &Client<'_>,
    proof: &Proof<'_>,
    scope: &str,
) -> Result<Granted, Reason> {
    const STEP: &str = "get a Microsoft Entra token";
    if !is_path(client.tenant) {
        return Err(Reason::Credential { what: "tenant" });
    }
    let authority = match client.authority {
        // The Secret may be a tenant's, the network is ours.
        Some(authority) if authority.starts_with("https://") => authority,
        Some(_) => return Err(Reason::Credential { what: "authorityHost" }),
        None => desk.endpoints.azure_authority.as_deref().unwrap_or(AUTHORITY),
    };
    let mut fields =
        vec![("grant_type", "client_credentials"), ("client_id", client.id), ("scope", scope)];
    match proof {
        Proof::Secret(secret) => fields.push(("client_secret", secret)),
        Proof::Token(token) => fields.extend([
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", token),
        ]),
    }
    let request = Request {
        step: STEP,
        url: format!("{}/{}/oauth2/v2.0/token", authority.trim_end_matches('/'), client.tenant),
        body: Some(form(&fields)),
        headers: vec![("content-type", FORM)],
    };
    Granted::read(&desk.client.send(request).await?.json(STEP)?, STEP)
}

/// For an identity of the machine: the one of this name, or the only one.
pub(crate) async fn of_machine(
    desk: Desk<'_>,
    client: Option<&str>,
    resource: &str,
) -> Result<Granted, Reason> {
    const STEP: &str = "get a token of the metadata server";
    let base = desk.endpoints.azure_metadata.as_deref().unwrap_or(METADATA);
    let mut url = format!(
        "{base}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={}",
        escaped(resource)
    );
    if let Some(client) = client {
        url = format!("{url}&client_id={}", escaped(client));
    }
    let request = Request { step: STEP, url, body: None, headers: vec![("metadata", "true")] };
    Granted::read(&desk.client.send(request).await?.json(STEP)?, STEP)
}
