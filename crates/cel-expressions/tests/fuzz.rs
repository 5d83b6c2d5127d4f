//! Any expression is compiled or refused, and ends.

use cel_expressions::Expression;
use fuzz_input::{Corpus, check, soon, words};
use serde_json::{Value, json};

const VARIABLES: [&str; 2] = ["self", "dep"];

fn object() -> Value {
    json!({
        "metadata": {"name": "x", "generation": 2, "labels": {"v": "2"}},
        "status": {"n": 3, "f": 1.5, "l": [1, 2, 3], "none": null, "observedGeneration": 2,
            "conditions": [{"type": "Ready", "status": "True", "message": "é"}]},
    })
}

fn run(source: &str) {
    let object = object();
    soon(|| {
        drop(Expression::parse(source));
        let Ok(expression) = Expression::compile(source, &VARIABLES) else { return };
        if let Err(error) = expression.is_true(VARIABLES.map(|name| (name, &object))) {
            assert!(!error.to_string().is_empty());
        }
    });
}

#[test]
fn any_bytes() {
    check(200).for_each(|bytes| run(&String::from_utf8_lossy(bytes)));
}

#[test]
fn expressions_that_are_nearly_right() {
    let corpus = Corpus::of([
        "dep.metadata.labels['v'] == '2'",
        "self.metadata.labels.v == dep.metadata.labels.v",
        "dep.status.conditions.exists(c, c.type == 'Ready') && dep.status.n >= 3",
        "dep.status.conditions.filter(c, c.type == 'Ready').all(c, c.status == 'True' && c.observedGeneration == dep.metadata.generation)",
        "has(dep.status.nope) ? true : dep.?status.?n.orValue(0) == 3",
        "dep.status.n < 3.5 || !(self.status.f in [1.5, 2.0])",
        "dep.status.l.map(x, x * 2 - 1 % 2).exists_one(y, y > 4)",
        "size(self.metadata.name) == 1 && self.metadata.name.startsWith('x')",
        "self.metadata.name.matches('^[a-z]+$') || string(1u) + \"a\\n\" == b'x'.size().string()",
        "{'a': [1, 2u, 3.0e2], true: null}['a'][0] == int('1')",
        "timestamp('2024-01-01T00:00:00Z') - duration('1h30m') < timestamp('2025-01-01T00:00:00Z')",
        "r'raw' + '''long''' == 'x' ? -1 < 0x1F : type(1) == int",
    ]);
    check(300).with_generator(corpus.text()).for_each(|text| run(text));
}

#[test]
fn words_of_the_language() {
    let words = words(
        &[
            "self",
            "dep",
            ".",
            ".?",
            "status",
            "n",
            "l",
            "conditions",
            "[",
            "]",
            "(",
            ")",
            "{",
            "}",
            ",",
            ":",
            "?",
            " && ",
            " || ",
            "!",
            "-",
            "+",
            "*",
            "/",
            "%",
            " == ",
            " < ",
            " in ",
            "1",
            "2u",
            "1.5",
            "'x'",
            "\"y\"",
            "b'z'",
            "true",
            "null",
            "has(",
            "size(",
            ".map(c, ",
            ".all(c, ",
            ".exists(c, ",
            ".filter(c, ",
            "c",
            "int(",
            "string(",
            "Foo{a: 1}",
            "9223372036854775807",
            "duration('1h')",
            "timestamp(",
        ],
        16,
    );
    check(500).with_generator(words).for_each(|text| run(text));
}
