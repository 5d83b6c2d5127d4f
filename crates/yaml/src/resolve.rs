//! What a plain scalar means.

use crate::number;

/// Which version of YAML decides what a plain scalar means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// YAML 1.1, as `sigs.k8s.io/yaml` reads: `yes` and `on` are true.
    Sigs,
    /// YAML 1.2 for the most part, as kustomize reads: only `true` is true.
    Kyaml,
}

/// What a scalar means.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    /// A date or time; stays the string that it was, but a printer must quote such a string.
    Timestamp,
    Text,
}

impl Dialect {
    /// What a plain scalar without a tag means.
    pub(crate) fn resolve(self, text: &str) -> Scalar {
        let Some(first) = text.bytes().next() else { return Scalar::Null };
        match first {
            b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => {
                self.word(text)
            }
            b'.' => special_float(text)
                .or_else(|| number::float(text).map(Scalar::Float))
                .unwrap_or(Scalar::Text),
            b'0'..=b'9' | b'+' | b'-' => special_float(text).unwrap_or_else(|| numeric(text)),
            _ => Scalar::Text,
        }
    }

    fn word(self, text: &str) -> Scalar {
        match text {
            "~" | "null" | "Null" | "NULL" => Scalar::Null,
            "true" | "True" | "TRUE" => Scalar::Bool(true),
            "false" | "False" | "FALSE" => Scalar::Bool(false),
            "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" if self == Self::Sigs => {
                Scalar::Bool(true)
            }
            "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" if self == Self::Sigs => {
                Scalar::Bool(false)
            }
            _ => Scalar::Text,
        }
    }
}

fn special_float(text: &str) -> Option<Scalar> {
    Some(Scalar::Float(match text {
        ".nan" | ".NaN" | ".NAN" => f64::NAN,
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => f64::INFINITY,
        "-.inf" | "-.Inf" | "-.INF" => f64::NEG_INFINITY,
        _ => return None,
    }))
}

fn numeric(text: &str) -> Scalar {
    if is_timestamp(text) {
        return Scalar::Timestamp;
    }
    let without_underscores;
    let plain = if text.contains('_') {
        without_underscores = text.replace('_', "");
        &without_underscores
    } else {
        text
    };
    if let Some(integer) = number::integer(plain) {
        return Scalar::Integer(integer);
    }
    number::float(plain).map_or(Scalar::Text, Scalar::Float)
}

/// Whether a text is a date, or a date with a time, that exists.
pub(crate) fn is_timestamp(text: &str) -> bool {
    // Four digits and a dash, or it costs nothing to say no.
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
        return false;
    }
    let (date, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some((text.as_bytes()[at], &text[at + 1..]))),
        None => (text, None),
    };
    is_date(date) && time.is_none_or(|(separator, time)| is_time(separator, time))
}

fn is_date(text: &str) -> bool {
    let mut parts =
        text.split('-').map(|part| part.parse::<u16>().ok().filter(|_| part.len() <= 4));
    let (Some(Some(year)), Some(Some(month)), Some(Some(day)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    let narrow = text.split('-').skip(1).all(|part| part.len() <= 2);
    narrow && (1..=days).contains(&day)
}

/// With `T` a zone must follow, with a space none may.
fn is_time(separator: u8, text: &str) -> bool {
    let (clock, zone) = match text.find(['Z', '+', '-']) {
        Some(at) => (&text[..at], Some(&text[at..])),
        None => (text, None),
    };
    let zone_fits = match (separator, zone) {
        (b' ', None) => true,
        (b' ', Some(_)) | (_, None) => false,
        (_, Some("Z")) => true,
        (_, Some(offset)) => is_clock(&offset[1..], 2),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    zone_fits
        && is_clock(clock, 3)
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_clock(text: &str, parts: usize) -> bool {
    let limits = [24, 60, 60];
    text.split(':').count() == parts
        && text.split(':').zip(limits).all(|(part, limit)| {
            (1..=2).contains(&part.len()) && part.parse::<u8>().is_ok_and(|value| value < limit)
        })
}
