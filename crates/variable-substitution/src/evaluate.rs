//! Parts to text.

use crate::expression::{Case, End, Expression, Operation, Part, Which};
use crate::{Error, Options, glob};

/// Larger objects cannot be applied anyhow.
const MAX_BYTES: usize = 64 << 20;

type Lookup<'l, 'a> = &'l dyn Fn(&str) -> Option<&'a str>;

/// The text that parts make.
pub(crate) fn text(
    parts: &[Part],
    lookup: Lookup<'_, '_>,
    options: Options,
) -> Result<String, Error> {
    let mut text = String::new();
    for part in parts {
        let value;
        let piece = match part {
            Part::Text(piece) => piece,
            Part::Expression(expression) => {
                value = evaluate(expression, lookup, options)?;
                &value
            }
        };
        check_size(text.len().saturating_add(piece.len()))?;
        text.push_str(piece);
    }
    Ok(text)
}

/// Flux: operands are evaluated although they may not be needed, so a default that names a missing
/// variable fails even if nobody asks for it (envsubst, eval.go).
fn evaluate(
    Expression { name, operation }: &Expression,
    lookup: Lookup<'_, '_>,
    options: Options,
) -> Result<String, Error> {
    let operand = |part: &Part| text(std::slice::from_ref(part), lookup, options);
    let value = || match lookup(name) {
        Some(value) => Ok(value),
        None if options.strict => Err(Error::NotSet { name: name.clone() }),
        None => Ok(""),
    };
    match operation {
        Operation::Value => Ok(value()?.to_owned()),
        Operation::Length => Ok(value()?.len().to_string()),
        Operation::Case(case) => Ok(in_case(value()?, *case)),
        Operation::Default(parts) => {
            let default = text(parts, lookup, options)?;
            let set = lookup(name).filter(|value| !value.is_empty());
            Ok(set.map_or(default, str::to_owned))
        }
        Operation::Substring { offset, length } => {
            let offset = operand(offset)?;
            let length = length.as_ref().map(operand).transpose()?;
            Ok(substring(value()?, &offset, length.as_deref()))
        }
        Operation::Trim { end, longest, pattern } => {
            let pattern = operand(pattern)?;
            trim(value()?, *end, *longest, &pattern)
        }
        Operation::Replace { which, pattern, replacement } => {
            let pattern = operand(pattern)?;
            let replacement = replacement.as_ref().map(operand).transpose()?;
            replace(value()?, *which, &pattern, replacement.as_deref())
        }
    }
}

fn check_size(bytes: usize) -> Result<(), Error> {
    if bytes > MAX_BYTES { Err(Error::TooLarge { limit_bytes: MAX_BYTES }) } else { Ok(()) }
}

fn in_case(value: &str, case: Case) -> String {
    let map_first = |map: fn(char) -> char| {
        let mut chars = value.chars();
        chars.next().map(map).into_iter().chain(chars).collect()
    };
    match case {
        Case::Upper => value.chars().map(upper).collect(),
        Case::Lower => value.chars().map(lower).collect(),
        Case::FirstUpper => map_first(upper),
        Case::FirstLower => map_first(lower),
        Case::AsIs => value.to_owned(),
    }
}

/// Go maps each character to one; those that would become several stay.
fn upper(c: char) -> char {
    let mut mapped = c.to_uppercase();
    mapped.next().filter(|_| mapped.next().is_none()).unwrap_or(c)
}

fn lower(c: char) -> char {
    let mut mapped = c.to_lowercase();
    mapped.next().filter(|_| mapped.next().is_none()).unwrap_or(c)
}

/// Counts in bytes; a negative offset or length counts from the end. What is no number makes it do
/// nothing.
fn substring(value: &str, offset: &str, length: Option<&str>) -> String {
    let size = i64::try_from(value.len()).unwrap_or(i64::MAX);
    let from_end = |at: i64| if at < 0 { size.saturating_add(at).max(0) } else { at.min(size) };
    let Ok(start) = offset.parse::<i64>().map(from_end) else { return value.to_owned() };
    let end = match length.map(str::parse::<i64>) {
        None => size,
        Some(Err(_)) => return value.to_owned(),
        Some(Ok(length)) if length < 0 => from_end(length),
        Some(Ok(length)) => start.saturating_add(length).min(size),
    };
    let index = |at: i64| usize::try_from(at).unwrap_or(usize::MAX);
    let bytes = value.as_bytes().get(index(start)..index(end)).unwrap_or_default();
    String::from_utf8_lossy(bytes).into_owned()
}

/// Flux: a suffix is trimmed by turning value and pattern round, so a pattern with classes or
/// escapes is no longer one (envsubst, funcs.go).
fn trim(value: &str, end: End, longest: bool, pattern: &str) -> Result<String, Error> {
    let turned = |text: &str| text.chars().rev().collect::<String>();
    match end {
        End::Prefix => {
            let bytes = glob::prefix_bytes(pattern, value, longest)?;
            Ok(value[bytes..].to_owned())
        }
        End::Suffix => {
            let bytes = glob::prefix_bytes(&turned(pattern), &turned(value), longest)?;
            Ok(value[..value.len() - bytes].to_owned())
        }
    }
}

/// Patterns are taken literally.
fn replace(
    value: &str,
    which: Which,
    pattern: &str,
    replacement: Option<&str>,
) -> Result<String, Error> {
    let new = replacement.unwrap_or_default();
    let count = match which {
        Which::All => value.matches(pattern).count(),
        Which::First | Which::Prefix | Which::Suffix => 1,
    };
    check_size(value.len().saturating_add(count.saturating_mul(new.len())))?;
    Ok(match which {
        Which::All => value.replace(pattern, new),
        Which::First => value.replacen(pattern, new, 1),
        // Flux: with nothing to replace it by, what stands at an end stays (envsubst, funcs.go).
        Which::Prefix | Which::Suffix if replacement.is_none() => value.to_owned(),
        Which::Prefix => match value.strip_prefix(pattern) {
            Some(rest) => format!("{new}{rest}"),
            None => value.to_owned(),
        },
        Which::Suffix => match value.strip_suffix(pattern) {
            Some(rest) => format!("{rest}{new}"),
            None => value.to_owned(),
        },
    })
}
