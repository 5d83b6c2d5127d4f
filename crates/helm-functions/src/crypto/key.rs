//! Private keys: made, read, and signing.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use go_template::{CallError, Functions, Type};

use super::{CryptoError, KeyError, der, pem};
use crate::arguments::{ok, text};
use crate::error::FunctionError;
use crate::host::{Work, spend_costly};

pub(crate) fn register(f: &mut Functions) {
    f.add("genPrivateKey", [Type::String], |call, a| {
        let kind = text(a, 0);
        if !matches!(&*kind, "" | "rsa" | "dsa" | "ecdsa" | "ed25519") {
            return ok(format!("Unknown type {kind}"));
        }
        let work = spend_costly(call, if matches!(&*kind, "" | "rsa") { 13 } else { 1 })?;
        let key = match &*kind {
            "ecdsa" => PrivateKey::ecdsa(),
            "ed25519" => PrivateKey::ed25519(),
            // Differs: DSA keys, which nothing accepts any more, are not made.
            "dsa" => return ok("failed to generate private key: DSA is not supported"),
            _ => PrivateKey::rsa(KeySize::Rsa4096, work),
        };
        let key = key.map_err(|error| CallError::from(FunctionError::from(error)))?;
        ok(key.to_pem())
    });
}

/// A private key that can sign.
pub(super) struct PrivateKey {
    pair: Pair,
    /// The key in the form it was read or will be written in.
    pem: String,
}

