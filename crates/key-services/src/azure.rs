//! Azure Key Vault.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::json;
use sops_decrypt::Part;
use zeroize::Zeroizing;

use crate::Services;
use crate::credentials::AzureClient;
use crate::entra::{self, Client, Proof};
use crate::error::Reason;
use crate::identity::Secret;
use crate::request::{Request, is_path};

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
    let base = on.endpoints().azure_vault.as_deref().unwrap_or(&base);
    let path = [key.name, key.version].join("/");
    let authorization = Zeroizing::new(format!("Bearer {}", token.as_str()));
    let request = Request {
        step: STEP,
        url: format!("{base}/keys/{}/decrypt?api-version=7.4", path.trim_end_matches('/')),
        body: Some(json!({"alg": "RSA-OAEP-256", "value": enc}).to_string().into_bytes()),
        headers: vec![("content-type", "application/json"), ("authorization", &authorization)],
    };
    let answer = on.client().send(request).await?.json(STEP)?;
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
    let granted = match &on.credentials.azure {
        Some(AzureClient::Secret { tenant, client, secret, authority }) => {
            let client = Client { tenant, id: client, authority: authority.as_deref() };
            entra::of_client(on.desk(), &client, &Proof::Secret(secret), &scope).await?
        }
        Some(AzureClient::Managed { client }) => {
            entra::of_machine(on.desk(), Some(client), &format!("https://{domain}")).await?
        }
        None => {
            let (tenant, id) = on.identity.azure_client().await?;
            let token = on.identity.token(entra::AUDIENCE).await?;
            let client = Client { tenant: &tenant, id: &id, authority: None };
            entra::of_client(on.desk(), &client, &Proof::Token(&token), &scope).await?
        }
    };
    Ok(granted.token)
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
