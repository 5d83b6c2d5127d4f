//! Patterns of `${v#…}` and its like: those of Go's `path.Match`, but `*` and `?` match `/` too.

use std::iter::Peekable;
use std::str::Chars;

use crate::Error;

/// Patterns times values; a value of a megabyte may still meet a pattern of a hundred characters.
const MAX_STEPS: usize = 100_000_000;

#[derive(Debug)]
enum Token {
    /// `*`
    Many,
    /// `?`
    One,
    Char(char),
    /// `[^a-z]`
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// How many bytes at the start of a text a pattern matches: the fewest but one at least, or the
/// most. Zero if it matches none, or is malformed.
pub(crate) fn prefix_bytes(pattern: &str, text: &str, longest: bool) -> Result<usize, Error> {
    let Some(tokens) = tokens(pattern) else { return Ok(0) };
    if tokens.len().saturating_mul(text.len()) > MAX_STEPS {
        return Err(Error::TooSlow { limit: MAX_STEPS });
    }
    // Which tokens may come next; all places at once, so that nothing is tried twice.
    let mut places = vec![false; tokens.len() + 1];
    places[0] = true;
    skip_many(&tokens, &mut places);
    let mut matched = 0;
    for (at, c) in text.char_indices() {
        let mut next = vec![false; tokens.len() + 1];
        for (place, token) in tokens.iter().enumerate().filter(|(place, _)| places[*place]) {
            match token {
                Token::Many => next[place] = true,
                token if token.matches(c) => next[place + 1] = true,
                _ => {}
            }
        }
        skip_many(&tokens, &mut next);
        places = next;
        if places[tokens.len()] {
            matched = at + c.len_utf8();
            if !longest {
                break;
            }
        } else if !places.contains(&true) {
            break;
        }
    }
    Ok(matched)
}

/// `*` may match nothing.
fn skip_many(tokens: &[Token], places: &mut [bool]) {
    for (place, token) in tokens.iter().enumerate() {
        if places[place] && matches!(token, Token::Many) {
            places[place + 1] = true;
        }
    }
}

impl Token {
    fn matches(&self, c: char) -> bool {
        match self {
            Self::Many | Self::One => true,
            Self::Char(wanted) => *wanted == c,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
        }
    }
}

/// None for a malformed pattern.
fn tokens(pattern: &str) -> Option<Vec<Token>> {
    let mut chars = pattern.chars().peekable();
    let mut tokens = Vec::new();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' => Token::Many,
            '?' => Token::One,
            '\\' => Token::Char(chars.next()?),
            '[' => class(&mut chars)?,
            c => Token::Char(c),
        });
    }
    Some(tokens)
}

fn class(chars: &mut Peekable<Chars<'_>>) -> Option<Token> {
    let negated = chars.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    while ranges.is_empty() || chars.next_if_eq(&']').is_none() {
        let low = class_char(chars)?;
        let high = if chars.next_if_eq(&'-').is_some() { class_char(chars)? } else { low };
        ranges.push((low, high));
    }
    Some(Token::Class { negated, ranges })
}

fn class_char(chars: &mut Peekable<Chars<'_>>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        c => Some(c),
    }
}
