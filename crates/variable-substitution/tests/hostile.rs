//! Texts made to hurt: each ends soon.

use proptest::prelude::*;
use variable_substitution::{Error, Options, substitute, valid_name};

fn evaluate(input: &str, value: &str) -> Result<String, Error> {
    substitute(input, &|name| (name == "v").then_some(value), &Options::default())
}

#[test]
fn nesting_has_a_limit() {
    let text = "${x:-".repeat(100_000);
    assert!(matches!(evaluate(&text, ""), Err(Error::TooDeep { .. })));
}

#[test]
fn a_short_text_cannot_make_a_large_one() {
    let value = "x".repeat(1 << 20);
    assert!(matches!(evaluate("${v//x/${v}}", &value), Err(Error::TooLarge { .. })));
    assert!(matches!(evaluate(&"${v}".repeat(100), &value), Err(Error::TooLarge { .. })));
}

#[test]
fn a_pattern_cannot_take_forever() {
    let value = "a".repeat(10_000);
    let stars = format!("${{v##{}b}}", "a*".repeat(100));
    assert_eq!(evaluate(&stars, &value).as_deref(), Ok(value.as_str()));
    let pattern = format!("${{v##{}}}", "a*".repeat(100_000));
    assert!(matches!(evaluate(&pattern, &value), Err(Error::TooSlow { .. })));
}

#[test]
fn names_are_those_of_shells() {
    for name in ["a", "_", "A_1", "_1"] {
        assert!(valid_name(name), "{name}");
    }
    for name in ["", "1", "a-b", "a.b", "é", "a b"] {
        assert!(!valid_name(name), "{name}");
    }
}

proptest! {
    #[test]
    fn text_without_dollars_stays(text in "[^$]*") {
        prop_assert_eq!(evaluate(&text, "x"), Ok(text));
    }

    #[test]
    fn no_text_panics(text in r"([$]\{[v#a]?|[#%:/^,=?*\[\]\\}a1é -]|\$){0,20}", value in ".{0,8}") {
        drop(evaluate(&text, &value));
    }
}
