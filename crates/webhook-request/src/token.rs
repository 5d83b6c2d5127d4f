//! Tokens by which an identity provider vouches for a sender.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use jsonwebtoken::jwk::Jwk;
pub use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};

use crate::only;

/// How far a provider's clock may be ahead of ours, in seconds.
const SKEW_SECONDS: f64 = 300.0;
/// Algorithms with a public key. Those with a shared key, and `none`, prove nothing here.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Limit: keys that a token which names none is tried with.
const MOST_KEYS: usize = 32;

/// What a provider says of the sender.
pub type Claims = Map<String, Value>;

/// What is wrong with a token.
#[derive(Debug, thiserror::Error)]
pub enum InvalidToken {
    /// There is none.
    #[error("the Authorization header is missing or malformed")]
    Missing,
    /// It has not three parts, or they cannot be read.
    #[error("token is not a JWT")]
    Malformed,
    /// It does not say who issued it.
    #[error("token is missing the 'iss' claim")]
    NoIssuer,
    /// Its algorithm proves nothing.
    #[error("token is signed with an algorithm that is not accepted")]
    Algorithm,
    /// The provider has no key of that name.
    #[error("token is signed with a key that its issuer does not publish")]
    UnknownKey,
    /// It was not signed by the provider, or changed since.
    #[error("the signature of the token is wrong")]
    Signature(#[source] jsonwebtoken::errors::Error),
    /// Somebody else issued it.
    #[error("token issuer is {issuer:?}, want {wanted:?}")]
    Issuer {
        /// Who did.
        issuer: String,
        /// Who should have.
        wanted: String,
    },
    /// It was issued for somebody else.
    #[error("token is not for the audience {wanted:?}")]
    Audience {
        /// For whom it should be.
        wanted: String,
    },
    /// Its time is over, or it does not say when that is.
    #[error("token is expired")]
    Expired,
    /// Its time has not come.
    #[error("token is not valid yet")]
    TooEarly,
}

/// The token in the header `Authorization`.
///
/// # Errors
/// If there is none, or more than one.
pub fn bearer(headers: &HeaderMap) -> Result<&str, InvalidToken> {
    let header = only(headers, "authorization").ok().flatten();
    let token = header.and_then(|header| header.strip_prefix("Bearer ")).map(str::trim);
    token.filter(|token| !token.is_empty()).ok_or(InvalidToken::Missing)
}

/// Who a token says issued it. Nobody has looked at its signature yet: good for nothing but to find
/// the keys to look at it with.
///
/// # Errors
/// If the token cannot be read.
pub fn claimed_issuer(token: &str) -> Result<String, InvalidToken> {
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(InvalidToken::Malformed);
    };
    let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_letters| InvalidToken::Malformed)?;
    let claims: Claims =
        serde_json::from_slice(&claims).map_err(|_json| InvalidToken::Malformed)?;
    let issuer = claims.get("iss").and_then(Value::as_str).filter(|issuer| !issuer.is_empty());
    issuer.map(str::to_owned).ok_or(InvalidToken::NoIssuer)
}

/// The claims of a token that one of `issuers` signed with one of `keys` for `audience`, and that is
/// valid `now` (seconds since 1970).
///
/// # Errors
/// What is wrong with the token.
pub fn verify(
    token: &str,
    keys: &JwkSet,
    issuers: &[&str],
    audience: &str,
    now: i64,
) -> Result<Claims, InvalidToken> {
    let header =
        jsonwebtoken::decode_header(token).map_err(|_unreadable| InvalidToken::Malformed)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(InvalidToken::Algorithm);
    }
    // The signature is the library's affair; what is claimed is judged below, by the time given.
    let mut validation = Validation::new(header.alg);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let claims = if let Some(id) = &header.kid {
        let key = keys.find(id).ok_or(InvalidToken::UnknownKey)?;
        signed_by(key, token, &validation).map_err(InvalidToken::Signature)?
    } else {
        let mut keys = keys.keys.iter().take(MOST_KEYS);
        let claims = keys.find_map(|key| signed_by(key, token, &validation).ok());
        claims.ok_or(InvalidToken::UnknownKey)?
    };
    judge(&claims, issuers, audience, now)?;
    Ok(claims)
}

fn signed_by(
    key: &Jwk,
    token: &str,
    validation: &Validation,
) -> Result<Claims, jsonwebtoken::errors::Error> {
    let key = DecodingKey::from_jwk(key)?;
    Ok(jsonwebtoken::decode(token, &key, validation)?.claims)
}

fn judge(claims: &Claims, issuers: &[&str], audience: &str, now: i64) -> Result<(), InvalidToken> {
    let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default();
    if !issuers.contains(&issuer) {
        let wanted = issuers.join(" or ");
        return Err(InvalidToken::Issuer { issuer: issuer.to_owned(), wanted });
    }
    let is_for_us = match claims.get("aud") {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(audience)),
        _ => false,
    };
    if !is_for_us {
        return Err(InvalidToken::Audience { wanted: audience.to_owned() });
    }
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are exact in 53 bits")]
    let now = now as f64;
    let time = |claim: &str| claims.get(claim).and_then(Value::as_f64);
    if time("exp").is_none_or(|end| now >= end) {
        return Err(InvalidToken::Expired);
    }
    if time("nbf").is_some_and(|begin| now + SKEW_SECONDS < begin) {
        return Err(InvalidToken::TooEarly);
    }
    Ok(())
}
