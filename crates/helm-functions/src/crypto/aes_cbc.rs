//! `encryptAES` and `decryptAES`: AES-256 in CBC mode, the password itself being the key.

use aes::Aes256;
use aes::cipher::{BlockDecrypt as _, BlockEncrypt as _, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use go_template::{Functions, Str, Type};

use super::CryptoError;
use crate::arguments::{ok, string};
use crate::encoding::decode64;
use crate::error::FunctionError;
use crate::host::random;

const S: Type = Type::String;
const BLOCK: usize = 16;

pub(crate) fn register(f: &mut Functions) {
    f.add("encryptAES", [S, S], |call, a| {
        let plain = string(a, 1).as_bytes();
        if plain.is_empty() {
            return ok("");
        }
        call.make(plain.len().saturating_mul(2))?;
        let iv = random(call, BLOCK)?;
        ok(STANDARD.encode(encrypt(string(a, 0).as_bytes(), &iv, plain)))
    });
    f.add("decryptAES", [S, S], |call, a| {
        let encoded = string(a, 1).as_bytes();
        if encoded.is_empty() {
            return ok("");
        }
        call.make(encoded.len())?;
        let sealed = decode64(encoded).map_err(FunctionError::from)?;
        let plain = decrypt(string(a, 0).as_bytes(), &sealed).map_err(FunctionError::from)?;
        ok(Str::from(plain))
    });
}

/// Zeros fill up a short password, a long one is cut.
fn cipher(password: &[u8]) -> Aes256 {
    let mut key = [0_u8; 32];
    key.iter_mut().zip(password).for_each(|(to, from)| *to = *from);
    Aes256::new(&key.into())
}

fn encrypt(password: &[u8], iv: &[u8], plain: &[u8]) -> Vec<u8> {
    let cipher = cipher(password);
    let padding = BLOCK - plain.len() % BLOCK;
    let mut padded = plain.to_vec();
    padded.resize(plain.len() + padding, u8::try_from(padding).unwrap_or(0));
    let mut out = iv.to_vec();
    let mut previous: [u8; BLOCK] = iv.try_into().unwrap_or_default();
    for chunk in padded.chunks_exact(BLOCK) {
        previous.iter_mut().zip(chunk).for_each(|(to, from)| *to ^= from);
        let mut block = previous.into();
        cipher.encrypt_block(&mut block);
        previous = block.into();
        out.extend_from_slice(&previous);
    }
    out
}

/// Flux: the padding is not checked, so a wrong password gives rubbish or, where Go panics, an
/// error.
fn decrypt(password: &[u8], sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let Some((iv, body)) = sealed.split_first_chunk::<BLOCK>() else {
        return Err(CryptoError::TooShort(sealed.len()));
    };
    if body.len() % BLOCK != 0 {
        return Err(CryptoError::NotFullBlocks);
    }
    let cipher = cipher(password);
    let mut plain = Vec::with_capacity(body.len());
    let mut previous = *iv;
    for chunk in body.chunks_exact(BLOCK) {
        let sealed: [u8; BLOCK] = chunk.try_into().unwrap_or_default();
        let mut block = sealed.into();
        cipher.decrypt_block(&mut block);
        plain.extend(block.iter().zip(previous).map(|(byte, mask)| byte ^ mask));
        previous = sealed;
    }
    let padding = usize::from(*plain.last().ok_or(CryptoError::NoPadding)?);
    let length = plain.len().checked_sub(padding).ok_or_else(|| {
        CryptoError::Padding(
            crate::arguments::from_len(plain.len()) - crate::arguments::from_len(padding),
        )
    })?;
    plain.truncate(length);
    Ok(plain)
}
