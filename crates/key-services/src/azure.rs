//! Azure Key Vault.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use sops_decrypt::Part;
use zeroize::Zeroizing;

use crate::Services;
use crate::credentials::AzureClient;
use crate::error::Reason;
use crate::identity::Secret;
use crate::request::{Request, escaped, form, is_path};

/// Who Microsoft is told that the token is for.
const AUDIENCE: &str = "api://AzureADTokenExchange";
const AUTHORITY: &str = "https://login.microsoftonline.com";
const METADATA: &str = "http://169.254.169.254";
const FORM: &str = "application/x-www-form-urlencoded";

/// Where vaults are, by cloud.
const DOMAINS: [&str; 5] = [
    "vault.azure.net",
    "vault.azure.cn",
    "vault.usgovcloudapi.net",
    "vault.microsoftazure.de",
    "managedhsm.azure.net",
];

/// A key, as a file names it.
pub(crate) struct Key<'a> {
    pub(crate) vault_url: &'a str,
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
}

pub(crate) async fn decrypt(on: &Services, key: &Key<'_>, enc: &str) -> Result<Part, Reason> {
    const STEP: &str = "decrypt";
    let (base, domain) = vault(key.vault_url)?;
    if !is_path(key.name) || !(key.version.is_empty() || is_path(key.version)) {
        return Err(Reason::Malformed { what: "key name" });
    }
    let token = token(on, domain).await?;
    let base = on.endpoints.azure_vault.as_deref().unwrap_or(&base);
    let path = [key.name, key.version].join("/");
    let authorization = Zeroizing::new(format!("Bearer {}", token.as_str()));
    let request = Request {
        step: STEP,
        url: format!("{base}/keys/{}/decrypt?api-version=7.4", path.trim_end_matches('/')),
        body: Some(json!({"alg": "RSA-OAEP-256", "value": enc}).to_string().into_bytes()),
        headers: vec![("content-type", "application/json"), ("authorization", &authorization)],
    };
    let answer = on.client.send(request).await?.json(STEP)?;
    let plain = answer["value"].as_str().map(|text| text.trim_end_matches('='));
    let plain = plain.and_then(|text| BASE64.decode(text).ok());
    plain.map(Zeroizing::new).ok_or(Reason::Answer { step: STEP })
}

/// The address and the domain of a vault. A token sent elsewhere would be given away.
fn vault(url: &str) -> Result<(String, &'static str), Reason> {
    let rest = url.strip_prefix("https://").ok_or(Reason::Malformed { what: "vault address" })?;
    let host = rest.trim_end_matches('/').to_ascii_lowercase();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    let of_azure = DOMAINS.into_iter().find(|domain| {
        let name = host.strip_suffix(domain).and_then(|name| name.strip_suffix('.'));
        name.is_some_and(|name| !name.is_empty() && name.bytes().all(is_plain))
    });
    match of_azure {
        Some(domain) => Ok((format!("https://{host}"), domain)),
        None => Err(Reason::Host { host }),
    }
}

async fn token(on: &Services, domain: &str) -> Result<Secret, Reason> {
    let scope = format!("https://{domain}/.default");
    match &on.credentials.azure {
        Some(AzureClient::Secret { tenant, client, secret, authority }) => {
            let proof = [("client_secret", secret.as_str())];
            let authority = authority.as_deref();
            exchange(on, tenant, client, authority, &scope, &proof).await
        }
        Some(AzureClient::Managed { client }) => of_machine(on, client, domain).await,
        None => {
            let (tenant, client) = on.identity.azure_client().await?;
            let token = on.identity.token(AUDIENCE).await?;
            let proof = [
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", token.as_str()),
            ];
            exchange(on, &tenant, &client, None, &scope, &proof).await
        }
    }
}

async fn exchange(
    on: &Services,
    tenant: &str,
    client: &str,
    authority: Option<&str>,
    scope: &str,
    proof: &[(&str, &str)],
) -> Result<Secret, Reason> {
    const STEP: &str = "get a Microsoft Entra token";
    if !is_path(tenant) {
        return Err(Reason::Credential { what: "tenant" });
    }
    let authority = match authority {
        // The Secret may be a tenant's, the network is ours.
        Some(authority) if authority.starts_with("https://") => authority,
        Some(_) => return Err(Reason::Credential { what: "authorityHost" }),
        None => on.endpoints.azure_authority.as_deref().unwrap_or(AUTHORITY),
    };
    let mut fields =
        vec![("grant_type", "client_credentials"), ("client_id", client), ("scope", scope)];
    fields.extend(proof);
    let request = Request {
        step: STEP,
        url: format!("{}/{tenant}/oauth2/v2.0/token", authority.trim_end_matches('/')),
        body: Some(form(&fields)),
        headers: vec![("content-type", FORM)],
    };
    read(&on.client.send(request).await?.json(STEP)?, STEP)
}

/// A token for an identity of the machine.
async fn of_machine(on: &Services, client: &str, domain: &str) -> Result<Secret, Reason> {
    const STEP: &str = "get a token of the metadata server";
    let base = on.endpoints.azure_metadata.as_deref().unwrap_or(METADATA);
    let url = format!(
        "{base}/metadata/identity/oauth2/token?api-version=2018-02-01&resource={}&client_id={}",
        escaped(&format!("https://{domain}")),
        escaped(client)
    );
    let request = Request { step: STEP, url, body: None, headers: vec![("metadata", "true")] };
    read(&on.client.send(request).await?.json(STEP)?, STEP)
}

fn read(answer: &Value, step: &'static str) -> Result<Secret, Reason> {
    let token = answer["access_token"].as_str().ok_or(Reason::Answer { step })?;
    Ok(Zeroizing::new(token.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_is_one_of_azure() {
        assert_eq!(vault("https://my-vault.vault.azure.net/").unwrap().1, "vault.azure.net");
        for url in [
            "http://x.vault.azure.net",
            "https://vault.azure.net",
            "https://evil.example",
            "https://evil.example/.vault.azure.net",
            "https://evil.example#x.vault.azure.net",
            "https://user@x.vault.azure.net",
            "https://x.vault.azure.net:8443",
        ] {
            assert!(vault(url).is_err(), "{url}");
        }
    }
}
