//! Any text is substituted or refused.

use fuzz_input::{Corpus, check, soon, words};
use variable_substitution::{Error, Options, substitute};

fn run(text: &str) {
    let lookup = |name: &str| match name {
        "A" | "a" => Some("alpha"),
        "PATH_" => Some("/usr/local/bin:/usr/bin"),
        "glob" => Some("aabbaacc"),
        "e" | "EMPTY" => Some(""),
        "u" => Some("hé😀llo"),
        _ => None,
    };
    soon(|| {
        let lenient = substitute(text, &lookup, &Options { strict: false });
        match substitute(text, &lookup, &Options { strict: true }) {
            Ok(strict) => assert_eq!(lenient, Ok(strict)),
            Err(Error::NotSet { .. }) => {}
            Err(other) => assert_eq!(lenient, Err(other)),
        }
        if !text.contains('$') {
            assert_eq!(lenient.as_deref(), Ok(text));
        }
    });
}

#[test]
fn any_bytes() {
    check(500).for_each(|bytes| run(&String::from_utf8_lossy(bytes)));
}

#[test]
fn texts_that_are_nearly_right() {
    let corpus = Corpus::of_table("parity/tests/tables/envsubst/cases.json", "input")
        .and(Corpus::of_table("parity/tests/tables/envsubst/fluxcd-matrix.json", "input"));
    check(1000).with_generator(corpus.text()).for_each(|text| run(text));
}

#[test]
fn words_of_the_language() {
    let words = words(
        &[
            "$", "${", "$$", "}", "{", "a", "A", "glob", "u", "e", "none", ":", "-", ":-", ":=",
            "=", "+", "?", "#", "##", "%", "%%", "/", "//", "/#", "^", "^^", ",", ",,", "*", "[",
            "]", "!", "\\", "1", "-2", " ", "é", "x",
        ],
        24,
    );
    check(1000).with_generator(words).for_each(|text| run(text));
}
