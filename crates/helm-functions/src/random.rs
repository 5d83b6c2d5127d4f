//! Random strings and numbers.

use base64::Engine as _;
use go_template::{Call, CallError, Functions, Type, Value};

use crate::arguments::{Outcome, int, ok, text};
use crate::error::FunctionError;
use crate::host::random;

const I: Type = Type::INT;

pub(crate) fn register(f: &mut Functions) {
    f.add("randAlphaNum", [I], |call, a| pick(call, int(a, 0), |b| b.is_ascii_alphanumeric()));
    f.add("randAlpha", [I], |call, a| pick(call, int(a, 0), |b| b.is_ascii_alphabetic()));
    f.add("randNumeric", [I], |call, a| pick(call, int(a, 0), |b| b.is_ascii_digit()));
    f.add("randAscii", [I], |call, a| pick(call, int(a, 0), |b| (b' '..=b'~').contains(&b)));
    f.add("randInt", [I, I], |call, a| {
        let (least, end) = (int(a, 0), int(a, 1));
        let span = end.checked_sub(least).and_then(|span| u64::try_from(span).ok());
        match span.filter(|span| *span > 0) {
            Some(span) => Ok(Value::int(least.wrapping_add_unsigned(below(call, span)?))),
            None => Err(FunctionError::Intn.into()),
        }
    });
    f.add("randBytes", [I], |call, a| {
        let count = usize::try_from(int(a, 0)).map_err(|_negative| FunctionError::MakeSlice)?;
        ok(base64::engine::general_purpose::STANDARD.encode(random(call, count)?))
    });
    f.add("uuidv4", [], |call, _| {
        let mut bytes = random(call, 16)?;
        if let Some(version) = bytes.get_mut(6) {
            *version = *version & 0x0f | 0x40;
        }
        if let Some(variant) = bytes.get_mut(8) {
            *variant = *variant & 0x3f | 0x80;
        }
        let hex = crate::crypto::hex(&bytes);
        let parts = [0..8, 8..12, 12..16, 16..20, 20..32];
        let parts: Vec<&str> = parts.into_iter().filter_map(|part| hex.get(part)).collect();
        ok(parts.join("-"))
    });
    f.add("shuffle", [Type::String], |call, a| {
        let mut chars: Vec<char> = text(a, 0).chars().collect();
        for last in (1..chars.len()).rev() {
            let other = usize::try_from(below(call, last as u64 + 1)?).unwrap_or(0);
            chars.swap(last, other);
        }
        ok(chars.into_iter().collect::<String>())
    });
}

/// So many of the ASCII characters that fit. Bytes that do not fit are thrown away, so that each
/// character is as likely as any other.
fn pick(call: &mut Call<'_>, count: i64, fits: impl Fn(u8) -> bool) -> Outcome {
    let count = usize::try_from(count).unwrap_or(0);
    call.make(count)?;
    let mut out = String::with_capacity(count);
    while out.len() < count {
        let more = random(call, (count - out.len()) * 4)?;
        let left = count - out.len();
        out.extend(more.iter().map(|b| b & 0x7f).filter(|b| fits(*b)).take(left).map(char::from));
    }
    ok(out)
}

/// A number below `end`, each as likely as any other.
fn below(call: &mut Call<'_>, end: u64) -> Result<u64, CallError> {
    // The part of the range that is a multiple of `end`.
    let fair = u64::MAX - u64::MAX % end;
    loop {
        let bytes = random(call, 8)?;
        let number = bytes.iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
        if number < fair {
            return Ok(number % end);
        }
    }
}
