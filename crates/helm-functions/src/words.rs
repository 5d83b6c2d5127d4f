//! Words and letters: case, wrapping, abbreviating.

use go_template::{Functions, Str, Type};

use crate::arguments::{int, ok, spend_letters, string, text};
use crate::cases::is_letter;

const S: Type = Type::String;
const I: Type = Type::INT;

pub(crate) fn register(f: &mut Functions) {
    letters(f, "upper", |text| text.chars().map(upper).collect());
    letters(f, "lower", |text| text.chars().map(lower).collect());
    letters(f, "title", title);
    letters(f, "untitle", untitle);
    letters(f, "swapcase", swap_case);
    f.add("nospace", [S], |call, a| {
        spend_letters(call, string(a, 0).len())?;
        ok(without_spaces(string(a, 0)))
    });
    f.add("initials", [S], |call, a| {
        spend_letters(call, string(a, 0).len())?;
        ok(initials(string(a, 0)))
    });
    f.add("abbrev", [I, S], |_, a| {
        let width = int(a, 0);
        ok(if width < 4 { string(a, 1).clone() } else { abbreviate(string(a, 1), 0, width) })
    });
    f.add("abbrevboth", [I, I, S], |_, a| {
        let (left, right, whole) = (int(a, 0), int(a, 1), string(a, 2));
        let too_narrow = right < 4 || left > 0 && right < 7;
        ok(if too_narrow { whole.clone() } else { abbreviate(whole, left, right) })
    });
    f.add("wrap", [I, S], |call, a| {
        call.make(string(a, 1).len().saturating_mul(2))?;
        ok(wrap(string(a, 1), int(a, 0), b"", false))
    });
    f.add("wrapWith", [I, S, S], |call, a| {
        let lines = string(a, 2).len().saturating_mul(string(a, 1).len().max(1) + 1);
        call.make(lines)?;
        ok(wrap(string(a, 2), int(a, 0), string(a, 1).as_bytes(), true))
    });
}

/// Adds a function that goes through a text letter by letter.
pub(crate) fn letters(f: &mut Functions, name: &str, change: fn(&str) -> String) {
    f.add(name, [S], move |call, a| {
        let text = text(a, 0);
        spend_letters(call, text.len())?;
        ok(change(&text))
    });
}

/// One character for one, as Go maps: `ß` has no capital of its own.
pub(crate) fn upper(c: char) -> char {
    let mut mapped = c.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(upper), None) => upper,
        _ => with_iota(c),
    }
}

/// Greek vowels with an iota below have a form for capitals that is one character.
fn with_iota(c: char) -> char {
    let further = match c {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => 8,
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => 9,
        _ => 0,
    };
    char::from_u32(u32::from(c) + further).unwrap_or(c)
}

/// One character for one, as Go maps.
pub(crate) fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// Go's `strings.Title`: a letter is a word's first if none of letters, digits and underscores
/// stands before it.
fn title(text: &str) -> String {
    let mut previous = ' ';
    let capitalize = |c: char| {
        let is_first = is_separator(previous);
        previous = c;
        if is_first { title_case(c) } else { c }
    };
    text.chars().map(capitalize).collect()
}

/// A capital, or of the letters that are two in one, the form with one capital.
fn title_case(c: char) -> char {
    match c {
        'Ǆ'..='ǆ' => 'ǅ',
        'Ǉ'..='ǉ' => 'ǈ',
        'Ǌ'..='ǌ' => 'ǋ',
        'Ǳ'..='ǳ' => 'ǲ',
        // Georgian has capitals, but only where all are.
        '\u{10d0}'..='\u{10fa}' | '\u{10fd}'..='\u{10ff}' => c,
        c => upper(c),
    }
}

/// Whether it is a form for the start of a word, and no capital.
const fn is_title_case(c: char) -> bool {
    matches!(c, 'ǅ' | 'ǈ' | 'ǋ' | 'ǲ'
        | '\u{1f88}'..='\u{1f8f}' | '\u{1f98}'..='\u{1f9f}' | '\u{1fa8}'..='\u{1faf}'
        | '\u{1fbc}' | '\u{1fcc}' | '\u{1ffc}')
}

fn is_separator(c: char) -> bool {
    if c.is_ascii() {
        !(c.is_ascii_alphanumeric() || c == '_')
    } else {
        !c.is_alphanumeric() && c.is_whitespace()
    }
}

