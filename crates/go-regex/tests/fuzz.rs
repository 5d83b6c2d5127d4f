//! Any pattern compiles or is refused, and what it finds lies in the text.

use fuzz_input::{Corpus, check, soon};
use go_regex::{Regex, quote_meta};

const TABLE: &str = "parity/tests/tables/regex/cases.json";

fn run(pattern: &str, input: &str) {
    soon(|| {
        let Ok(regex) = Regex::new(pattern) else { return };
        let found = regex.find(input);
        assert_eq!(found.is_some(), regex.is_match(input));
        if let (Some(found), Some(longest)) = (&found, regex.find_longest(input)) {
            assert_eq!(found.start, longest.start);
            assert!(found.end <= longest.end);
        }
        let all = regex.find_all(input, -1).unwrap_or_default();
        assert_eq!(all.len(), regex.count(input, &mut { u64::MAX }).unwrap_or_default());
        assert_eq!(
            regex.captures(input).map(|groups| groups.len()),
            found.map(|_| regex.names().len())
        );
        assert_eq!(regex.replace_all(input, "${0}"), input);
        regex.replace_all(input, pattern);
        regex.replace_all_literal(input, pattern);
        regex.split(input, -1);
        regex.split(input, 2);
    });
}

#[test]
fn any_bytes() {
    check(300).for_each(|bytes| run(&String::from_utf8_lossy(bytes), "aé"));
}

#[test]
fn patterns_that_are_nearly_right() {
    let patterns = Corpus::of_table(TABLE, "pattern").text();
    let inputs = Corpus::of_table(TABLE, "input").text();
    check(300).with_generator((patterns, inputs)).for_each(|(pattern, input)| run(pattern, input));
}

#[test]
fn a_quoted_text_matches_itself() {
    let texts = Corpus::of_table(TABLE, "pattern").text();
    check(200).with_generator(texts).for_each(|text| {
        // A long text makes an expression that is too large.
        if let Ok(regex) = Regex::new(&quote_meta(text)) {
            assert_eq!(regex.find(text), Some(0..text.len()));
        }
    });
}
