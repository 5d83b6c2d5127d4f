//! What a plain scalar means.

use crate::{number, timestamp};

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
    if timestamp::is_timestamp(text) {
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
