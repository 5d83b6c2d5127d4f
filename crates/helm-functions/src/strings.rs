//! Strings: cutting, joining, searching.

use std::collections::HashSet;

use go_template::{Call, CallError, Elem, Entries, Functions, List, Map, Str, Type, Value, format};

use crate::arguments::{Outcome, any, from_len, int, ok, spend_letters, string, text};
use crate::convert::{to_str, to_strs};
use crate::error::FunctionError;

const S: Type = Type::String;
const I: Type = Type::INT;

pub(crate) fn register(f: &mut Functions) {
    f.add("hello", [], |_, _| ok("Hello!"));
    f.add("trim", [S], |_, a| ok(text(a, 0).trim()));
    for name in ["trimAll", "trimall"] {
        f.add(name, [S, S], |call, a| {
            spend_letters(call, string(a, 0).len().saturating_add(string(a, 1).len()))?;
            // A set, for either text may be long.
            let cut: HashSet<char> = text(a, 0).chars().collect();
            ok(text(a, 1).trim_matches(|c| cut.contains(&c)))
        });
    }
    f.add("trimSuffix", [S, S], |_, a| {
        let whole = string(a, 1);
        let end = whole.as_bytes().strip_suffix(string(a, 0).as_bytes());
        Ok(end.map_or_else(|| Value::Str(whole.clone()), Value::str))
    });
    f.add("trimPrefix", [S, S], |_, a| {
        let whole = string(a, 1);
        let rest = whole.as_bytes().strip_prefix(string(a, 0).as_bytes());
        Ok(rest.map_or_else(|| Value::Str(whole.clone()), Value::str))
    });
    f.add("contains", [S, S], |call, a| contains(call, string(a, 1), string(a, 0)));
    f.add("hasPrefix", [S, S], |_, a| {
        ok(string(a, 1).as_bytes().starts_with(string(a, 0).as_bytes()))
    });
    f.add("hasSuffix", [S, S], |_, a| {
        ok(string(a, 1).as_bytes().ends_with(string(a, 0).as_bytes()))
    });
    f.add("repeat", [I, S], |call, a| {
        let count =
            usize::try_from(int(a, 0)).map_err(|_negative| FunctionError::NegativeRepeat)?;
        let unit = string(a, 1).as_bytes();
        call.make(unit.len().saturating_mul(count))?;
        ok(Str::from(unit.repeat(count)))
    });
    f.add("replace", [S, S, S], |call, a| {
        let (old, new, whole) = (text(a, 0), text(a, 1), text(a, 2));
        let count = whole.matches(&*old).count();
        call.make(whole.len().saturating_add(count.saturating_mul(new.len())))?;
        if count == 0 {
            return ok(string(a, 2).clone());
        }
        ok(whole.replace(&*old, &new))
    });
    f.add("substr", [I, I, S], |_, a| substring(int(a, 0), int(a, 1), string(a, 2)));
    f.add("trunc", [I, S], |_, a| ok(truncate(int(a, 0), string(a, 1))));
    f.add("plural", [S, S, I], |_, a| ok(string(a, usize::from(int(a, 2) != 1)).clone()));
    f.add("indent", [I, S], |call, a| {
        call.make(indented_len(int(a, 0), string(a, 1)))?;
        ok(indent(int(a, 0), string(a, 1), "")?)
    });
    f.add("nindent", [I, S], |call, a| {
        call.make(indented_len(int(a, 0), string(a, 1)))?;
        ok(indent(int(a, 0), string(a, 1), "\n")?)
    });
    f.add_variadic("quote", [Type::Any], |call, a| {
        spaced(call, a, |value| go_quote::double(to_str(value).as_bytes()).into_bytes())
    });
    f.add_variadic("squote", [Type::Any], |call, a| {
        spaced(call, a, |value| [b"'", &*format::bytes(value), b"'"].concat())
    });
    f.add_variadic("cat", [Type::Any], |call, a| spaced(call, a, format::bytes));
    f.add("toString", [Type::Any], |_, a| ok(to_str(any(a, 0))));
    f.add("toStrings", [Type::Any], |_, a| match any(a, 0) {
        // A nil slice stays one.
        Value::List(list) if list.elem() == Elem::String => ok(list.clone()),
        other => ok(List::of_strings(to_strs(other))),
    });
    f.add("join", [S, Type::Any], |call, a| {
        let parts = to_strs(any(a, 1));
        let separator = string(a, 0).as_bytes();
        call.make(parts.iter().map(|part| part.len() + separator.len()).sum())?;
        let parts: Vec<&[u8]> = parts.iter().map(Str::as_bytes).collect();
        ok(Str::from(parts.join(separator)))
    });
    f.add("sortAlpha", [Type::Any], |call, a| {
        let parts = match any(a, 0) {
            Value::Nil => List::of_strings([to_str(&Value::Nil)]),
            // Flux: strings are sorted where they are, for everybody who has the list.
            Value::List(list) if list.elem() == Elem::String => list.clone(),
            value => List::of_strings(to_strs(value)),
        };
        // Texts may be alike but for their ends.
        let bytes: u64 = parts.iter().map(|part| to_str(part).len() as u64).sum();
        call.session.spend((bytes >> 6).saturating_mul(u64::from((parts.len() + 1).ilog2())))?;
        call.make(size_of_val(&*parts))?;
        parts.sort_strings();
        ok(parts)
    });
    f.add("splitList", [S, S], |call, a| {
        make_parts(call, string(a, 0), string(a, 1))?;
        ok(List::of_strings(split(string(a, 0), string(a, 1), -1)))
    });
    f.add("split", [S, S], |call, a| {
        make_parts(call, string(a, 0), string(a, 1))?;
        ok(numbered(split(string(a, 0), string(a, 1), -1)))
    });
    f.add("splitn", [S, I, S], |call, a| {
        make_parts(call, string(a, 0), string(a, 2))?;
        ok(numbered(split(string(a, 0), string(a, 2), int(a, 1))))
    });
}

