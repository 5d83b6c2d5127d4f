//! Regular expressions.

use std::collections::HashMap;
use std::sync::Arc;

use go_regex::Regex;
use go_template::{Call, Functions, List, Type, Value};

use crate::arguments::{int, ok, text};
use crate::error::FunctionError;
use crate::host::Helm;

const S: Type = Type::String;
const I: Type = Type::INT;

pub(crate) fn register(f: &mut Functions) {
    f.add("regexMatch", [S, S], |call, a| {
        ok(compiled(call, &text(a, 0)).is_ok_and(|re| re.is_match(&text(a, 1))))
    });
    f.add("mustRegexMatch", [S, S], |call, a| {
        ok(expression(call, &text(a, 0), true)?.is_match(&text(a, 1)))
    });
    f.add("regexQuoteMeta", [S], |_, a| ok(go_regex::quote_meta(&text(a, 0))));
    for (plain, must) in [("regexFindAll", false), ("mustRegexFindAll", true)] {
        f.add(plain, [S, S, I], move |call, a| {
            let (re, whole) = (expression(call, &text(a, 0), must)?, text(a, 1));
            call.make(whole.len().saturating_mul(8))?;
            ok(list(re.find_all(&whole, int(a, 2))))
        });
    }
    for (name, must) in [("regexSplit", false), ("mustRegexSplit", true)] {
        f.add(name, [S, S, I], move |call, a| {
            let (re, whole) = (expression(call, &text(a, 0), must)?, text(a, 1));
            call.make(whole.len().saturating_mul(8))?;
            ok(list(re.split(&whole, int(a, 2))))
        });
    }
    for (name, must) in [("regexFind", false), ("mustRegexFind", true)] {
        f.add(name, [S, S], move |call, a| {
            let (re, whole) = (expression(call, &text(a, 0), must)?, text(a, 1));
            ok(re.find(&whole).and_then(|range| whole.get(range)).unwrap_or_default())
        });
    }
    for (name, must) in [("regexReplaceAll", false), ("mustRegexReplaceAll", true)] {
        f.add(name, [S, S, S], move |call, a| {
            let (re, whole, with) = (expression(call, &text(a, 0), must)?, text(a, 1), text(a, 2));
            call.make(replaced_len(&whole, &with))?;
            ok(re.replace_all(&whole, &with))
        });
    }
    for (name, must) in [("regexReplaceAllLiteral", false), ("mustRegexReplaceAllLiteral", true)] {
        f.add(name, [S, S, S], move |call, a| {
            let (re, whole, with) = (expression(call, &text(a, 0), must)?, text(a, 1), text(a, 2));
            call.make(replaced_len(&whole, &with))?;
            ok(re.replace_all_literal(&whole, &with))
        });
    }
}

/// As large as the result can be: a match for every character.
fn replaced_len(whole: &str, with: &str) -> usize {
    // Groups can repeat the text, but only as often as the template names them.
    let groups = with.matches('$').count();
    whole.len().saturating_mul(1 + groups).saturating_add(
        whole.len().saturating_add(1).saturating_mul(with.len()).min(whole.len().max(1) * 64),
    )
}

fn list(parts: Option<Vec<&str>>) -> Value {
    match parts {
        Some(parts) => Value::List(List::of_strings(parts)),
        None => Value::List(List::nil(go_template::Elem::String)),
    }
}

/// The functions without `must` say in their errors that they insist.
fn expression(call: &mut Call<'_>, pattern: &str, must: bool) -> Result<Arc<Regex>, FunctionError> {
    compiled(call, pattern).map_err(|error| {
        if must {
            return FunctionError::Regex(error);
        }
        let quotable = !pattern.contains('`') && !pattern.chars().any(char::is_control);
        let pattern =
            if quotable { format!("`{pattern}`") } else { go_quote::double(pattern.as_bytes()) };
        FunctionError::MustCompile { pattern, error }
    })
}

/// Compiled expressions of one rendering.
pub(crate) type Cache = HashMap<String, Arc<Regex>>;

/// Limit: when so many are kept, all are dropped.
const MOST_KEPT: usize = 200;

fn compiled(call: &mut Call<'_>, pattern: &str) -> Result<Arc<Regex>, go_regex::Error> {
    let Some(helm) = call.session.state::<Helm>() else {
        return Regex::new(pattern).map(Arc::new);
    };
    if let Some(re) = helm.regexes.get(pattern) {
        return Ok(Arc::clone(re));
    }
    let re = Arc::new(Regex::new(pattern)?);
    if helm.regexes.len() >= MOST_KEPT {
        helm.regexes.clear();
    }
    helm.regexes.insert(pattern.to_owned(), Arc::clone(&re));
    Ok(re)
}
