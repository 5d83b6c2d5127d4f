//! The shape that nearly all YAML has, read without libyaml.
//!
//! What charts render and people write is for the most part block mappings and sequences of scalars
//! on one line, and literal blocks. Such a text is read here in one pass, many times faster than by
//! a scanner for all of YAML. Everything else, and everything that might be an error, is left to that
//! scanner: [`parse`] answers only if it is sure, so that there is one judge of what is right.

mod block;
mod flow;
mod lines;
mod literal;
mod scalar;

use serde_json::Value;

use crate::Limits;
use block::Reader;

/// Deepest nesting that is read here, which is by recursion.
const MAX_DEPTH: usize = 48;

/// The value of a text that is nothing but what is simple; none if it may be something else.
pub(crate) fn parse(text: &[u8], limits: &Limits) -> Option<Value> {
    if text.len() > limits.bytes {
        return None;
    }
    let text = std::str::from_utf8(text).ok().filter(|text| is_simple(text))?;
    let nodes_left = limits.nodes.checked_sub(1)?;
    Reader::new(text, nodes_left, MAX_DEPTH.min(limits.depth)).document()
}

/// Whether no character needs another look than letters do. Tabs are looked at where they stand.
fn is_simple(text: &str) -> bool {
    if text.as_bytes().first().is_some_and(|first| !first.is_ascii()) {
        return false;
    }
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t');
    if text.as_bytes().iter().all(is_plain) {
        return true;
    }
    text.chars().all(
        |c| matches!(c, ' '..='~' | '\n' | '\t' | '\u{a1}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decode::parse_fully;

    fn quickly(text: &str) -> Option<Value> {
        parse(text.as_bytes(), &Limits::default())
    }

    /// Texts out of pieces that matter, so that most are nearly right.
    fn texts() -> impl Strategy<Value = String> {
        let piece = "a|b|key|: |:|- |-|\n|\n|\n  |\n    |\n\n| |  |#| #|\"|'|''|\\\\|\\\\n|\\||\\|-|\\|\\+|>|\\[|\\]|\\{|\\}|, |,|&x|\\*x|!|\\?|%|@|`|---|\\.\\.\\.|<<|\t|\r|1|0x1f|1e3|yes|null|~|2020-01-01|é|：|😀|'x|\"x|\n  x|\n  |\\\\\n|a: >-\n  |a:\n  |\u{85}|a: |b: |- a: |a:\n  |a:\n- |a: \\|\n  ";
        let pieces = prop::collection::vec(piece, 0..14);
        pieces.prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        #[test]
        fn both_readers_agree(text in texts()) {
            if let Some(value) = quickly(&text) {
                prop_assert_eq!(parse_fully(text.as_bytes(), &Limits::default()), Ok(value));
            }
        }
    }

    #[test]
    fn what_is_simple_is_read() {
        for text in [
            "",
            "\n# nothing\n",
            "a: 1\nb: two words\n",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n  labels: {}\ndata:\n  a: |\n    x\n\n    \ty\n  b: |-\n    z\n  c: |+\n    w\n\n",
            "a:\n- b: 1\n  c: 2\n-   d:\n      e: f\n- - x\n  - y\n-\n  z: 1\n-\nb:\n  - 1\n  - two\n",
            "a: \"x\\\"y\\\\\\n\" # c\nb: 'it''s'\n\"q r\": no\n'single': ~\n",
            "a: [a, \"b\", 1, {c: d, e: [x]}]\nb: {}\nc: []\nd: {\"a\": 'b'}\n",
            "a: x # comment\n# between\n  # deeper\nb: 2020-01-01\nc: 0777\nd: 1e3\ne: 12:30\n",
            "a: |\n  x",
            "a: |-\n\n   x\n  \n   y\n\n\nb: 1",
            "- 1\n- a: |\n    b\n",
            "a: http://x.example/y?z#w\nb: a:b\nc: -1\nd: -x\n",
            "a: é\nb: \"日本：😀\"\n",
            "a: b\n  c\n\n\n  - d\nb:\n  {}\nc:\n  x\n y\n",
            "a: >\n  x\n  y\n\n  z\n   deeper\n  back\n\nb: >-\n\n  x\n",
            "a: 'x\n  y  \n\n  it''s \\'\nb: \"x \\\n  y\n  \\ z\\n \n  w\"\n",
            "a:\n- b\n  c\n-\n  \"d\"\nb: [\"x\"] # y\n",
        ] {
            assert_eq!(
                quickly(text).map(Ok),
                Some(parse_fully(text.as_bytes(), &Limits::default())),
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_is_not_is_left_alone() {
        for text in [
            "a: b: c\n",
            "a: &x 1\nb: *x\n",
            "a: !!str 1\n",
            "<<: {a: 1}\n",
            "? a\n: b\n",
            "a: |2\n   x\n",
            "---\na: 1\n",
            "a: 1\n---\nb: 1\n",
            "a: 1\n...\n",
            "%YAML 1.1\n---\na: 1\n",
            "a\n",
            "a: 1\n b: 2\n",
            "a:\n  b: 1\n c: 2\n",
            "- a\nb: 1\n",
            "\ta: 1\n",
            "a:\t1\n",
            "a: \"x\" y\n",
            "a: [1,\n  2]\n",
            "1: a\n",
            "yes: a\n",
            "a: |\n    \n  x\n",
            "a: .nan\n",
            "a: x\r\nb: y\r\n",
            "a: @x\n",
            "a: - b\n",
            "a: \"\\x41\"\n",
            "a :b\n",
            "a : b\n",
        ] {
            assert_eq!(quickly(text), None, "{text:?}");
        }
    }
}
