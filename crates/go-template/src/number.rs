//! Number literals: each is kept as every kind that can hold it, as Go's ideal constants are.

/// A number as written, and what it is worth as each of Go's kinds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Number {
    pub(crate) text: Box<str>,
    pub(crate) int: Option<i64>,
    pub(crate) uint: Option<u64>,
    pub(crate) float: Option<f64>,
    pub(crate) complex: Option<(f64, f64)>,
}

/// Why a literal is not a number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// Too large for 64 bits, and not written as a fraction.
    #[error("integer overflow: {}", go_quote::double(.0.as_bytes()))]
    Overflow(String),
    /// No number at all.
    #[error("illegal number syntax: {}", go_quote::double(.0.as_bytes()))]
    Illegal(String),
    /// More than one character between the quotes.
    #[error("malformed character constant: {0}")]
    MalformedCharacter(String),
    /// A bad escape, or no character.
    #[error(transparent)]
    Character(#[from] go_quote::InvalidSyntax),
}

impl Number {
    /// `'a'`
    pub(crate) fn character(text: &str) -> Result<Self, NumberError> {
        let inner = text.get(1..).unwrap_or_default();
        let (unit, tail) = go_quote::unquote_char(inner, '\'')?;
        if tail != "'" {
            return Err(NumberError::MalformedCharacter(text.to_owned()));
        }
        let code = unit.code();
        Ok(Self {
            text: text.into(),
            int: Some(code),
            uint: u64::try_from(code).ok(),
            float: Some(to_float(code)),
            complex: None,
        })
    }

    /// `1+2i`
    pub(crate) fn complex(text: &str) -> Result<Self, NumberError> {
        let illegal = || NumberError::Illegal(text.to_owned());
        let body = text.strip_suffix('i').ok_or_else(illegal)?;
        // The sign that parts the two is the last one that does not belong to an exponent.
        let split = body
            .char_indices()
            .rfind(|(at, c)| {
                let before = body.get(..*at).unwrap_or_default();
                matches!(c, '+' | '-') && *at > 0 && !before.ends_with(['e', 'E', 'p', 'P'])
            })
            .map(|(at, _)| at)
            .ok_or_else(illegal)?;
        let (real, imaginary) = body.split_at(split);
        let real = parse_float(real).ok_or_else(illegal)?;
        let imaginary = parse_float(imaginary).ok_or_else(illegal)?;
        Ok(Self::from_complex(text, real, imaginary))
    }

    /// Anything else.
    pub(crate) fn plain(text: &str) -> Result<Self, NumberError> {
        if let Some(imaginary) = text.strip_suffix('i').and_then(parse_float) {
            return Ok(Self::from_complex(text, 0.0, imaginary));
        }
        let mut uint = parse_uint(text);
        let int = parse_int(text);
        if int == Some(0) {
            uint = Some(0); // `-0`
        }
        let mut number = Self {
            text: text.into(),
            int,
            uint,
            float: int.map(to_float).or_else(|| uint.map(unsigned_to_float)),
            complex: None,
        };
        if number.float.is_none() {
            let float = parse_float(text).ok_or_else(|| NumberError::Illegal(text.to_owned()))?;
            if !text.contains(['.', 'e', 'E', 'p', 'P']) {
                return Err(NumberError::Overflow(text.to_owned()));
            }
            number.float = Some(float);
            number.int = float_to_int(float);
            number.uint = float_to_uint(float);
        }
        Ok(number)
    }

    /// A complex number without an imaginary part is a plain one too.
    fn from_complex(text: &str, real: f64, imaginary: f64) -> Self {
        let float = (imaginary == 0.0).then_some(real);
        Self {
            text: text.into(),
            int: float.and_then(float_to_int),
            uint: float.and_then(float_to_uint),
            float,
            complex: Some((real, imaginary)),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "Go converts so")]
fn to_float(number: i64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "Go converts so")]
fn unsigned_to_float(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_possible_truncation, clippy::float_cmp, reason = "the comparison tells")]
fn float_to_int(float: f64) -> Option<i64> {
    let whole = float as i64;
    (to_float(whole) == float && whole != i64::MAX).then_some(whole)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "the comparison tells"
)]
fn float_to_uint(float: f64) -> Option<u64> {
    let whole = float as u64;
    (unsigned_to_float(whole) == float && whole != u64::MAX).then_some(whole)
}

/// Go's `strconv.ParseUint(text, 0, 64)`: a prefix gives the base, underscores may part digits.
pub fn parse_uint(text: &str) -> Option<u64> {
    let (digits, radix, prefixed) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (text.get(2..)?, 16, true),
        [b'0', b'o' | b'O', ..] => (text.get(2..)?, 8, true),
        [b'0', b'b' | b'B', ..] => (text.get(2..)?, 2, true),
        [b'0', _, ..] => (text.get(1..)?, 8, true),
        _ => (text, 10, false),
    };
    let digits = without_underscores(digits, prefixed)?;
    // Rust would accept a sign of its own here.
    if digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(&digits, radix).ok()
}

/// Go's `strconv.ParseInt(text, 0, 64)`.
pub fn parse_int(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude = parse_uint(digits)?;
    if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// An underscore must stand between digits, or between a base prefix and a digit.
fn without_underscores(digits: &str, prefixed: bool) -> Option<String> {
    let mut previous = if prefixed { '0' } else { '_' };
    for c in digits.chars() {
        if c == '_' && previous == '_' {
            return None;
        }
        previous = c;
    }
    (previous != '_').then(|| digits.replace('_', ""))
}

/// Go's `strconv.ParseFloat`, hexadecimal floats included; infinities and overflow are refused.
pub fn parse_float(text: &str) -> Option<f64> {
    let (sign, magnitude) = match text.as_bytes().first()? {
        b'-' => (-1.0, text.get(1..)?),
        b'+' => (1.0, text.get(1..)?),
        _ => (1.0, text),
    };
    let float =
        if let Some(hex) = magnitude.strip_prefix("0x").or_else(|| magnitude.strip_prefix("0X")) {
            parse_hex_float(hex)?
        } else {
            if !magnitude.bytes().all(|b| b.is_ascii_digit() || b"._eE+-".contains(&b)) {
                return None;
            }
            parted(magnitude, |c| c.is_ascii_digit())?.parse::<f64>().ok()?
        };
    float.is_finite().then_some(sign * float)
}

/// The text without its underscores, each of which must stand between two digits.
fn parted(text: &str, is_digit: impl Fn(char) -> bool) -> Option<String> {
    let mut previous = '_';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next_is_digit = chars.peek().copied().is_some_and(&is_digit);
        if c == '_' && !(is_digit(previous) && next_is_digit) {
            return None;
        }
        previous = c;
    }
    Some(text.replace('_', ""))
}

fn parse_hex_float(hex: &str) -> Option<f64> {
    // The prefix counts as a digit: an underscore may follow it.
    let hex = parted(&format!("0{hex}"), |c| c.is_ascii_hexdigit())?;
    let at = hex.find(['p', 'P'])?;
    let (mantissa, exponent) = (hex.get(1..at)?, hex.get(at + 1..)?);
    let mut exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || digits.len() > 32 {
        return None;
    }
    let mut bits = 0_u128;
    for c in digits.chars() {
        bits = bits.checked_mul(16)?.checked_add(u128::from(c.to_digit(16)?))?;
    }
    exponent = exponent.checked_sub(4 * i32::try_from(fraction.len()).ok()?)?;
    #[expect(clippy::cast_precision_loss, reason = "rounding to the nearest is what Go does too")]
    let float = bits as f64;
    Some(float * 2_f64.powi(exponent))
}
