//! Any text is read or refused, by both readers alike; what is printed is read again.
#![expect(clippy::panic, reason = "the helpers of tests may fail as tests do")]

mod readable;

use fuzz_input::{Corpus, Values, check, soon, words};
use readable::is_readable;
use serde_json::Value;
use yaml::Error;

fn corpus() -> Corpus {
    Corpus::of_table("parity/tests/tables/yaml/goyaml.json", "yaml")
        .and(Corpus::of_table("parity/tests/tables/yaml/emit.json", "yaml"))
        .and(Corpus::of_table("yaml/tests/tables/random.json", "yaml"))
        .and(Corpus::of([
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  labels: {a: b}\ndata:\n  a: |\n    x\n\n    \ty\n  b: >-\n    z\n    w\n  c: 'it''s'\n  d: \"q\\n\\\n    r\"\n",
            "a:\n- b: 1\n  c: [2, three, {d: e}]\n-   d:\n      e: f\n- - x\n  - y\n-\n  z: 1\n# c\nb: !!str 1\nc: &x {y: z}\nd: *x\ne: {<<: *x}\n",
        ]))
}

fn run(text: &[u8]) {
    let value = soon(|| {
        drop(yaml::kyaml::parse(text));
        if let Ok(spans) = yaml::spans(text) {
            assert!(spans.scalars().iter().all(|scalar| text.get(scalar.bytes.clone()).is_some()));
        }
        yaml::documents(text).for_each(|document| assert!(document.text.len() <= text.len()));
        readers_agree(text)
    });
    if let Some(value) = value {
        soon(|| printed_is_read_again(&value));
    }
}

/// The strict reader never takes the short cut that [`yaml::parse`] takes where it can.
fn readers_agree(text: &[u8]) -> Option<Value> {
    match (yaml::parse(text), yaml::parse_strict(text)) {
        (Ok(one), Ok(other)) => {
            assert_eq!(one, other);
            Some(one)
        }
        (Ok(value), Err(Error::Duplicates(_))) => Some(value),
        (Err(one), Err(other)) => {
            // Duplicates are told first.
            assert!(one == other || matches!(other, Error::Duplicates(_)), "{one} and {other}");
            None
        }
        (one, other) => panic!("{one:?} and {other:?}"),
    }
}

fn printed_is_read_again(value: &Value) {
    if !is_readable(value) {
        return;
    }
    assert_eq!(yaml::parse(yaml::emit(value).as_bytes()).as_ref(), Ok(value));
    assert_eq!(yaml::parse(yaml::emit_pretty(value).as_bytes()).as_ref(), Ok(value));
}

#[test]
fn any_bytes() {
    check(500).for_each(run);
}

#[test]
fn texts_that_are_nearly_right() {
    check(1000).with_generator(corpus().bytes()).for_each(|text| run(text));
}

#[test]
fn words_of_the_language() {
    let words = words(
        &[
            "a",
            "b",
            "key",
            ": ",
            ":",
            "- ",
            "-",
            "\n",
            "\n  ",
            "\n    ",
            "\n\n",
            " ",
            "  ",
            "#",
            " #",
            "\"",
            "'",
            "''",
            "\\",
            "\\n",
            "|",
            "|-\n",
            "|+\n",
            ">",
            ">-\n  ",
            "[",
            "]",
            "{",
            "}",
            ", ",
            ",",
            "&x ",
            "*x",
            "!",
            "!!str ",
            "? ",
            "%",
            "@",
            "`",
            "---\n",
            "...\n",
            "<<",
            "\t",
            "\r",
            "1",
            "0x1f",
            "1e3",
            "yes",
            "null",
            "~",
            "2020-01-01",
            "é",
            "：",
            "😀",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "a: >-\n  ",
            "a:\n- ",
            "a: |\n  ",
            "- a: ",
        ],
        24,
    );
    check(2000).with_generator(words).for_each(|text| run(text.as_bytes()));
}

#[test]
fn values_are_printed_and_read() {
    let values = Values::of_table("parity/tests/tables/smp/cases.json", "original").value();
    check(100).with_generator(values).for_each(|value| {
        soon(|| {
            printed_is_read_again(value);
            assert_eq!(readers_agree(value.to_string().as_bytes()).as_ref(), Some(value));
        });
    });
}
