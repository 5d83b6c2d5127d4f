//! Tokens of Google: for accounts and users that have a key, for machines, and for identities of
//! elsewhere that Google trusts.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use zeroize::Zeroizing;

use crate::credentials::{GoogleAccount, GoogleKey, GoogleUser};
use crate::desk::{Desk, FORM, Granted};
use crate::error::Reason;
use crate::jwt::Key;
use crate::request::{Request, escaped, form};

const METADATA: &str = "http://metadata.google.internal";
const TOKEN: &str = "https://oauth2.googleapis.com/token";
const STS: &str = "https://sts.googleapis.com/v1/token";
const IAM: &str = "https://iamcredentials.googleapis.com";
/// All that an identity may do; who impersonates another account says what that one may do.
const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// An identity of elsewhere.
pub(crate) struct Federated<'a> {
    /// Who takes its tokens for true.
    pub(crate) audience: &'a str,
    /// Its token.
    pub(crate) subject: &'a str,
    /// What kind of token that is.
    pub(crate) subject_type: &'a str,
    /// The service account that it acts as, if it does not act as itself.
    pub(crate) acts_as: Option<&'a str>,
}

/// For who has a key.
pub(crate) async fn of_key(
    desk: Desk<'_>,
    key: &GoogleKey,
    scopes: &[&str],
) -> Result<Granted, Reason> {
    match key {
        GoogleKey::Account(account) => of_account(desk, account, scopes).await,
        GoogleKey::User(user) => of_user(desk, user).await,
    }
}

/// For a service account, which signs what it asks for.
async fn of_account(
    desk: Desk<'_>,
    account: &GoogleAccount,
    scopes: &[&str],
) -> Result<Granted, Reason> {
    const STEP: &str = "get a Google token";
    let url = token_url(desk, &account.token_uri)?;
    let mut header = json!({"alg": "RS256", "typ": "JWT"});
    if let Some(id) = &account.key_id {
        header["kid"] = id.as_str().into();
    }
    let now = Timestamp::now().as_second();
    let claims = json!({
        "iss": account.email, "scope": scopes.join(" "), "aud": account.token_uri,
        "iat": now, "exp": now + 3600,
    });
    let assertion = Key::read(&account.private_key)?.sign(&header, &claims)?;
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
        ("assertion", assertion.as_str()),
    ];
    exchange(desk, STEP, url, &fields).await
}

/// For a user who has agreed to it once.
async fn of_user(desk: Desk<'_>, user: &GoogleUser) -> Result<Granted, Reason> {
    const STEP: &str = "refresh a Google token";
    let url = token_url(desk, TOKEN)?;
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", user.client.as_str()),
        ("client_secret", user.secret.as_str()),
        ("refresh_token", user.refresh_token.as_str()),
    ];
    exchange(desk, STEP, url, &fields).await
}

/// For the account of the machine.
pub(crate) async fn of_machine(desk: Desk<'_>, scopes: &[&str]) -> Result<Granted, Reason> {
    const STEP: &str = "get a token of the metadata server";
    let mut path = "instance/service-accounts/default/token".to_owned();
    if !scopes.is_empty() {
        path = format!("{path}?scopes={}", escaped(&scopes.join(",")));
    }
    Granted::read(&metadata(desk, STEP, &path).await?.json(STEP)?, STEP)
}

/// For an identity of elsewhere.
pub(crate) async fn of_federated(
    desk: Desk<'_>,
    identity: &Federated<'_>,
    scopes: &[&str],
) -> Result<Granted, Reason> {
    const STEP: &str = "exchange a token at Google's security token service";
    let scope = match identity.acts_as {
        Some(_) => CLOUD_PLATFORM.to_owned(),
        None => scopes.join(" "),
    };
    let fields = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("audience", identity.audience),
        ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("subject_token_type", identity.subject_type),
        ("subject_token", identity.subject),
        ("scope", &scope),
    ];
    let url = desk.endpoints.google_sts.clone().unwrap_or_else(|| STS.to_owned());
    let own = exchange(desk, STEP, url, &fields).await?;
    match identity.acts_as {
        Some(email) => impersonate(desk, &own, email, scopes).await,
        None => Ok(own),
    }
}

/// What the metadata server of the machine says. Never through a proxy: it hands out tokens.
pub(crate) async fn attribute(
    desk: Desk<'_>,
    step: &'static str,
    path: &str,
) -> Result<String, Reason> {
    let text = metadata(desk, step, path).await?.text(step)?.trim().to_owned();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    // It becomes part of addresses and audiences.
    (!text.is_empty() && text.len() <= 256 && text.chars().all(is_plain))
        .then_some(text)
        .ok_or(Reason::Answer { step })
}

async fn metadata(
    desk: Desk<'_>,
    step: &'static str,
    path: &str,
) -> Result<crate::request::Answer, Reason> {
    let base = desk.endpoints.google_metadata.as_deref().unwrap_or(METADATA);
    let url = format!("{base}/computeMetadata/v1/{path}");
    let headers = vec![("metadata-flavor", "Google")];
    desk.client.send(Request { step, url, body: None, headers }).await
}

async fn impersonate(
    desk: Desk<'_>,
    own: &Granted,
    email: &str,
    scopes: &[&str],
) -> Result<Granted, Reason> {
    const STEP: &str = "act as a Google service account";
    let base = desk.endpoints.google_iam.as_deref().unwrap_or(IAM);
    let authorization = Zeroizing::new(format!("Bearer {}", own.token.as_str()));
    let request = Request {
        step: STEP,
        url: format!("{base}/v1/projects/-/serviceAccounts/{}:generateAccessToken", escaped(email)),
        body: Some(json!({"lifetime": "3600s", "scope": scopes}).to_string().into_bytes()),
        headers: vec![("content-type", "application/json"), ("authorization", &authorization)],
    };
    let answer = desk.client.send(request).await?.json(STEP)?;
    let token = answer["accessToken"].as_str().ok_or(Reason::Answer { step: STEP })?;
    let token = Zeroizing::new(token.to_owned());
    let end = answer["expireTime"].as_str().and_then(|time| time.parse::<Timestamp>().ok());
    let life = end.map(|end| end.duration_since(Timestamp::now()));
    Ok(Granted { token, life: life.map(|life| Duration::try_from(life).unwrap_or_default()) })
}

async fn exchange(
    desk: Desk<'_>,
    step: &'static str,
    url: String,
    fields: &[(&str, &str)],
) -> Result<Granted, Reason> {
    let headers = vec![("content-type", FORM)];
    let request = Request { step, url, body: Some(form(fields)), headers };
    Granted::read(&desk.client.send(request).await?.json(step)?, step)
}

/// Where a key says that tokens are. The key may be a tenant's, the network is ours.
fn token_url(desk: Desk<'_>, told: &str) -> Result<String, Reason> {
    match &desk.endpoints.google_token {
        Some(url) => Ok(url.clone()),
        None if is_google(told) => Ok(told.to_owned()),
        None => Err(Reason::Credential { what: "token_uri" }),
    }
}

fn is_google(url: &str) -> bool {
    let host = url.strip_prefix("https://").and_then(|rest| rest.split('/').next());
    host.is_some_and(|host| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
        host.ends_with(".googleapis.com") && host.bytes().all(is_plain)
    })
}