enum Pair {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

const RSA_ENCRYPTION: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
const SHA256_WITH_RSA: [u8; 11] = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11];
const EC_PUBLIC_KEY: [u8; 9] = [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
const P256: [u8; 10] = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: [u8; 7] = [6, 5, 0x2b, 0x81, 4, 0, 0x22];
const ECDSA_SHA256: [u8; 10] = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const ECDSA_SHA384: [u8; 10] = [6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 3];
const ED25519: [u8; 5] = [6, 3, 0x2b, 0x65, 0x70];

impl PrivateKey {
    pub(super) fn rsa(size: KeySize, work: Work) -> Result<Self, CryptoError> {
        // One key stands in for all that are only rehearsed.
        static STAND_IN: LazyLock<Option<String>> =
            LazyLock::new(|| PrivateKey::rsa(KeySize::Rsa2048, Work::Real).ok().map(|key| key.pem));
        if work == Work::Rehearsal {
            let pem = STAND_IN.as_ref().ok_or(CryptoError::Generating)?;
            return Self::from_pem(pem).map_err(CryptoError::Key);
        }
        let made = || {
            let pair = aws_lc_rs::rsa::KeyPair::generate(size).ok()?;
            let pkcs8 = pair.as_der().ok()?;
            let pkcs1 = inner_key(pkcs8.as_ref())?;
            let pem = pem::encode("RSA PRIVATE KEY", pkcs1);
            Some(Self { pair: Pair::Rsa(pair), pem })
        };
        made().ok_or(CryptoError::Generating)
    }

    fn ecdsa() -> Result<Self, CryptoError> {
        let made = || {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).ok()?;
            let secret = pair.private_key();
            let secret: aws_lc_rs::encoding::EcPrivateKeyBin<'_> =
                aws_lc_rs::encoding::AsBigEndian::as_be_bytes(&secret).ok()?;
            let sec1 = der::element(
                der::SEQUENCE,
                &[
                    &der::integer(&[1]),
                    &der::element(der::OCTET_STRING, &[secret.as_ref()]),
                    &der::element(der::context(0), &[&P256]),
                    &der::element(der::context(1), &[&der::bit_string(pair.public_key().as_ref())]),
                ],
            );
            Some(Self { pair: Pair::P256(pair), pem: pem::encode("EC PRIVATE KEY", &sec1) })
        };
        made().ok_or(CryptoError::Generating)
    }

    fn ed25519() -> Result<Self, CryptoError> {
        let made = || {
            let pair = Ed25519KeyPair::generate().ok()?;
            let pkcs8: Pkcs8V1Der<'_> = pair.as_der().ok()?;
            let pem = pem::encode("PRIVATE KEY", pkcs8.as_ref());
            Some(Self { pair: Pair::Ed25519(pair), pem })
        };
        made().ok_or(CryptoError::Generating)
    }

    /// Reads a key from PEM.
    pub(super) fn from_pem(text: &str) -> Result<Self, KeyError> {
        let (label, content) = pem::decode(text).ok_or(KeyError::NoPem)?;
        let (pair, form) = match &*label {
            "PRIVATE KEY" => (from_pkcs8(&content), "PKCS#8"),
            "RSA PRIVATE KEY" => (RsaKeyPair::from_der(&content).ok().map(Pair::Rsa), "PKCS#1"),
            "EC PRIVATE KEY" => (from_sec1(&content), "SEC 1"),
            other => {
                let kind = other.strip_suffix(" PRIVATE KEY");
                return Err(kind.map_or_else(
                    || KeyError::NotAKey(other.to_owned()),
                    |kind| KeyError::Type(kind.to_owned()),
                ));
            }
        };
        let pair = pair.ok_or(KeyError::Malformed(form))?;
        Ok(Self { pair, pem: pem::encode(&label, &content) })
    }

    pub(super) fn to_pem(&self) -> String {
        self.pem.clone()
    }

    /// The `SubjectPublicKeyInfo`.
    pub(super) fn public_key(&self) -> Vec<u8> {
        let (algorithm, key): (Vec<u8>, &[u8]) = match &self.pair {
            Pair::Rsa(pair) => {
                ([&RSA_ENCRYPTION[..], &der::NULL].concat(), pair.public_key().as_ref())
            }
            Pair::P256(pair) => ([&EC_PUBLIC_KEY[..], &P256].concat(), pair.public_key().as_ref()),
            Pair::P384(pair) => ([&EC_PUBLIC_KEY[..], &P384].concat(), pair.public_key().as_ref()),
            Pair::Ed25519(pair) => (ED25519.to_vec(), pair.public_key().as_ref()),
        };
        let algorithm = der::element(der::SEQUENCE, &[&algorithm]);
        der::element(der::SEQUENCE, &[&algorithm, &der::bit_string(key)])
    }

    /// The algorithm that [`PrivateKey::sign`] uses.
    pub(super) fn signature_algorithm(&self) -> Vec<u8> {
        let algorithm = match &self.pair {
            Pair::Rsa(_) => [&SHA256_WITH_RSA[..], &der::NULL].concat(),
            Pair::P256(_) => ECDSA_SHA256.to_vec(),
            Pair::P384(_) => ECDSA_SHA384.to_vec(),
            Pair::Ed25519(_) => ED25519.to_vec(),
        };
        der::element(der::SEQUENCE, &[&algorithm])
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let random = SystemRandom::new();
        let signed = match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .ok()
                    .map(|()| signature)
            }
            Pair::P256(pair) | Pair::P384(pair) => {
                pair.sign(&random, message).ok().map(|signature| signature.as_ref().to_vec())
            }
            Pair::Ed25519(pair) => Some(pair.sign(message).as_ref().to_vec()),
        };
        signed.ok_or(CryptoError::Signing)
    }
}

/// The key within PKCS #8: the octet string after version and algorithm.
fn inner_key(pkcs8: &[u8]) -> Option<&[u8]> {
    let key = der::children(pkcs8)?.into_iter().find(|child| child.tag == der::OCTET_STRING)?;
    Some(key.content)
}

fn from_pkcs8(content: &[u8]) -> Option<Pair> {
    if let Ok(pair) = RsaKeyPair::from_pkcs8(content) {
        return Some(Pair::Rsa(pair));
    }
    if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, content) {
        return Some(Pair::P256(pair));
    }
    if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_ASN1_SIGNING, content) {
        return Some(Pair::P384(pair));
    }
    Ed25519KeyPair::from_pkcs8_maybe_unchecked(content).ok().map(Pair::Ed25519)
}

fn from_sec1(content: &[u8]) -> Option<Pair> {
    let p256 = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_ASN1_SIGNING, content);
    if let Ok(pair) = p256 {
        return Some(Pair::P256(pair));
    }
    EcdsaKeyPair::from_private_key_der(&ECDSA_P384_SHA384_ASN1_SIGNING, content)
        .ok()
        .map(Pair::P384)
}
