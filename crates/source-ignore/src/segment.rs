//! One name of a path against one shell glob, as Go's `filepath.Match` reads it.

use std::str::Chars;

/// A compiled glob for one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// Without wildcards, which is what most patterns are.
    Literal(String),
    /// With wildcards.
    Glob(Vec<Token>),
    /// A malformed glob, which matches no name at all.
    Malformed,
}

/// One step of a glob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// Any number of characters.
    Star,
    /// Exactly one character.
    Any,
    /// This character.
    Char(char),
    /// One character inside, or when negated outside, of the ranges (both ends included).
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Segment {
    /// Compiles `glob`: `*`, `?`, `[a-z]`, `[^a-z]` and `\` for the character as such.
    pub(crate) fn compile(glob: &str) -> Self {
        let Some(tokens) = tokens(glob) else {
            return Self::Malformed;
        };
        let literal: Option<String> = tokens
            .iter()
            .map(|token| match token {
                Token::Char(c) => Some(*c),
                Token::Star | Token::Any | Token::Class { .. } => None,
            })
            .collect();
        literal.map_or(Self::Glob(tokens), Self::Literal)
    }

    /// Whether the whole of `name` matches. Takes at most `name × glob` steps.
    pub(crate) fn matches(&self, name: &str) -> bool {
        match self {
            Self::Literal(text) => text == name,
            Self::Glob(tokens) => glob_matches(tokens, name),
            Self::Malformed => false,
        }
    }
}

fn tokens(glob: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = glob.chars();
    while let Some(c) = rest.next() {
        tokens.push(match c {
            '*' if tokens.last() == Some(&Token::Star) => continue,
            '*' => Token::Star,
            '?' => Token::Any,
            '[' => class(&mut rest)?,
            '\\' => Token::Char(rest.next()?),
            other => Token::Char(other),
        });
    }
    Some(tokens)
}

/// Reads what follows a `[`. Flux: only `^` negates, and the first `]` never stands for itself.
fn class(rest: &mut Chars<'_>) -> Option<Token> {
    let negated = rest.as_str().starts_with('^');
    if negated {
        rest.next();
    }
    let mut ranges = Vec::new();
    while ranges.is_empty() || !rest.as_str().starts_with(']') {
        let low = class_char(rest)?;
        let high = if rest.as_str().starts_with('-') {
            rest.next();
            class_char(rest)?
        } else {
            low
        };
        ranges.push((low, high));
    }
    rest.next();
    Some(Token::Class { negated, ranges })
}

fn class_char(rest: &mut Chars<'_>) -> Option<char> {
    match rest.next()? {
        '-' | ']' => None,
        '\\' => rest.next(),
        other => Some(other),
    }
}

fn glob_matches(tokens: &[Token], name: &str) -> bool {
    let mut at = 0;
    let mut rest = name.chars();
    // Where to go on when the current attempt fails: after the last star, one character later.
    let mut retry: Option<(usize, Chars<'_>)> = None;
    loop {
        match tokens.get(at) {
            Some(Token::Star) => {
                at += 1;
                retry = Some((at, rest.clone()));
                continue;
            }
            Some(token) => {
                if rest.next().is_some_and(|c| token.accepts(c)) {
                    at += 1;
                    continue;
                }
            }
            None => {
                if rest.as_str().is_empty() {
                    return true;
                }
            }
        }
        let Some((after_star, from)) = retry.as_mut() else {
            return false;
        };
        if from.next().is_none() {
            return false;
        }
        at = *after_star;
        rest = from.clone();
    }
}

impl Token {
    fn accepts(&self, c: char) -> bool {
        match self {
            Self::Star | Self::Any => true,
            Self::Char(own) => *own == c,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_matches_as_in_go() {
        for (glob, name, expected) in [
            ("*", "", true),
            ("*.md", "a.md", true),
            ("*.md", "a.md.txt", false),
            ("a*b*c", "axbxbxc", true),
            ("a*b*c", "axbxbx", false),
            ("?", "é", true),
            ("??", "é", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[!a]x", "!x", true),
            ("[!a]x", "bx", false),
            ("[\\]]", "]", true),
            ("[]a]", "a", false),
            ("[a-", "a", false),
            ("[a", "a", false),
            ("a\\", "a\\", false),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("a[b", "zzz", false),
            ("[*]", "*", true),
        ] {
            assert_eq!(Segment::compile(glob).matches(name), expected, "{glob} {name}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let glob = Segment::compile(&"a*".repeat(2_000));
        assert!(!glob.matches(&format!("{}b", "a".repeat(1_999))));
    }
}
