//! GCP KMS.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use jiff::Timestamp;
use serde_json::json;
use sops_decrypt::Part;
use zeroize::Zeroizing;

use crate::Services;
use crate::credentials::GoogleAccount;
use crate::error::Reason;
use crate::identity::{IdentityError, Secret};
use crate::jwt;
use crate::request::{Request, form, is_path};

const SCOPE: &str = "https://www.googleapis.com/auth/cloudkms";
const FORM: &str = "application/x-www-form-urlencoded";
const METADATA: &str = "http://metadata.google.internal";

pub(crate) async fn decrypt(on: &Services, resource: &str, enc: &str) -> Result<Part, Reason> {
    const STEP: &str = "decrypt";
    let words: Vec<&str> = resource.split('/').collect();
    let is_key =
        matches!(words.as_slice(), ["projects", _, "locations", _, "keyRings", _, "cryptoKeys", _]);
    if !is_key || !is_path(resource) {
        return Err(Reason::Malformed { what: "resource id" });
    }
    let token = match &on.credentials.google {
        Some(account) => of_account(on, account).await?,
        None => of_machine(on).await?,
    };
    let base = on.endpoints.gcp_kms.as_deref().unwrap_or("https://cloudkms.googleapis.com");
    let authorization = Zeroizing::new(format!("Bearer {}", token.as_str()));
    let request = Request {
        step: STEP,
        url: format!("{base}/v1/{resource}:decrypt"),
        body: Some(json!({"ciphertext": enc}).to_string().into_bytes()),
        headers: vec![("content-type", "application/json"), ("authorization", &authorization)],
    };
    let answer = on.client.send(request).await?.json(STEP)?;
    let plain = answer["plaintext"].as_str().and_then(|text| BASE64.decode(text).ok());
    plain.map(Zeroizing::new).ok_or(Reason::Answer { step: STEP })
}

/// A token for a service account, which signs what it asks for.
async fn of_account(on: &Services, account: &GoogleAccount) -> Result<Secret, Reason> {
    const STEP: &str = "get a Google token";
    let url = match &on.endpoints.google_token {
        Some(url) => url.clone(),
        // The Secret may be a tenant's, the network is ours.
        None if is_google(&account.token_uri) => account.token_uri.clone(),
        None => return Err(Reason::Credential { what: "token_uri" }),
    };
    let mut header = json!({"alg": "RS256", "typ": "JWT"});
    if let Some(id) = &account.key_id {
        header["kid"] = id.as_str().into();
    }
    let now = Timestamp::now().as_second();
    let claims = json!({
        "iss": account.email, "scope": SCOPE, "aud": account.token_uri, "iat": now, "exp": now + 3600,
    });
    let assertion = jwt::signed(&header, &claims, &account.private_key)?;
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", assertion.as_str()),
    ];
    let body = Some(form(&fields));
    let headers = vec![("content-type", FORM)];
    let answer = on.client.send(Request { step: STEP, url, body, headers }).await?.json(STEP)?;
    token(&answer, STEP)
}

/// A token for the account of the machine.
async fn of_machine(on: &Services) -> Result<Secret, Reason> {
    const STEP: &str = "get a token of the metadata server";
    if !on.identity.google_metadata() {
        return Err(IdentityError::None { service: "GCP KMS" }.into());
    }
    let base = on.endpoints.google_metadata.as_deref().unwrap_or(METADATA);
    let url = format!("{base}/computeMetadata/v1/instance/service-accounts/default/token");
    let headers = vec![("metadata-flavor", "Google")];
    let request = Request { step: STEP, url, body: None, headers };
    token(&on.client.send(request).await?.json(STEP)?, STEP)
}

fn token(answer: &serde_json::Value, step: &'static str) -> Result<Secret, Reason> {
    let token = answer["access_token"].as_str().ok_or(Reason::Answer { step })?;
    Ok(Zeroizing::new(token.to_owned()))
}

fn is_google(url: &str) -> bool {
    let host = url.strip_prefix("https://").and_then(|rest| rest.split('/').next());
    host.is_some_and(|host| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        host.ends_with(".googleapis.com") && host.bytes().all(is_plain)
    })
}