/// To be called before a text is cut into parts: each is a text of its own.
fn make_parts(call: &mut Call<'_>, separator: &Str, whole: &Str) -> Result<(), CallError> {
    const PART_BYTES: usize = 64;
    let parts = match (separator.as_bytes(), whole.as_bytes()) {
        ([], whole) => whole.len(),
        ([byte], whole) => whole.split(|other| other == byte).count(),
        _ => match (separator.as_str(), whole.as_str()) {
            (Some(separator), Some(whole)) => whole.matches(separator).count(),
            _ => whole.len() / separator.len(),
        },
    };
    Ok(call.make(whole.len().saturating_add(parts.saturating_mul(PART_BYTES)))?)
}

fn contains(call: &mut Call<'_>, whole: &Str, part: &Str) -> Outcome {
    if let (Some(whole), Some(part)) = (whole.as_str(), part.as_str()) {
        return ok(whole.contains(part));
    }
    // Bytes that are no text are compared at each place.
    call.session.spend((whole.len() as u64).saturating_mul(part.len() as u64) >> 6)?;
    let mut places = whole.as_bytes().windows(part.len().max(1));
    ok(part.is_empty() || places.any(|place| place == part.as_bytes()))
}

/// Cuts at bytes, as Go slices strings; the bounds may panic there.
fn substring(start: i64, end: i64, whole: &Str) -> Outcome {
    let bytes = whole.as_bytes();
    let length = from_len(bytes.len());
    let (from, to) = match (start, end) {
        (..0, end) => (0, end),
        (start, end) if end < 0 || end > length => (start, length),
        (start, end) => (start, end),
    };
    let out_of = |bounds: String| FunctionError::Bounds(bounds);
    if to > length {
        return Err(FunctionError::BoundsOfLength { end: to, length }.into());
    }
    if to < 0 {
        return Err(out_of(format!(":{to}")).into());
    }
    if from > to {
        return Err(out_of(format!("{from}:{to}")).into());
    }
    let place = |at: i64| usize::try_from(at).unwrap_or(usize::MAX);
    ok(Str::from(bytes.get(place(from)..place(to)).unwrap_or_default()))
}

/// From the end if negative; never cuts into what is shorter already.
fn truncate(count: i64, whole: &Str) -> Str {
    let bytes = whole.as_bytes();
    let kept = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if kept >= bytes.len() {
        return whole.clone();
    }
    let range = if count < 0 { bytes.len() - kept..bytes.len() } else { 0..kept };
    Str::from(bytes.get(range).unwrap_or_default())
}

fn indented_len(spaces: i64, whole: &Str) -> usize {
    let lines = whole.as_bytes().split(|b| *b == b'\n').count();
    let spaces = usize::try_from(spaces).unwrap_or(0);
    whole.len().saturating_add(lines.saturating_mul(spaces)).saturating_add(1)
}

/// Indents every line, empty ones too.
fn indent(spaces: i64, whole: &Str, before: &str) -> Result<Str, FunctionError> {
    let spaces = usize::try_from(spaces).map_err(|_negative| FunctionError::NegativeRepeat)?;
    let mut out = Vec::with_capacity(indented_len(from_len(spaces), whole));
    out.extend_from_slice(before.as_bytes());
    for (i, line) in whole.as_bytes().split(|b| *b == b'\n').enumerate() {
        if i > 0 {
            out.push(b'\n');
        }
        out.resize(out.len() + spaces, b' ');
        out.extend_from_slice(line);
    }
    Ok(Str::from(out))
}

/// The values that are not nil, one space between them.
fn spaced(call: &mut Call<'_>, values: &[Value], print: impl Fn(&Value) -> Vec<u8>) -> Outcome {
    let most = call.session.budget().value_bytes;
    let mut out = Vec::new();
    for (i, value) in values.iter().filter(|value| !value.is_nil()).enumerate() {
        let part = print(value);
        if i == 0 {
            out = part;
        } else {
            out.push(b' ');
            out.extend(part);
        }
        if out.len() > most {
            call.make(out.len())?;
        }
    }
    ok(Str::from(out))
}

/// Go's `strings.SplitN`: characters if the separator is empty, nothing if `n` is 0.
fn split(separator: &Str, whole: &Str, n: i64) -> Vec<Str> {
    if n == 0 {
        return Vec::new();
    }
    let most = usize::try_from(n).unwrap_or(usize::MAX);
    let whole = whole.to_text();
    let separator = separator.to_text();
    if !separator.is_empty() {
        return whole.splitn(most, &*separator).map(Str::from).collect();
    }
    let mut parts: Vec<Str> = Vec::new();
    let mut rest = &*whole;
    while let Some(c) = rest.chars().next() {
        if parts.len() + 1 == most {
            parts.push(Str::from(rest));
            break;
        }
        let (part, after) = rest.split_at(c.len_utf8());
        parts.push(Str::from(part));
        rest = after;
    }
    parts
}

/// `_0`, `_1` …
fn numbered(parts: Vec<Str>) -> Map {
    let entries: Entries = parts
        .into_iter()
        .enumerate()
        .map(|(i, part)| (Str::from(format!("_{i}")), Value::Str(part)))
        .collect();
    Map::typed(Elem::String, entries)
}
