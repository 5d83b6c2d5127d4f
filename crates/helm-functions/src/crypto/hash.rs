//! Hashes.

use aws_lc_rs::digest;
use go_template::{Functions, Type};

use crate::arguments::{ok, string};

pub(crate) fn register(f: &mut Functions) {
    for (name, algorithm) in [
        ("sha1sum", &digest::SHA1_FOR_LEGACY_USE_ONLY),
        ("sha256sum", &digest::SHA256),
        ("sha512sum", &digest::SHA512),
    ] {
        f.add(name, [Type::String], move |call, a| {
            call.session.spend(string(a, 0).len() as u64 >> 8)?;
            ok(hex(digest::digest(algorithm, string(a, 0).as_bytes()).as_ref()))
        });
    }
    f.add("adler32sum", [Type::String], |call, a| {
        call.session.spend(string(a, 0).len() as u64 >> 8)?;
        ok(adler32(string(a, 0).as_bytes()).to_string())
    });
}

/// Two digits for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn adler32(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65_521;
    let (low, high) = bytes.iter().fold((1_u32, 0_u32), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % MODULUS;
        (low, (high + low) % MODULUS)
    });
    high << 16 | low
}
