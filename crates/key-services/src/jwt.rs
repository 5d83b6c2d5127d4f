//! Tokens that are signed with an RSA key.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::error::Reason;
use crate::identity::Secret;

/// A token that says `claims`, signed by RS256.
pub(crate) fn signed(header: &Value, claims: &Value, pem: &str) -> Result<Secret, Reason> {
    let unusable = || Reason::Credential { what: "private key" };
    let (_, rest) = pem.split_once("-----BEGIN PRIVATE KEY-----").ok_or_else(unusable)?;
    let (body, _) = rest.split_once("-----END PRIVATE KEY-----").ok_or_else(unusable)?;
    let body: Zeroizing<String> =
        Zeroizing::new(body.chars().filter(|c| !c.is_ascii_whitespace()).collect());
    let der = BASE64_STANDARD.decode(body.as_bytes()).map_err(|_quotes| unusable())?;
    let der = Zeroizing::new(der);
    let key = KeyPair::from_pkcs8(&der).map_err(|_opaque| unusable())?;
    let part = |value: &Value| BASE64.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .map_err(|_opaque| unusable())?;
    Ok(Zeroizing::new(format!("{text}.{}", BASE64.encode(signature))))
}

/// A claim of a token whose signature others verify.
pub(crate) fn claim(token: &str, name: &str) -> Option<String> {
    let claims = token.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()?;
    claims[name].as_str().map(ToOwned::to_owned)
}
