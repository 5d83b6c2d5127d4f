//! What is wrong with a value, in the words of the library that Helm 4 uses.

use std::fmt::{self, Write as _};

use serde_json::Value;

use super::path::Path;

/// Limit: what is said beyond so many bytes is left out.
const MAX_REPORT_BYTES: usize = 1 << 20;

/// A value that does not meet a schema.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) at: Path,
    pub(super) kind: Kind,
    /// What the failure consists of.
    pub(super) causes: Vec<Self>,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// Several failures of one schema.
    Group,
    /// A failure behind a reference; shown only if it has several causes.
    Reference,
    Not,
    AllOf,
    AnyOf,
    OneOfNone,
    OneOfTwo(usize, usize),
    FalseSchema,
    RefCycle,
    Type {
        got: &'static str,
        want: Vec<&'static str>,
    },
    Enum(Vec<Value>),
    Const(Value),
    Format {
        got: Value,
        want: String,
        /// Why it is not; nothing where that is not told.
        why: String,
    },
    /// A number against a limit: `minimum` and the like.
    Number {
        keyword: &'static str,
        got: f64,
        want: f64,
    },
    /// A number of things against a limit: `minItems` and the like.
    Count {
        keyword: &'static str,
        got: f64,
        want: f64,
    },
    AdditionalItems(usize),
    Required(Vec<String>),
    Dependency {
        of: String,
        missing: Vec<String>,
    },
    AdditionalProperties(Vec<String>),
    PropertyName(String),
    UniqueItems(usize, usize),
    Contains,
    MinContains {
        got: Vec<usize>,
        want: f64,
    },
    MaxContains {
        got: Vec<usize>,
        want: f64,
    },
    Pattern {
        got: String,
        want: String,
    },
}

impl Failure {
    /// The whole tree, a line for each failure, as Helm prints it.
    pub(super) fn report(&self) -> String {
        let mut out = String::new();
        if matches!(self.kind, Kind::Group) {
            self.causes.iter().for_each(|cause| cause.print(0, &mut out));
        } else {
            self.print(0, &mut out);
        }
        out
    }

    /// Limit: recursion, as deep as validation went.
    fn print(&self, indent: usize, out: &mut String) {
        if out.len() > MAX_REPORT_BYTES {
            return;
        }
        let hidden = matches!(self.kind, Kind::Reference) && self.causes.len() == 1;
        if !hidden {
            let mut path = String::new();
            for token in self.at.tokens() {
                path.push('/');
                path.push_str(&token.replace('~', "~0").replace('/', "~1"));
            }
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{}- at {}: {}", "  ".repeat(indent), quoted(&path), self.kind);
        }
        let indent = if hidden { indent } else { indent + 1 };
        self.causes.iter().for_each(|cause| cause.print(indent, out));
    }
}

impl Kind {
    /// Bytes that are kept to tell it, roughly.
    pub(super) fn weight(&self) -> usize {
        const PART: usize = 24;
        let of_texts = |texts: &[String]| texts.iter().map(|text| text.len() + PART).sum();
        match self {
            Self::Group
            | Self::Reference
            | Self::Not
            | Self::AllOf
            | Self::AnyOf
            | Self::OneOfNone
            | Self::OneOfTwo(..)
            | Self::FalseSchema
            | Self::RefCycle
            | Self::Type { .. }
            | Self::Number { .. }
            | Self::Count { .. }
            | Self::AdditionalItems(_)
            | Self::UniqueItems(..)
            | Self::Contains => 0,
            Self::Enum(values) => values.iter().map(weight).sum(),
            Self::Const(value) => weight(value),
            Self::Format { got, want, why } => weight(got) + want.len() + why.len(),
            Self::Required(names) | Self::AdditionalProperties(names) => of_texts(names),
            Self::Dependency { of, missing } => of.len() + of_texts(missing),
            Self::PropertyName(name) => name.len(),
            Self::MinContains { got, .. } | Self::MaxContains { got, .. } => got.len() * PART,
            Self::Pattern { got, want } => got.len() + want.len(),
        }
    }
}

