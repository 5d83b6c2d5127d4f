//! `snakecase`, `kebabcase` and `camelcase`, with the word boundaries of the xstrings library.

use go_template::Functions;

use crate::words::{letters, lower, upper};

pub(crate) fn register(f: &mut Functions) {
    letters(f, "snakecase", |text| joined(text, '_'));
    letters(f, "kebabcase", |text| joined(text, '-'));
    letters(f, "camelcase", pascal);
}

fn is_connector(c: char) -> bool {
    c == '-' || c == '_' || c.is_whitespace()
}

/// Connectors at the start stay, later ones make the next letter a capital.
fn pascal(text: &str) -> String {
    let start = text.find(|c| !is_connector(c)).unwrap_or(text.len());
    let (leading, body) = text.split_at(start);
    let mut out = String::from(leading);
    let mut chars = body.chars();
    let Some(first) = chars.next() else {
        // Flux: the library writes the last one twice.
        out.extend(text.chars().last());
        return out;
    };
    let mut in_capitals = first.is_uppercase();
    let mut previous = upper(first);
    for c in chars {
        let mut c = c;
        if is_connector(c) && is_connector(previous) {
            out.push(previous);
            continue;
        }
        if is_connector(previous) {
            in_capitals = c.is_uppercase();
            c = upper(c);
        } else {
            if in_capitals && c.is_uppercase() {
                c = lower(c);
            } else {
                in_capitals = false;
            }
            out.push(previous);
        }
        previous = c;
    }
    out.push(previous);
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// The end of the text.
    End,
    Number,
    /// Begins with a capital.
    Upper,
    Small,
    Connector,
    Punctuation,
    Other,
}

impl Kind {
    fn is_small_or_number(self) -> bool {
        matches!(self, Self::Small | Self::Number)
    }

    fn needs_connector(self) -> bool {
        !matches!(self, Self::Connector | Self::Punctuation)
    }
}

pub(crate) fn is_letter(c: char) -> bool {
    // Ideographs and kana have no case; the library does not take them for letters of a word.
    // Roman numbers, letters in circles and the iota below a vowel are none for Go.
    c.is_alphabetic()
        && !matches!(c, '\u{345}' | '\u{2160}'..='\u{2188}' | '\u{24b6}'..='\u{24e9}'
            | '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
}

fn is_punctuation(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_punctuation() && !"$+<=>^`|~".contains(c)
    } else {
        matches!(c, '\u{a1}' | '\u{a7}' | '\u{ab}' | '\u{b6}' | '\u{b7}' | '\u{bb}' | '\u{bf}'
            | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{3001}'..='\u{3003}'
            | '\u{3008}'..='\u{3011}')
    }
}

/// The word at the start of the text, and what follows it.
fn next_word(text: &str) -> (Kind, &str, &str) {
    let mut chars = text.chars();
    let Some(first) = chars.next() else { return (Kind::End, "", "") };
    let run = |fits: &dyn Fn(char) -> bool| {
        text.char_indices().skip(1).find(|(_, c)| !fits(*c)).map_or(text.len(), |(at, _)| at)
    };
    let small = |c: char| is_letter(c) && !c.is_uppercase();
    let (kind, end) = match first {
        c if is_connector(c) => (Kind::Connector, run(&is_connector)),
        c if is_punctuation(c) => (Kind::Punctuation, run(&is_punctuation)),
        c if is_letter(c) && c.is_uppercase() => {
            (Kind::Upper, upper_word(text, run(&small), chars.next()))
        }
        c if is_letter(c) => (Kind::Small, run(&small)),
        c if c.is_numeric() => (Kind::Number, run(&char::is_numeric)),
        _ => {
            let other =
                |c: char| !(is_connector(c) || is_letter(c) || c.is_numeric() || is_punctuation(c));
            (Kind::Other, run(&other))
        }
    };
    let (word, rest) = text.split_at(end);
    (kind, word, rest)
}

/// `Status` whole, and of `HTTPStatus` the `HTTP`.
fn upper_word(text: &str, capitalized_end: usize, second: Option<char>) -> usize {
    if !second.is_some_and(char::is_uppercase) {
        return capitalized_end;
    }
    let capitals = text.char_indices().take_while(|(_, c)| c.is_uppercase());
    let Some((last, c)) = capitals.last() else { return capitalized_end };
    let end = last + c.len_utf8();
    let followed_by_letter =
        text.get(end..).and_then(|rest| rest.chars().next()).is_some_and(is_letter);
    if followed_by_letter { last } else { end }
}

/// Words in small letters with a connector between them; a number goes with the word before it,
/// unless small letters follow the number.
fn joined(text: &str, connector: char) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let (mut kind, mut word, mut rest) = next_word(text);
    while !rest.is_empty() {
        if kind != Kind::Connector {
            push(&mut out, kind, word, connector);
        }
        let (before, last) = (kind, word);
        (kind, word, rest) = next_word(rest);
        match before {
            Kind::Number => {
                while kind.is_small_or_number() {
                    push(&mut out, kind, word, connector);
                    (kind, word, rest) = next_word(rest);
                }
                if kind != Kind::End && kind.needs_connector() {
                    out.push(connector);
                }
            }
            Kind::Connector => push(&mut out, before, last, connector),
            Kind::Punctuation => {}
            _ if kind != Kind::Number => {
                if kind.needs_connector() {
                    out.push(connector);
                }
            }
            _ if rest.is_empty() => {}
            _ => {
                let number = word;
                (kind, word, rest) = next_word(rest);
                if kind != Kind::Small {
                    push(&mut out, Kind::Number, number, connector);
                    if kind.needs_connector() {
                        out.push(connector);
                    }
                    continue;
                }
                out.push(connector);
                push(&mut out, Kind::Number, number, connector);
                while kind.is_small_or_number() {
                    push(&mut out, kind, word, connector);
                    (kind, word, rest) = next_word(rest);
                }
                if kind != Kind::End && kind.needs_connector() {
                    out.push(connector);
                }
            }
        }
    }
    push(&mut out, kind, word, connector);
    out
}

fn push(out: &mut String, kind: Kind, word: &str, connector: char) {
    if !matches!(kind, Kind::Upper | Kind::Connector) {
        out.push_str(word);
        return;
    }
    out.extend(word.chars().map(|c| if is_connector(c) { connector } else { lower(c) }));
}
