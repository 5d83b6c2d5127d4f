//! Numbers as Go reads and prints them.

/// Reads an integer as Go's `strconv.ParseInt(text, 0, 64)` or, failing that, `ParseUint`:
/// `0x`, `0o`, `0b` and a leading `0` say the base. Underscores must be gone already.
pub(crate) fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.get(..2).map(str::to_ascii_lowercase);
    let (radix, digits) = match lower.as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some(_) if digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| char::from(byte).is_digit(radix)) {
        return None;
    }
    let size = i128::from_str_radix(digits, radix).ok()?;
    // An unsigned number has no sign, not even a plus.
    let unsigned = size <= i128::from(u64::MAX) && !text.starts_with(['-', '+']);
    let value = if negative { -size } else { size };
    (i64::try_from(value).is_ok() || unsigned).then_some(value)
}

/// Reads a float in the notation that YAML allows: digits with an optional point and exponent.
pub(crate) fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(unsigned);
    let mut rest = &unsigned[whole..];
    let mut decimals = 0;
    if let Some(after) = rest.strip_prefix('.') {
        decimals = digits(after);
        rest = &after[decimals..];
    }
    if whole + decimals == 0 {
        return None;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if exponent.is_empty() || digits(exponent) != exponent.len() {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    // Go refuses what is out of range, where Rust says infinity.
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// A float as Go's `strconv.FormatFloat(value, 'g', -1, 64)` prints it.
pub(crate) fn general(value: f64) -> String {
    scientific_or_plain(&format!("{value:e}"), value.to_string())
}

/// A float as `strconv.FormatFloat(value, 'g', -1, 32)` prints it.
#[expect(clippy::cast_possible_truncation, reason = "that is what is asked for")]
pub(crate) fn general32(value: f64) -> String {
    let value = value as f32;
    scientific_or_plain(&format!("{value:e}"), value.to_string())
}

fn scientific_or_plain(scientific: &str, plain: String) -> String {
    let Some((digits, exponent)) = scientific.split_once('e') else { return plain };
    let power: i32 = exponent.parse().unwrap_or(0);
    // Go: the shortest form of a float takes an exponent from 10^6 on, or when it is tiny.
    if (-4..6).contains(&power) { plain } else { exponential(digits, power) }
}

fn exponential(digits: &str, power: i32) -> String {
    let sign = if power < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", power.unsigned_abs())
}

/// A float as a JSON number: an integer if Go's JSON would print it without point and exponent.
///
/// # Errors
/// With the name of the value, if JSON has no such number.
pub(crate) fn json(value: f64) -> Result<serde_json::Number, &'static str> {
    if value.is_nan() {
        return Err("NaN");
    }
    if value.is_infinite() {
        return Err(if value > 0.0 { "+Inf" } else { "-Inf" });
    }
    let is_negative_zero = value == 0.0 && value.is_sign_negative();
    let integer = if is_negative_zero { None } else { integral(value) };
    let number = integer.and_then(serde_json::Number::from_i128);
    number.or_else(|| serde_json::Number::from_f64(value)).ok_or("NaN")
}

/// The integer of 64 bits that is read from Go's JSON of a float, if that has neither point nor
/// exponent. It is not always the value: JSON has the shortest digits that say which float it is,
/// then zeros.
pub(crate) fn integral(value: f64) -> Option<i128> {
    integer(&value.to_string())
}
