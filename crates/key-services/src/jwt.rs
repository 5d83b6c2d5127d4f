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

/// A key that signs.
pub(crate) struct Key(KeyPair);

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoKey {
    /// It is no PEM of a private key.
    Pem,
    /// The key is none of RSA, or too short.
    Rsa,
}

impl Key {
    /// Reads the PEM of an RSA key: PKCS #8, or PKCS #1 as GitHub hands them out.
    pub(crate) fn read(pem: &str) -> Result<Self, NoKey> {
        type Parse = fn(&[u8]) -> Result<KeyPair, aws_lc_rs::error::KeyRejected>;
        const KINDS: [(&str, Parse); 2] =
            [("PRIVATE KEY", KeyPair::from_pkcs8), ("RSA PRIVATE KEY", KeyPair::from_der)];
        let found = KINDS.into_iter().find_map(|(kind, parse)| {
            let (_, rest) = pem.split_once(&format!("-----BEGIN {kind}-----"))?;
            let (body, _) = rest.split_once(&format!("-----END {kind}-----"))?;
            Some((body, parse))
        });
        let (body, parse) = found.ok_or(NoKey::Pem)?;
        let body: Zeroizing<String> =
            Zeroizing::new(body.chars().filter(|c| !c.is_ascii_whitespace()).collect());
        let der = BASE64_STANDARD.decode(body.as_bytes()).map_err(|_quotes| NoKey::Pem)?;
        parse(&Zeroizing::new(der)).map(Self).map_err(|_opaque| NoKey::Rsa)
    }

    /// A token that says `claims`, signed by RS256.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> Result<Secret, NoKey> {
        let part = |value: &Value| BASE64.encode(value.to_string());
        let text = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; self.0.public_modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
            .map_err(|_opaque| NoKey::Rsa)?;
        Ok(Zeroizing::new(format!("{text}.{}", BASE64.encode(signature))))
    }
}

impl From<NoKey> for Reason {
    fn from(_: NoKey) -> Self {
        Self::Credential { what: "private key" }
    }
}

/// A claim of a token whose signature others verify.
pub(crate) fn claim(token: &str, name: &str) -> Option<String> {
    let claims = token.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&BASE64.decode(claims).ok()?).ok()?;
    claims[name].as_str().map(ToOwned::to_owned)
}