/// Bytes that a value takes, roughly.
fn weight(value: &Value) -> usize {
    const PART: usize = 40;
    PART + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(members) => {
            members.iter().map(|(key, value)| key.len() + PART + weight(value)).sum()
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group | Self::Reference => f.write_str("validation failed"),
            Self::Not => f.write_str("'not' failed"),
            Self::AllOf => f.write_str("'allOf' failed"),
            Self::AnyOf => f.write_str("'anyOf' failed"),
            Self::OneOfNone => f.write_str("'oneOf' failed, none matched"),
            Self::OneOfTwo(a, b) => write!(f, "'oneOf' failed, subschemas {a}, {b} matched"),
            Self::FalseSchema => f.write_str("false schema"),
            Self::RefCycle => f.write_str("references form a cycle"),
            Self::Type { got, want } => write!(f, "got {got}, want {}", want.join(" or ")),
            Self::Enum(values) if !values.iter().all(is_primitive) => f.write_str("'enum' failed"),
            Self::Enum(values) => {
                let shown: Vec<String> = values.iter().map(shown).collect();
                let one_of = if shown.len() == 1 { "" } else { "one of " };
                write!(f, "value must be {one_of}{}", shown.join(", "))
            }
            Self::Const(value) if !is_primitive(value) => f.write_str("'const' failed"),
            Self::Const(value) => write!(f, "value must be {}", shown(value)),
            Self::Format { got, want, why } => {
                write!(f, "{} is not valid {want}: {why}", shown(got))
            }
            Self::Number { keyword, got, want } => {
                write!(f, "{keyword}: got {}, want {}", number(*got), number(*want))
            }
            Self::Count { keyword, got, want } => {
                write!(f, "{keyword}: got {}, want {}", grouped(*got), grouped(*want))
            }
            Self::AdditionalItems(count) => {
                write!(f, "last {count} additionalItem(s) not allowed")
            }
            Self::Required(missing) => match missing.as_slice() {
                [one] => write!(f, "missing property {}", quoted(one)),
                many => write!(f, "missing properties {}", all_quoted(many)),
            },
            Self::Dependency { of, missing } => {
                let missing = all_quoted(missing);
                write!(f, "properties {missing} required, if {} exists", quoted(of))
            }
            Self::AdditionalProperties(names) => {
                write!(f, "additional properties {} not allowed", all_quoted(names))
            }
            Self::PropertyName(name) => write!(f, "invalid propertyName {}", quoted(name)),
            Self::UniqueItems(a, b) => write!(f, "items at {a} and {b} are equal"),
            Self::Contains => f.write_str("no items match contains schema"),
            Self::MinContains { got, want } if got.is_empty() => {
                let but = "items required to match contains schema, but none matched";
                write!(f, "min {} {but}", grouped(*want))
            }
            Self::MinContains { got, want } => write_contains(f, "min", got, *want),
            Self::MaxContains { got, want } => write_contains(f, "max", got, *want),
            Self::Pattern { got, want } => {
                write!(f, "{} does not match pattern {}", quoted(got), quoted(want))
            }
        }
    }
}

fn write_contains(
    f: &mut fmt::Formatter<'_>,
    which: &str,
    got: &[usize],
    want: f64,
) -> fmt::Result {
    let places: Vec<String> = got.iter().map(ToString::to_string).collect();
    let (want, matched, places) = (grouped(want), got.len(), places.join(" "));
    let required = "items required to match contains schema, but matched";
    write!(f, "{which} {want} {required} {matched} items at {places}")
}

const fn is_primitive(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => quoted(text),
        Value::Number(number) => {
            number.as_f64().map_or_else(|| number.to_string(), |f| f.to_string())
        }
        Value::Bool(flag) => flag.to_string(),
        Value::Array(_) | Value::Object(_) => "value".to_owned(),
    }
}

/// As Helm prints a float for readers of English: very large and small ones as a power of ten.
fn number(number: f64) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    if exponent.parse().is_ok_and(|exponent: i32| (-4..6).contains(&exponent)) {
        return grouped(number);
    }
    let (sign, exponent) = exponent.strip_prefix('-').map_or(("", exponent), |rest| ("⁻", rest));
    let raised = format!("{exponent:0>2}");
    let raised = raised.bytes().filter_map(|digit| DIGITS.get(usize::from(digit - b'0')));
    format!("{mantissa}×10{sign}{}", raised.collect::<String>())
}

/// A number with a comma before every third digit: Helm prints for readers of English.
fn grouped(number: f64) -> String {
    let text = number.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut out = sign.to_owned();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// The text between single quotes; what cannot be printed is escaped.
pub(super) fn quoted(text: &str) -> String {
    let text = crate::quote::quoted(text).replace("\\\"", "\"").replace('\'', "\\'");
    format!("'{}'", &text[1..text.len() - 1])
}

fn all_quoted(texts: &[String]) -> String {
    texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")
}
