//! Any assignment is understood or refused, and makes no more than it may.

use fuzz_input::{Corpus, check, soon, words};
use serde_json::{Map, Value};

const TABLE: &str = "parity/tests/tables/strvals/cases.json";

/// Deeper than dots and brackets may nest; JSON values may nest themselves.
const MAX_DEPTH: usize = 200;

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

fn run(text: &str) {
    let mut into = Map::new();
    soon(|| {
        // One after the other, so that each meets what the others left.
        drop(strvals::set(text, &mut into));
        drop(strvals::set_string(text, &mut into));
        drop(strvals::set_literal(text, &mut into));
        drop(strvals::set_json(text, &mut into));
        drop(strvals::set_file(text, &mut into, &mut |name| Ok(Value::from(name))));
        drop(strvals::set(text, &mut into));
    });
    assert!(depth(&Value::Object(into)) <= MAX_DEPTH);
}

#[test]
fn any_bytes() {
    check(500).for_each(|bytes| run(&String::from_utf8_lossy(bytes)));
}

#[test]
fn assignments_that_are_nearly_right() {
    let corpus = Corpus::of_table(TABLE, "input").text();
    check(500).with_generator(corpus).for_each(|text| run(text));
}

#[test]
fn words_of_the_language() {
    let words = words(
        &["a", "b", ".", "=", ",", "[", "]", "{", "}", "\\", "0", "1", "9", "-", "null", "\"", ":"],
        24,
    );
    check(1000).with_generator(words).for_each(|text| run(text));
}

#[test]
fn an_escaped_text_is_assigned_as_it_is() {
    let corpus = Corpus::of_table(TABLE, "input").text();
    check(500).with_generator(corpus).for_each(|text| {
        let escaped: String = text.chars().flat_map(|c| ['\\', c]).collect();
        let mut into = Map::new();
        strvals::set_string(&format!("a={escaped}"), &mut into).unwrap();
        assert_eq!(into["a"], Value::from(text.as_str()));
    });
}
