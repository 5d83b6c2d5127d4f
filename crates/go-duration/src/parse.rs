//! Go's notation, read.

use crate::Duration;

/// Why a text is no duration; worded as Go words it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is empty, has no digits where some must be, or is too long a time.
    #[error("time: invalid duration {}", quoted(.0))]
    Invalid(String),
    /// A number has no unit.
    #[error("time: missing unit in duration {}", quoted(.0))]
    MissingUnit(String),
    /// A number has a unit that there is not.
    #[error("time: unknown unit {} in duration {}", quoted(.unit), quoted(.text))]
    UnknownUnit {
        /// The unit as it was written.
        unit: String,
        /// The whole text.
        text: String,
    },
}

/// Reads a duration: an optional sign, then numbers with units, as in `1h30m` or `-1.5s`; or `0`.
///
/// # Errors
/// If Go would refuse it.
pub fn parse(text: &str) -> Result<Duration, Error> {
    let invalid = || Error::Invalid(text.to_owned());
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if unsigned == "0" {
        return Ok(Duration::default());
    }
    if unsigned.is_empty() {
        return Err(invalid());
    }
    let mut sum = 0_u64;
    let mut rest = unsigned;
    while !rest.is_empty() {
        let (number, after) = Number::read(rest).ok_or_else(invalid)?;
        let end = after.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        if unit.is_empty() {
            return Err(Error::MissingUnit(text.to_owned()));
        }
        let nanoseconds = unit_nanoseconds(unit)
            .ok_or_else(|| Error::UnknownUnit { unit: unit.to_owned(), text: text.to_owned() })?;
        let part = number.times(nanoseconds).ok_or_else(invalid)?;
        sum = sum.checked_add(part).filter(|sum| *sum <= LONGEST).ok_or_else(invalid)?;
        rest = after;
    }
    let nanoseconds = match i64::try_from(sum) {
        Ok(sum) if negative => -sum,
        Ok(sum) => sum,
        // The shortest duration has no positive counterpart.
        Err(_too_long) if negative => i64::MIN,
        Err(_too_long) => return Err(invalid()),
    };
    Ok(Duration::from_nanos(nanoseconds))
}

const LONGEST: u64 = 1 << 63;

fn unit_nanoseconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        // The micro sign and the Greek letter mu look alike.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// A decimal number: what stands before the point, and after it.
struct Number {
    whole: u64,
    fraction: u64,
    /// What the fraction is to be divided by.
    scale: f64,
}

impl Number {
    /// Reads a number from the start of a text, and answers what follows. None if there is no digit
    /// or the whole part is out of range.
    fn read(text: &str) -> Option<(Self, &str)> {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let (whole_text, rest) = text.split_at(digits(text));
        let mut number = Self { whole: 0, fraction: 0, scale: 1.0 };
        for digit in whole_text.bytes() {
            number.whole = number.whole.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
            if number.whole > LONGEST {
                return None;
            }
        }
        let Some(after_point) = rest.strip_prefix('.') else {
            return (!whole_text.is_empty()).then_some((number, rest));
        };
        let (fraction_text, rest) = after_point.split_at(digits(after_point));
        if whole_text.is_empty() && fraction_text.is_empty() {
            return None;
        }
        for digit in fraction_text.bytes() {
            // Go reads as many digits as fit into 63 bits and skips the others.
            let next = number
                .fraction
                .checked_mul(10)
                .and_then(|f| f.checked_add(u64::from(digit - b'0')));
            match next.filter(|next| *next < LONGEST) {
                Some(next) => number.fraction = next,
                None => break,
            }
            number.scale *= 10.0;
        }
        Some((number, rest))
    }

    /// The number times a unit, in nanoseconds; none if that is out of range.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "Go computes the fraction in floating point, and it is below one unit"
    )]
    fn times(&self, unit: u64) -> Option<u64> {
        let whole = self.whole.checked_mul(unit).filter(|whole| *whole <= LONGEST)?;
        let fraction = (self.fraction as f64 * (unit as f64 / self.scale)) as u64;
        whole.checked_add(fraction).filter(|sum| *sum <= LONGEST)
    }
}

/// A text in quotes, as Go's `time` package quotes it: other than printable ASCII is escaped.
fn quoted(text: &str) -> String {
    use std::fmt::Write as _;
    let mut quoted = String::from('"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                quoted.push('\\');
                quoted.push(char::from(byte));
            }
            b' '..=b'~' => quoted.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(quoted, "\\x{byte:02x}")),
        }
    }
    quoted.push('"');
    quoted
}
