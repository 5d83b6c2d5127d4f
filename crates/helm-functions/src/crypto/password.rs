//! Password hashes, and passwords derived from a master password.

use aws_lc_rs::hmac;
use go_template::{Call, CallError, Functions, IntKind, Type};

use crate::arguments::{int, ok, string, text};
use crate::host::{Work, random, spend_costly};

const S: Type = Type::String;

/// Go's `bcrypt.DefaultCost`.
const COST: u32 = 10;

pub(crate) fn register(f: &mut Functions) {
    f.add("bcrypt", [S], |call, a| ok(bcrypt(call, string(a, 0).as_bytes())?));
    f.add("htpasswd", [S, S], |call, a| {
        let user = text(a, 0);
        if user.contains(':') {
            return ok(format!("invalid username: {user}"));
        }
        ok(format!("{user}:{}", bcrypt(call, string(a, 1).as_bytes())?))
    });
    f.add("derivePassword", [Type::Int(IntKind::Uint32), S, S, S, S], |call, a| {
        let counter = u32::try_from(int(a, 0)).unwrap_or(u32::MAX);
        let kind = text(a, 1);
        let Some(templates) = templates(&kind) else {
            return ok(format!("cannot find password template {kind}"));
        };
        let work = spend_costly(call, 6)?;
        let [password, user, site] = [2, 3, 4].map(|place| string(a, place).as_bytes());
        ok(master_key(password, user, work)
            .and_then(|key| derive(counter, templates, &key, site))
            .unwrap_or_default())
    });
}

fn bcrypt(call: &mut Call<'_>, password: &[u8]) -> Result<String, CallError> {
    if password.len() > 72 {
        let why = "bcrypt: password length exceeds 72 bytes";
        return Ok(format!("failed to encrypt string with bcrypt: {why}"));
    }
    if spend_costly(call, 2)? == Work::Rehearsal {
        return Ok(format!("$2a$10${}", ".".repeat(53)));
    }
    let salt: [u8; 16] = random(call, 16)?.try_into().unwrap_or_default();
    Ok(match bcrypt::hash_with_salt(password, COST, salt) {
        Ok(parts) => parts.format_for_version(bcrypt::Version::TwoA),
        Err(error) => format!("failed to encrypt string with bcrypt: {error}"),
    })
}

/// The shapes of a kind of password, one letter for each class of characters.
fn templates(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "maximum" => &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"],
        "long" => &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
        "medium" => &["CvcnoCvc", "CvcCvcno"],
        "short" => &["Cvcn"],
        "basic" => &["aaanaaan", "aannaaan", "aaannaaa"],
        "pin" => &["nnnn"],
        _ => return None,
    })
}

fn class(letter: u8) -> &'static [u8] {
    match letter {
        b'V' => b"AEIOU",
        b'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        b'v' => b"aeiou",
        b'c' => b"bcdfghjklmnpqrstvwxyz",
        b'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        b'n' => b"0123456789",
        b'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

fn salt(name: &[u8]) -> Vec<u8> {
    let mut salt = b"com.lyndir.masterpassword".to_vec();
    salt.extend_from_slice(&u32::try_from(name.len()).unwrap_or(u32::MAX).to_be_bytes());
    salt.extend_from_slice(name);
    salt
}

/// The costly half of the Master Password algorithm.
fn master_key(password: &[u8], user: &[u8], work: Work) -> Option<[u8; 64]> {
    let mut key = [0; 64];
    if work == Work::Real {
        let cost = scrypt::Params::new(15, 8, 2, 64).ok()?;
        scrypt::scrypt(password, &salt(user), &cost, &mut key).ok()?;
    }
    Some(key)
}

/// The other half.
fn derive(counter: u32, templates: &[&str], key: &[u8; 64], site: &[u8]) -> Option<String> {
    let mut message = salt(site);
    message.extend_from_slice(&counter.to_be_bytes());
    let seed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &message);
    let (first, rest) = seed.as_ref().split_first()?;
    let template = templates.get(usize::from(*first) % templates.len())?;
    template
        .bytes()
        .zip(rest)
        .map(|(letter, byte)| {
            let class = class(letter);
            class.get(usize::from(*byte) % class.len()).map(|c| char::from(*c))
        })
        .collect()
}
