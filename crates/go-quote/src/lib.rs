//! Go string and character literals, both ways: `strconv.Quote` and `strconv.Unquote`, and `%q`.

/// The literal is not valid Go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid syntax")]
pub struct InvalidSyntax;

/// The bytes that a quoted literal, `"…"` or `` `…` ``, stands for.
///
/// # Errors
/// [`InvalidSyntax`] as Go's `strconv.Unquote` says it.
pub fn unquote(literal: &str) -> Result<Vec<u8>, InvalidSyntax> {
    let inner = literal.get(1..literal.len().saturating_sub(1)).ok_or(InvalidSyntax)?;
    if literal.starts_with('`') {
        return Ok(inner.bytes().filter(|b| *b != b'\r').collect());
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while !rest.is_empty() {
        let (unit, after) = unquote_char(rest, '"')?;
        unit.push_to(&mut bytes);
        rest = after;
    }
    Ok(bytes)
}

/// One character of a literal: a character, or a byte that was written as `\xff` or `\377`.
#[derive(Clone, Copy, Debug)]
pub enum Unit {
    /// A character.
    Char(char),
    /// A byte that need not be part of a character.
    Byte(u8),
}

impl Unit {
    fn push_to(self, bytes: &mut Vec<u8>) {
        match self {
            Self::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Self::Byte(b) => bytes.push(b),
        }
    }

    /// Its number, as Go's `rune` has it.
    pub fn code(self) -> i64 {
        match self {
            Self::Char(c) => i64::from(u32::from(c)),
            Self::Byte(b) => i64::from(b),
        }
    }
}

/// Reads one character, escaped or not, and returns what is left.
///
/// # Errors
/// [`InvalidSyntax`] as Go's `strconv.UnquoteChar` says it.
pub fn unquote_char(text: &str, quote: char) -> Result<(Unit, &str), InvalidSyntax> {
    let mut rest = text.chars();
    let first = rest.next().ok_or(InvalidSyntax)?;
    if first == quote && (quote == '"' || quote == '\'') {
        return Err(InvalidSyntax);
    }
    if first != '\\' {
        return Ok((Unit::Char(first), rest.as_str()));
    }
    let plain = |c| Ok(Unit::Char(c));
    let unit = match rest.next().ok_or(InvalidSyntax)? {
        'a' => plain('\x07'),
        'b' => plain('\x08'),
        'f' => plain('\x0c'),
        'n' => plain('\n'),
        'r' => plain('\r'),
        't' => plain('\t'),
        'v' => plain('\x0b'),
        '\\' => plain('\\'),
        c @ ('\'' | '"') if c == quote => plain(c),
        'x' => take_digits(&mut rest, 2, 16).and_then(byte).map(Unit::Byte),
        'u' => take_digits(&mut rest, 4, 16).and_then(scalar),
        'U' => take_digits(&mut rest, 8, 16).and_then(scalar),
        c @ '0'..='7' => {
            let high = c.to_digit(8).ok_or(InvalidSyntax)?;
            take_digits(&mut rest, 2, 8).and_then(|low| byte(high * 64 + low)).map(Unit::Byte)
        }
        _ => Err(InvalidSyntax),
    }?;
    Ok((unit, rest.as_str()))
}

fn byte(code: u32) -> Result<u8, InvalidSyntax> {
    u8::try_from(code).ok().ok_or(InvalidSyntax)
}

fn scalar(code: u32) -> Result<Unit, InvalidSyntax> {
    char::from_u32(code).map(Unit::Char).ok_or(InvalidSyntax)
}

fn take_digits(
    rest: &mut std::str::Chars<'_>,
    count: usize,
    radix: u32,
) -> Result<u32, InvalidSyntax> {
    (0..count).try_fold(0_u32, |number, _| {
        let digit = rest.next().and_then(|c| c.to_digit(radix)).ok_or(InvalidSyntax)?;
        number.checked_mul(radix).and_then(|n| n.checked_add(digit)).ok_or(InvalidSyntax)
    })
}

/// A double-quoted literal, as `%q` prints it.
pub fn double(bytes: &[u8]) -> String {
    quoted(bytes, '"', false)
}

/// A double-quoted literal of ASCII alone, as `%+q` prints it.
pub fn double_ascii(bytes: &[u8]) -> String {
    quoted(bytes, '"', true)
}

/// A backquoted literal where one can hold the text, as `%#q` prints it.
pub fn back(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let fits =
        text.chars().all(|c| c == '\t' || (c >= ' ' && c != '`' && c != '\x7f' && c != '\u{feff}'));
    fits.then(|| format!("`{text}`"))
}

/// A single-quoted character, as `%q` prints an integer.
pub fn single(c: char, ascii: bool) -> String {
    quoted(c.encode_utf8(&mut [0; 4]).as_bytes(), '\'', ascii)
}

fn quoted(bytes: &[u8], quote: char, ascii: bool) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push(quote);
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            push_escaped(&mut out, c, quote, ascii);
        }
        for byte in chunk.invalid() {
            push_hex(&mut out, "\\x", u32::from(*byte), 2);
        }
    }
    out.push(quote);
    out
}

