//! Regular expressions.

use std::collections::HashMap;
use std::sync::Arc;

use go_regex::{Regex, Size};
use go_template::{Call, CallError, Functions, List, Type, Value};

use crate::arguments::{int, ok, text};
use crate::error::FunctionError;
use crate::host::helm;

const S: Type = Type::String;
const I: Type = Type::INT;

pub(crate) fn register(f: &mut Functions) {
    f.add("regexMatch", [S, S], |call, a| {
        let Ok(re) = compiled(call, &text(a, 0))? else { return ok(false) };
        let whole = text(a, 1);
        spend_match(call, &re, &whole)?;
        ok(re.is_match(&whole))
    });
    f.add("mustRegexMatch", [S, S], |call, a| {
        let (re, whole) = (expression(call, &text(a, 0), true)?, text(a, 1));
        spend_match(call, &re, &whole)?;
        ok(re.is_match(&whole))
    });
    f.add("regexQuoteMeta", [S], |_, a| ok(go_regex::quote_meta(&text(a, 0))));
    for (plain, must) in [("regexFindAll", false), ("mustRegexFindAll", true)] {
        f.add(plain, [S, S, I], move |call, a| {
            let (re, whole) = (expression(call, &text(a, 0), must)?, text(a, 1));
            spend_match(call, &re, &whole)?;
            make_parts(call, &re, &whole)?;
            ok(list(re.find_all(&whole, int(a, 2))))
        });
    }
    for (name, must) in [("regexSplit", false), ("mustRegexSplit", true)] {
        f.add(name, [S, S, I], move |call, a| {
            let (re, whole) = (expression(call, &text(a, 0), must)?, text(a, 1));
            spend_match(call, &re, &whole)?;
            make_parts(call, &re, &whole)?;
            ok(list(re.split(&whole, int(a, 2))))
        });
    }
    for (name, must) in [("regexFind", false), ("mustRegexFind", true)] {
        f.add(name, [S, S], move |call, a| {
            let (re, whole) = (expression(call, &text(a, 0), must)?, text(a, 1));
            spend_match(call, &re, &whole)?;
            ok(re.find(&whole).and_then(|range| whole.get(range)).unwrap_or_default())
        });
    }
    for (name, must) in [("regexReplaceAll", false), ("mustRegexReplaceAll", true)] {
        f.add(name, [S, S, S], move |call, a| {
            let (re, whole, with) = (expression(call, &text(a, 0), must)?, text(a, 1), text(a, 2));
            spend_match(call, &re, &whole)?;
            make_replaced(call, &re, &whole, &with)?;
            ok(re.replace_all(&whole, &with))
        });
    }
    for (name, must) in [("regexReplaceAllLiteral", false), ("mustRegexReplaceAllLiteral", true)] {
        f.add(name, [S, S, S], move |call, a| {
            let (re, whole, with) = (expression(call, &text(a, 0), must)?, text(a, 1), text(a, 2));
            spend_match(call, &re, &whole)?;
            make_replaced(call, &re, &whole, &with)?;
            ok(re.replace_all_literal(&whole, &with))
        });
    }
}

/// To be called before every match is replaced: the result is as large as this at most, for each `$`
/// may stand for the whole text.
fn make_replaced(
    call: &mut Call<'_>,
    re: &Regex,
    whole: &str,
    with: &str,
) -> Result<(), CallError> {
    let copies = 1 + with.matches('$').count();
    let replacements = spend_matches(call, re, whole)?.saturating_mul(with.len());
    Ok(call.make(whole.len().saturating_mul(copies).saturating_add(replacements))?)
}

/// To be called before a text is cut into parts: each is a text of its own.
fn make_parts(call: &mut Call<'_>, re: &Regex, whole: &str) -> Result<(), CallError> {
    const PART_BYTES: usize = 64;
    let parts = spend_matches(call, re, whole)?;
    Ok(call.make(whole.len().saturating_add(parts.saturating_mul(PART_BYTES)))?)
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
    let is_large = re.as_ref().map_or(true, |re| re.size() == Size::Large);
    if is_large {
        call.session.spend(COMPILE_LARGE_STEPS)?;
    }
    let re = match re {
        Ok(re) => Arc::new(re),
        Err(error) => return Ok(Err(error)),
    };
    let regexes = &mut helm(call)?.regexes;
    let large_kept = regexes.values().filter(|re| re.size() == Size::Large).count();
    if regexes.len() >= MOST_KEPT || (is_large && large_kept >= MOST_LARGE_KEPT) {
        regexes.clear();
    }
    regexes.insert(pattern.to_owned(), Arc::clone(&re));
    Ok(Ok(re))
}

/// To be called before an expression runs over a text.
fn spend_match(call: &mut Call<'_>, re: &Regex, text: &str) -> Result<(), CallError> {
    let steps_per_byte = match re.size() {
        Size::Small => 2,
        Size::Ordinary => 16,
        Size::Large => 256,
    };
    Ok(call.session.spend((text.len() as u64).saturating_mul(steps_per_byte))?)
}

/// To be called before all matches are looked for. Returns how many there are, or as many as there
/// can be.
fn spend_matches(call: &mut Call<'_>, re: &Regex, text: &str) -> Result<usize, CallError> {
    // So little text is looked at quickly, however often.
    const SHORT: usize = 256;
    const MOST_BYTES: u64 = 1 << 30;
    if text.len() < SHORT {
        return Ok(text.len() + 1);
    }
    let mut bytes_left = MOST_BYTES;
    let matches = re.count(text, &mut bytes_left);
    call.session.spend((MOST_BYTES - bytes_left) >> 7)?;
    let (what, limit) = ("bytes looked at for matches of a regular expression", MOST_BYTES);
    matches.ok_or_else(|| FunctionError::Exhausted { what, limit }.into())
}