/// The first letter of each word made small.
fn untitle(text: &str) -> String {
    let mut at_start = true;
    let change = |c: char| {
        if c.is_whitespace() {
            at_start = true;
            return c;
        }
        if std::mem::take(&mut at_start) { lower(c) } else { c }
    };
    text.chars().map(change).collect()
}

/// Capitals become small and small ones capitals, as at the start of a word.
fn swap_case(text: &str) -> String {
    let mut at_start = true;
    let swap = |c: char| {
        let is_first = std::mem::replace(&mut at_start, c.is_whitespace());
        match c {
            c if !is_letter(c) => c,
            c if c.is_uppercase() || is_title_case(c) => lower(c),
            c if c.is_lowercase() && is_first => title_case(c),
            c if c.is_lowercase() => upper(c),
            c => c,
        }
    };
    text.chars().map(swap).collect()
}

/// Flux: the library behind it takes bytes for characters, which garbles what is not ASCII as
/// soon as there is a space in it.
fn without_spaces(whole: &Str) -> Str {
    let kept: Vec<char> =
        whole.as_bytes().iter().copied().filter(|b| !is_latin_space(*b)).map(char::from).collect();
    if kept.len() == whole.len() {
        return whole.clone();
    }
    Str::from(kept.into_iter().collect::<String>())
}

fn is_latin_space(byte: u8) -> bool {
    matches!(byte, b'\t'..=b'\r' | b' ' | 0x85 | 0xa0)
}

/// First letters of words; bytes for characters here too.
fn initials(whole: &Str) -> String {
    let mut after_gap = true;
    let mut out = String::new();
    for byte in whole.as_bytes() {
        if is_latin_space(*byte) {
            after_gap = true;
        } else if std::mem::take(&mut after_gap) {
            out.push(char::from(*byte));
        }
    }
    out
}

/// Cuts to a width, with `...` where something was left out; cuts at bytes.
fn abbreviate(whole: &Str, offset: i64, width: i64) -> Str {
    let bytes = whole.as_bytes();
    let width = usize::try_from(width).unwrap_or(0);
    if width < 4 || bytes.len() <= width {
        return if width < 4 { Str::default() } else { whole.clone() };
    }
    let room = width - 3;
    let offset = usize::try_from(offset).unwrap_or(0).min(bytes.len()).min(bytes.len() - room);
    let cut = |from: usize, to: usize| bytes.get(from..to).unwrap_or_default();
    if offset <= 4 {
        return Str::from([cut(0, room), b"..."].concat());
    }
    if width < 7 {
        return Str::default();
    }
    if offset + room < bytes.len() {
        let tail = abbreviate(
            &Str::from(cut(offset, bytes.len())),
            0,
            i64::try_from(room).unwrap_or(i64::MAX),
        );
        return Str::from([b"...", tail.as_bytes()].concat());
    }
    Str::from([b"...", cut(bytes.len() - room, bytes.len())].concat())
}

/// Breaks lines at spaces; words that are too long are broken only if asked to.
fn wrap(whole: &Str, width: i64, line_end: &[u8], break_words: bool) -> Str {
    let bytes = whole.as_bytes();
    let line_end = if line_end.is_empty() { b"\n" } else { line_end };
    let width = usize::try_from(width).unwrap_or(1).max(1);
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while bytes.len() - at > width {
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.first() == Some(&b' ') {
            at += 1;
            continue;
        }
        let line = rest.get(..=width).unwrap_or(rest);
        let (taken, skipped) = match line.iter().rposition(|b| *b == b' ') {
            Some(space) => (space, space + 1),
            None if break_words => (width, width),
            None => {
                let space = rest.iter().skip(width).position(|b| *b == b' ');
                let end = space.map_or(rest.len(), |space| width + space);
                if space.is_none() {
                    // The last word is too long: it is the last line too.
                    break;
                }
                (end, end + 1)
            }
        };
        out.extend_from_slice(rest.get(..taken).unwrap_or_default());
        out.extend_from_slice(line_end);
        at += skipped;
    }
    out.extend_from_slice(bytes.get(at..).unwrap_or_default());
    Str::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_without_one_capital_are_mapped_as_in_go() {
        let upper_case = |text: &str| text.chars().map(upper).collect::<String>();
        assert_eq!(upper_case("ßﬁǆᾀᾳ"), "ßﬁǄᾈᾼ");
        assert_eq!(title("ǆx ᾳ ა ß"), "ǅx ᾼ ა ß");
        assert_eq!(swap_case("ǆǆ ǅ ᾼ ⅷ Aß"), "ǅǄ ǆ ᾳ ⅷ aß");
    }
}
