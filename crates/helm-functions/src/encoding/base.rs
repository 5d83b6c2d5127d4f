//! base64 and base32.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use go_template::{Functions, Str, Type};

use crate::arguments::{ok, string};

const S: Type = Type::String;

/// Text that is not base64 or base32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("illegal {alphabet} data at input byte {place}")]
pub struct CorruptInput {
    /// `base64` or `base32`.
    pub alphabet: &'static str,
    /// Where it ceases to be.
    pub place: usize,
}

pub(crate) fn register(f: &mut Functions) {
    f.add("b64enc", [S], |call, a| {
        call.make(string(a, 0).len().saturating_mul(2))?;
        ok(STANDARD.encode(string(a, 0).as_bytes()))
    });
    // Flux: the error becomes the result.
    f.add("b64dec", [S], |_, a| {
        ok(decode64(string(a, 0).as_bytes())
            .map_or_else(|error| Str::from(error.to_string()), Str::from))
    });
    f.add("b32enc", [S], |call, a| {
        call.make(string(a, 0).len().saturating_mul(2))?;
        ok(encode32(string(a, 0).as_bytes()))
    });
    f.add("b32dec", [S], |_, a| {
        ok(decode32(string(a, 0).as_bytes())
            .map_or_else(|error| Str::from(error.to_string()), Str::from))
    });
}

/// Go's standard base64: newlines are skipped, padding is wanted, and the error says where.
///
/// # Errors
/// [`CorruptInput`]
pub(crate) fn decode64(input: &[u8]) -> Result<Vec<u8>, CorruptInput> {
    let (bytes, bad) = decode(input, 4, 6, |byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    });
    bad.map_or(Ok(bytes), |place| Err(CorruptInput { alphabet: "base64", place }))
}

fn decode32(input: &[u8]) -> Result<Vec<u8>, CorruptInput> {
    let (bytes, bad) = decode(input, 8, 5, |byte| match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'2'..=b'7' => Some(byte - b'2' + 26),
        _ => None,
    });
    bad.map_or(Ok(bytes), |place| Err(CorruptInput { alphabet: "base32", place }))
}

/// Decodes groups of digits, and says where the input ceases to be valid.
fn decode(
    input: &[u8],
    group: usize,
    bits: u32,
    digit: impl Fn(u8) -> Option<u8>,
) -> (Vec<u8>, Option<usize>) {
    let mut out = Vec::with_capacity(input.len());
    let (mut buffer, mut filled, mut in_group) = (0_u32, 0, 0);
    let mut padding = 0;
    for (place, byte) in input.iter().enumerate() {
        if matches!(byte, b'\r' | b'\n') {
            continue;
        }
        if padding > 0 || *byte == b'=' {
            let complete = in_group == 0;
            let possible = (in_group * bits as usize) % 8 < bits as usize && in_group >= 2;
            if *byte != b'=' || complete || !possible || in_group + padding >= group {
                return (out, Some(place));
            }
            padding += 1;
            continue;
        }
        let Some(value) = digit(*byte) else { return (out, Some(place)) };
        buffer = buffer << bits | u32::from(value);
        filled += bits;
        in_group = (in_group + 1) % group;
        if filled >= 8 {
            filled -= 8;
            out.push(u8::try_from(buffer >> filled & 0xff).unwrap_or(0));
        }
        buffer &= 0xffff;
    }
    let whole = if padding > 0 { in_group + padding == group } else { in_group == 0 };
    if whole {
        return (out, None);
    }
    // A group that is cut off is blamed at its first digit, one that lacks padding at the end.
    let place = if padding > 0 { input.len() } else { input.len().saturating_sub(in_group) };
    (out, Some(place))
}

fn encode32(input: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut out = String::with_capacity(input.len().div_ceil(5) * 8);
    for chunk in input.chunks(5) {
        let mut block = [0_u8; 8];
        block.iter_mut().skip(3).zip(chunk).for_each(|(to, from)| *to = *from);
        let number = u64::from_be_bytes(block);
        let digits = (chunk.len() * 8).div_ceil(5);
        for place in 0..8 {
            let digit = usize::try_from(number >> (35 - 5 * place) & 31).unwrap_or(0);
            out.push(if place < digits { char::from(ALPHABET[digit]) } else { '=' });
        }
    }
    out
}
