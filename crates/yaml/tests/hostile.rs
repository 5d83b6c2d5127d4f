//! Documents made to hurt: each ends in an error, soon.
#![expect(clippy::cast_possible_truncation, clippy::format_push_string, reason = "tests")]

use yaml::{Error, Limits, parse, parse_with};

#[test]
fn aliases_cannot_grow_a_document_without_bound() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let below = format!("*a{}", level - 1);
        let items = vec![below; 10].join(", ");
        bomb += &format!("a{level}: &a{level} [{items}]\n");
    }
    let error = parse(bomb.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "yaml: document contains excessive aliasing");
    let merges = bomb.replace('[', "{<<: [").replace(']', "]}");
    assert!(parse(merges.as_bytes()).is_err());
}

#[test]
fn a_value_cannot_contain_itself() {
    for text in ["&a [*a]", "a: &x {b: *x}", "&a {<<: *a}"] {
        assert!(matches!(parse(text.as_bytes()), Err(Error::ContainsItself { .. })), "{text}");
    }
}

#[test]
fn depth_and_size_have_limits() {
    assert!(matches!(parse("[".repeat(100_000).as_bytes()), Err(Error::TooLarge { .. })));
    let nested = format!("{}1", "- ".repeat(100_000));
    assert!(matches!(parse(nested.as_bytes()), Err(Error::TooLarge { .. })));
    let limits = Limits { bytes: 10, ..Limits::default() };
    assert!(matches!(parse_with(b"a: 123456789", &limits), Err(Error::TooLarge { .. })));
}

#[test]
fn a_mark_before_the_text_moves_nothing() {
    let error = parse("\u{feff}a: \"\\/\"".as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "yaml: found unknown escape character");
}

#[test]
fn huge_numbers_are_numbers_or_text() {
    let digits = "9".repeat(10_000);
    assert!(parse(format!("a: {digits}").as_bytes()).unwrap()["a"].is_string());
    assert!(parse(format!("a: 0x{digits}").as_bytes()).unwrap()["a"].is_string());
}

#[test]
fn no_input_panics() {
    for seed in 0..20_000_u64 {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let text: Vec<u8> = (0..24)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                let bytes = b" \n-:?&*!|>'\"%@`[]{},#ab1.~\t\\\xff";
                bytes[(state % bytes.len() as u64) as usize]
            })
            .collect();
        if let Ok(value) = parse(&text) {
            assert_eq!(
                parse(yaml::emit(&value).as_bytes()),
                Ok(value),
                "{:?}",
                text.escape_ascii()
            );
        }
    }
}
