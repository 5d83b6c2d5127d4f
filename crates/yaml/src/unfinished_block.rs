//! Blocks (`|` and `>`) that end where the text ends, without a line end.

use std::ops::Range;

/// Whether a text may end in such a block.
pub(crate) fn is_likely(source: &[u8]) -> bool {
    !source.ends_with(b"\n") && source.iter().any(|byte| matches!(byte, b'|' | b'>'))
}

/// Makes of the value of a block that was read with a line end more what it is without.
pub(crate) fn unfinish(value: &mut String, finished: &[u8], bytes: Range<usize>) {
    let reaches_the_end = bytes.end >= finished.len();
    let block = finished.get(bytes.start..).unwrap_or_default();
    let indicators = block.iter().take_while(|byte| b"|>+-0123456789".contains(byte));
    let has = |indicator| indicators.clone().any(|byte| *byte == indicator);
    // With `+` all line ends stay, with `-` none; else one stays, and it is the one too many only if
    // the last line belongs to the block.
    let last_line = finished.trim_ascii_end().len() + 1 == finished.len();
    let blank_line = value.ends_with(" \n") || value.ends_with("\t\n");
    let is_ours = has(b'+') || !has(b'-') && (last_line || blank_line);
    if reaches_the_end && is_ours && value.ends_with('\n') {
        value.pop();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn a_block_may_end_with_the_text() {
        for (text, wanted) in [
            ("a: |\n  x", "x"),
            ("a: >\n  x\n  y", "x y"),
            ("a: |-\n  x", "x"),
            ("a: |+\n  x\n", "x\n"),
            ("a: |+\n  x\n  ", "x\n"),
            ("a: |\n  x\n  ", "x\n"),
            ("a: |\n  x\n   ", "x\n "),
            ("a: |\n  x\n  \t", "x\n\t"),
            ("a: |\n  x \t", "x \t"),
            ("a: |\n  x\n# c", "x\n"),
            ("\u{feff}a: |\n  é", "é"),
        ] {
            assert_eq!(crate::parse(text.as_bytes()), Ok(json!({"a": wanted})), "{text:?}");
        }
        assert_eq!(crate::spans(b"a: |\n  x").unwrap().scalars()[0].bytes, 3..8);
    }
}
