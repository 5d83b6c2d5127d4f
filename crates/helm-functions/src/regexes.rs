//! Regular expressions.

use std::collections::HashMap;
use std::sync::Arc;

use go_regex::Regex;
use go_template::{Call, CallError, Functions, List, Type, Value};

use crate::arguments::{int, ok, text};
use crate::error::FunctionError;
use crate::host::helm;

const S: Type = Type::String;
const I: Type = Type::INT;

pub(crate) fn register(f: &mut Functions) {
    f.add("regexMatch", [S, S], |call, a| {
        let (re, whole) = (compiled(call, &text(a, 0))?, text(a, 1));
        spend_match(call, &whole)?;
        ok(re.is_ok_and(|re| re.is_match(&whole)))
    });
    f.add("mustRegexMatch", [S, S], |call, a| {
        let (re, whole) = (expression(call, &text(a, 0), true)?, text(a, 1));
        spend_match(call, &whole)?;
        ok(re.is_match(&whole))
    });
    f.add("regexQuoteMeta", [S], |_, a| ok(go_regex::quote_meta(&text(a, 0))));
    for (plain, must) in [("regexFindAll", false), ("mustRegexFindAll", true)] {
        f.add(plain, [S, S, I], move |call, a| {
            let (re, whole) = (expression(call, &text(a, 0), must)?, text(a, 1));
            spend_match(call, &whole)?;
            call.make(whole.len().saturating_mul(8))?;
            ok(list(re.find_all(&whole, int(a, 2))))
        });
    }
    for (name, must) in [("regexSplit", false), ("mustRegexSplit", true)] {
        f.add(name, [S, S, I], move |call, a| {
            let (re, whole) = (expression(call, &text(a, 0), must)?, text(a, 1));
            spend_match(call, &whole)?;
            call.make(whole.len().saturating_mul(8))?;
            ok(list(re.split(&whole, int(a, 2))))
        });
    }
    for (name, must) in [("regexFind", false), ("mustRegexFind", true)] {
        f.add(name, [S, S], move |call, a| {
            let (re, whole) = (expression(call, &text(a, 0), must)?, text(a, 1));
            spend_match(call, &whole)?;
            ok(re.find(&whole).and_then(|range| whole.get(range)).unwrap_or_default())
        });
    }
    for (name, must) in [("regexReplaceAll", false), ("mustRegexReplaceAll", true)] {
        f.add(name, [S, S, S], move |call, a| {
            let (re, whole, with) = (expression(call, &text(a, 0), must)?, text(a, 1), text(a, 2));
            spend_match(call, &whole)?;
            call.make(replaced_len(&re, &whole, &with))?;
            ok(re.replace_all(&whole, &with))
        });
    }
    for (name, must) in [("regexReplaceAllLiteral", false), ("mustRegexReplaceAllLiteral", true)] {
        f.add(name, [S, S, S], move |call, a| {
            let (re, whole, with) = (expression(call, &text(a, 0), must)?, text(a, 1), text(a, 2));
            spend_match(call, &whole)?;
            call.make(replaced_len(&re, &whole, &with))?;
            ok(re.replace_all_literal(&whole, &with))
        });
    }
}

/// As large as the result can be: each match is replaced, and each `$` may stand for the whole text.
fn replaced_len(re: &Regex, whole: &str, with: &str) -> usize {
    let copies = 1 + with.matches('$').count();
    let matches = if with.is_empty() { 0 } else { re.count(whole) };
    whole.len().saturating_mul(copies).saturating_add(matches.saturating_mul(with.len()))
}

fn list(parts: Option<Vec<&str>>) -> Value {
    match parts {
        Some(parts) => Value::List(List::of_strings(parts)),
        None => Value::List(List::nil(go_template::Elem::String)),
    }
}

/// The functions without `must` say in their errors that they insist.
fn expression(call: &mut Call<'_>, pattern: &str, must: bool) -> Result<Arc<Regex>, CallError> {
    compiled(call, pattern)?.map_err(|error| {
        if must {
            return FunctionError::Regex(error).into();
        }
        let quotable = !pattern.contains('`') && !pattern.chars().any(char::is_control);
        let pattern =
            if quotable { format!("`{pattern}`") } else { go_quote::double(pattern.as_bytes()) };
        FunctionError::MustCompile { pattern, error }.into()
    })
}

/// Compiled expressions of one rendering.
pub(crate) type Cache = HashMap<String, Arc<Regex>>;

/// Limit: when so many are kept, all are dropped.
const MOST_KEPT: usize = 64;
/// Limit: large ones are dropped more often; each may take some MiB.
const MOST_LARGE_KEPT: usize = 8;

/// Steps for compiling an expression, which costs far more than matching it.
const COMPILE_STEPS: u64 = 4_000;
/// Steps for compiling one that is large or too large.
const COMPILE_LARGE_STEPS: u64 = 200_000;

/// The outer error is of the budget, the inner one of the pattern.
fn compiled(
    call: &mut Call<'_>,
    pattern: &str,
) -> Result<Result<Arc<Regex>, go_regex::Error>, CallError> {
    if let Some(re) = helm(call)?.regexes.get(pattern) {
        return Ok(Ok(Arc::clone(re)));
    }
    call.session.spend(COMPILE_STEPS + (pattern.len() as u64 >> 2))?;
    let re = Regex::new(pattern);
    let is_large = re.as_ref().map_or(true, Regex::is_large);
    if is_large {
        call.session.spend(COMPILE_LARGE_STEPS)?;
    }
    let re = match re {
        Ok(re) => Arc::new(re),
        Err(error) => return Ok(Err(error)),
    };
    let regexes = &mut helm(call)?.regexes;
    let large_kept = regexes.values().filter(|re| re.is_large()).count();
    if regexes.len() >= MOST_KEPT || (is_large && large_kept >= MOST_LARGE_KEPT) {
        regexes.clear();
    }
    regexes.insert(pattern.to_owned(), Arc::clone(&re));
    Ok(Ok(re))
}

/// To be called before an expression runs over a text.
fn spend_match(call: &mut Call<'_>, text: &str) -> Result<(), CallError> {
    Ok(call.session.spend(text.len() as u64 >> 5)?)
}
