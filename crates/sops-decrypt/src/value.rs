//! One encrypted text: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`.

use aes_gcm::aead::consts::{U12, U16, U32};
use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, Nonce};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use zeroize::Zeroizing;

use crate::data_key::DataKey;
use crate::error::CipherError;

const TAG_BYTES: usize = 16;

/// A decrypted text and what it is.
pub(crate) enum Opened {
    Text(Zeroizing<Vec<u8>>),
    Integer(i64),
    Float(f64),
    Bool(bool),
    Time(String),
    Comment(String),
}

/// Decrypts a text. `path` is where it stands: a text that was moved cannot be decrypted.
pub(crate) fn open(text: &str, key: &DataKey, path: &str) -> Result<Opened, CipherError> {
    if text.is_empty() {
        return Ok(Opened::Text(Zeroizing::default()));
    }
    let parts = Parts::of(text).ok_or(CipherError::Form)?;
    let plain = parts.decrypt(key, path.as_bytes())?;
    let read = |reader| CipherError::Type { reader };
    let as_text = |reader| std::str::from_utf8(&plain).map_err(|_no_text| read(reader));
    Ok(match parts.datatype {
        "str" | "bytes" => Opened::Text(plain),
        "int" => {
            let text = as_text("strconv.Atoi")?;
            Opened::Integer(text.parse().map_err(|_no_integer| read("strconv.Atoi"))?)
        }
        "float" => {
            let text = as_text("strconv.ParseFloat")?;
            Opened::Float(text.parse().map_err(|_no_float| read("strconv.ParseFloat"))?)
        }
        "bool" => Opened::Bool(match as_text("strconv.ParseBool")? {
            "1" | "t" | "T" | "TRUE" | "true" | "True" => true,
            "0" | "f" | "F" | "FALSE" | "false" | "False" => false,
            _ => return Err(read("strconv.ParseBool")),
        }),
        "time" => Opened::Time(as_text("Time.UnmarshalText")?.to_owned()),
        "comment" => Opened::Comment(String::from_utf8_lossy(&plain).into_owned()),
        _ => return Err(CipherError::UnknownType),
    })
}

struct Parts<'a> {
    data: &'a str,
    iv: &'a str,
    tag: &'a str,
    datatype: &'a str,
}

impl<'a> Parts<'a> {
    /// As `^ENC\[AES256_GCM,data:(.+),iv:(.+),tag:(.+),type:(.+)\]` finds them: what follows the last
    /// bracket of the line is not looked at.
    fn of(text: &'a str) -> Option<Self> {
        let line = text.split('\n').next()?;
        let rest = line.strip_prefix("ENC[AES256_GCM,data:")?;
        let rest = &rest[..rest.rfind(']')?];
        let (rest, datatype) = rest.rsplit_once(",type:")?;
        let (rest, tag) = rest.rsplit_once(",tag:")?;
        let (data, iv) = rest.rsplit_once(",iv:")?;
        let whole = [data, iv, tag, datatype].iter().all(|part| !part.is_empty());
        whole.then_some(Self { data, iv, tag, datatype })
    }

    fn decrypt(&self, key: &DataKey, path: &[u8]) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        let decode = |part, text: &str| {
            BASE64.decode(text).map_err(|_no_base64| CipherError::Base64 { part })
        };
        let mut data = decode("data", self.data)?;
        let iv = decode("iv", self.iv)?;
        let tag = decode("tag", self.tag)?;
        let key = key.bytes();
        if key.len() != 32 {
            return Err(CipherError::KeySize { bytes: key.len() });
        }
        if tag.len() != TAG_BYTES {
            return Err(CipherError::Authentication);
        }
        data.extend(tag);
        let payload = Payload { msg: &data, aad: path };
        // sops writes 32 bytes; the others are what other tools might.
        macro_rules! decrypt {
            ($size:ty) => {
                AesGcm::<Aes256, $size>::new_from_slice(key)
                    .map_err(|_size| CipherError::KeySize { bytes: key.len() })?
                    .decrypt(Nonce::<$size>::from_slice(&iv), payload)
            };
        }
        let plain = match iv.len() {
            32 => decrypt!(U32),
            16 => decrypt!(U16),
            12 => decrypt!(U12),
            _ => return Err(CipherError::Authentication),
        };
        plain.map(Zeroizing::new).map_err(|_opaque| CipherError::Authentication)
    }
}
