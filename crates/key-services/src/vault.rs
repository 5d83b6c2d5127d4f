//! Vault and `OpenBao`: the transit engine.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::json;
use sops_decrypt::Part;
use zeroize::Zeroizing;

use crate::Services;
use crate::error::Reason;
use crate::identity::Secret;
use crate::jwt;
use crate::request::{Request, is_path};

/// A key, as a file names it.
pub(crate) struct Key<'a> {
    pub(crate) address: &'a str,
    pub(crate) engine_path: &'a str,
    pub(crate) name: &'a str,
}

pub(crate) async fn decrypt(on: &Services, key: &Key<'_>, enc: &str) -> Result<Part, Reason> {
    const STEP: &str = "decrypt";
    let base = address(key.address)?;
    let engine = key.engine_path.trim_matches('/');
    if !is_path(engine) || !is_path(key.name) {
        return Err(Reason::Malformed { what: "key path" });
    }
    let token = match &on.credentials.vault_token {
        Some(token) => {
            admit(on, key.address, base).await?;
            token.clone()
        }
        None => login(on, key.address, base).await?,
    };
    let request = Request {
        step: STEP,
        url: format!("{base}/v1/{engine}/decrypt/{}", key.name),
        body: Some(json!({"ciphertext": enc}).to_string().into_bytes()),
        headers: vec![("content-type", "application/json"), ("x-vault-token", token.as_str())],
    };
    let answer = on.client().send(request).await?.json(STEP)?;
    let plain = answer.pointer("/data/plaintext").and_then(|text| text.as_str());
    let plain = plain.and_then(|text| BASE64.decode(text).ok());
    plain.map(Zeroizing::new).ok_or(Reason::Answer { step: STEP })
}

/// Makes sure that the token of the Secret is for this server: by the Secret itself, or else by the
/// list of who runs the cluster.
async fn admit(on: &Services, named: &str, base: &str) -> Result<(), Reason> {
    match &on.credentials.vault_addresses {
        None => Ok(on.identity.vault_admits(named).await?),
        Some(all) if all.iter().any(|one| one.trim_end_matches('/') == base) => Ok(()),
        Some(_) => Err(Reason::Host { host: base.to_owned() }),
    }
}

fn address(address: &str) -> Result<&str, Reason> {
    let malformed = Reason::Malformed { what: "Vault address" };
    let base = address.trim_end_matches('/');
    let rest = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
    match rest {
        Some(host) if !host.is_empty() && host.bytes().all(is_plain) => Ok(base),
        _ => Err(malformed),
    }
}

/// A token for the service account, from a server that the operator trusts.
async fn login(on: &Services, named: &str, base: &str) -> Result<Secret, Reason> {
    const STEP: &str = "log in to Vault";
    let path = on.identity.vault_login(named).await?;
    let path = path.trim_matches('/');
    if !is_path(path) {
        return Err(Reason::Malformed { what: "login path" });
    }
    let token = on.identity.token(named).await?;
    // The role is that of who the token is for, whoever that is.
    let subject = jwt::claim(&token, "sub");
    let account = subject.as_deref().and_then(|it| it.strip_prefix("system:serviceaccount:"));
    let account = account.and_then(|account| account.split_once(':'));
    let Some((namespace, name)) = account else {
        return Err(Reason::Credential { what: "token of the service account" });
    };
    let role = format!("{namespace}_{name}");
    let request = Request {
        step: STEP,
        url: format!("{base}/v1/{path}"),
        body: Some(json!({"role": role, "jwt": token.as_str()}).to_string().into_bytes()),
        headers: vec![("content-type", "application/json")],
    };
    let answer = on.client().send(request).await?.json(STEP)?;
    let token = answer.pointer("/auth/client_token").and_then(|token| token.as_str());
    let token = token.filter(|token| !token.is_empty()).ok_or(Reason::Answer { step: STEP })?;
    Ok(Zeroizing::new(token.to_owned()))
}