fn push_escaped(out: &mut String, c: char, quote: char, ascii: bool) {
    match c {
        '\\' => out.push_str("\\\\"),
        c if c == quote => out.extend(['\\', c]),
        c if is_print(c) && (!ascii || c.is_ascii()) => out.push(c),
        '\x07' => out.push_str("\\a"),
        '\x08' => out.push_str("\\b"),
        '\x0c' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\x0b' => out.push_str("\\v"),
        c if c < ' ' || c == '\x7f' => push_hex(out, "\\x", u32::from(c), 2),
        c if u32::from(c) < 0x1_0000 => push_hex(out, "\\u", u32::from(c), 4),
        c => push_hex(out, "\\U", u32::from(c), 8),
    }
}

fn push_hex(out: &mut String, prefix: &str, code: u32, width: usize) {
    use std::fmt::Write as _;
    // Writing to a string cannot fail.
    let _ = write!(out, "{prefix}{code:0width$x}");
}

/// Go's `unicode.IsPrint`: letters, marks, numbers, punctuation, symbols, and the ASCII space.
///
/// Limit: told from Rust's own tables, which escape what is not printable and also combining
/// marks; those are taken for printable here. Private-use characters are not printable in Go.
pub fn is_print(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\0'..='\u{a0}' | '\u{ad}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'.. => false,
        c if c.is_whitespace() => false,
        c if c.is_alphanumeric() => true,
        c => !c.escape_debug().to_string().starts_with("\\u") || is_mark(c),
    }
}

fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}'
        | '\u{e0100}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_prints_for_q() {
        let cases: [(&[u8], &str); 8] = [
            (b"a b", r#""a b""#),
            (b"a\"\\\n", r#""a\"\\\n""#),
            (b"\x00\x7f", r#""\x00\x7f""#),
            ("\u{a0}\u{feff}".as_bytes(), r#""\u00a0\ufeff""#),
            ("\u{f0000}".as_bytes(), r#""\U000f0000""#),
            ("é\u{301}".as_bytes(), "\"é\u{301}\""),
            (b"\xff", r#""\xff""#),
            ("日".as_bytes(), "\"日\""),
        ];
        for (bytes, quoted) in cases {
            assert_eq!(double(bytes), quoted);
            assert_eq!(unquote(quoted).unwrap(), bytes);
        }
        assert_eq!(double_ascii("日".as_bytes()), r#""\u65e5""#);
    }

    #[test]
    fn what_is_no_literal() {
        for text in ["", "\"", r#""\q""#, r#""\'""#, r#""\ud800""#, r#""\400""#] {
            assert_eq!(unquote(text), Err(InvalidSyntax), "{text}");
        }
    }
}
