//! Patterns of `.Files.Glob`, as `gobwas/glob` reads them with `/` as separator.

use regex::Regex;

/// A compiled pattern.
pub(super) struct Glob(Regex);

/// Longest pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 4096;

impl Glob {
    /// Flux: a malformed pattern matches everything (Helm's `files.go`).
    pub(super) fn new(pattern: &str) -> Self {
        let compiled = (pattern.len() <= MAX_PATTERN_BYTES)
            .then(|| expression(pattern))
            .flatten()
            .and_then(|text| Regex::new(&text).ok());
        match compiled.or_else(|| Regex::new("").ok()) {
            Some(regex) => Self(regex),
            None => unreachable!("the empty pattern compiles"),
        }
    }

    pub(super) fn is_match(&self, path: &str) -> bool {
        self.0.is_match(path)
    }
}

/// The pattern as a regular expression; none if it is malformed.
fn expression(pattern: &str) -> Option<String> {
    let mut out = String::from("^(?s:");
    let mut chars = pattern.chars().peekable();
    let mut alternatives = 0;
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.peek() == Some(&'*') => {
                while chars.next_if_eq(&'*').is_some() {}
                out.push_str(".*");
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '[' => class(&mut chars, &mut out)?,
            '{' => {
                alternatives += 1;
                out.push_str("(?:");
            }
            ',' if alternatives > 0 => out.push('|'),
            '}' if alternatives > 0 => {
                alternatives -= 1;
                out.push(')');
            }
            '\\' => push_literal(chars.next()?, &mut out),
            c => push_literal(c, &mut out),
        }
    }
    (alternatives == 0).then(|| out + ")$")
}

/// `[abc]`, `[a-z]`, `[!abc]`.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) -> Option<()> {
    out.push('[');
    if chars.next_if_eq(&'!').is_some() {
        out.push('^');
    }
    let mut is_empty = true;
    loop {
        match chars.next()? {
            ']' if is_empty => return None,
            ']' => break,
            '-' if !is_empty => out.push('-'),
            '\\' => push_literal(chars.next()?, out),
            c => push_literal(c, out),
        }
        is_empty = false;
    }
    out.push(']');
    Some(())
}

fn push_literal(c: char, out: &mut String) {
    let mut bytes = [0; 4];
    out.push_str(&regex::escape(c.encode_utf8(&mut bytes)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_paths() {
        for (pattern, path, want) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "d/a.yaml", false),
            ("**.yaml", "d/a.yaml", true),
            ("d/**", "d/e/a", true),
            ("d/*", "d/e/a", false),
            ("d/?", "d/a", true),
            ("d/[ab]", "d/b", true),
            ("d/[!ab]", "d/b", false),
            ("d/[a-c]x", "d/bx", true),
            ("{a,b/*}.txt", "b/c.txt", true),
            ("{a,b/*}.txt", "c.txt", false),
            ("a\\*", "a*", true),
            ("[", "anything", true),
            ("", "x", false),
            ("a.b", "axb", false),
        ] {
            assert_eq!(Glob::new(pattern).is_match(path), want, "{pattern} {path}");
        }
    }
}
