//! Escapes and character classes.

use crate::error::{Error, ErrorKind};
use crate::translate::push_char;

/// Reads a bracketed class at the start of the text and returns what follows.
pub(crate) fn bracketed<'p>(text: &'p str, out: &mut String) -> Result<&'p str, Error> {
    let mut rest = text.get(1..).unwrap_or_default();
    out.push('[');
    if let Some(after) = rest.strip_prefix('^') {
        out.push('^');
        rest = after;
    }
    // A bracket that comes first is an ordinary character.
    let mut first = true;
    while first || !rest.starts_with(']') {
        first = false;
        if let Some(after) = posix(rest, out)? {
            rest = after;
        } else if let Some(after) = unicode(rest, out)? {
            rest = after;
        } else if let Some(after) = perl(rest, out) {
            rest = after;
        } else {
            rest = range(rest, text, out)?;
        }
    }
    out.push(']');
    Ok(rest.get(1..).unwrap_or_default())
}

fn range<'p>(text: &'p str, class: &str, out: &mut String) -> Result<&'p str, Error> {
    let (low, mut rest) = class_char(text, class)?;
    let mut high = low;
    // `[a-]` is `a` or a hyphen.
    if let Some(after) = rest.strip_prefix('-')
        && !after.is_empty()
        && !after.starts_with(']')
    {
        (high, rest) = class_char(after, class)?;
        if high < low {
            return Err(Error::new(ErrorKind::CharRange, part(text, rest)));
        }
    }
    push_char(out, low);
    if high != low {
        out.push('-');
        push_char(out, high);
    }
    Ok(rest)
}

fn class_char<'p>(text: &'p str, class: &str) -> Result<(u32, &'p str), Error> {
    if text.starts_with('\\') {
        return escape(text);
    }
    let mut chars = text.chars();
    let c = chars.next().ok_or_else(|| Error::new(ErrorKind::MissingBracket, class))?;
    Ok((u32::from(c), chars.as_str()))
}

/// `[:alpha:]`
fn posix<'p>(text: &'p str, out: &mut String) -> Result<Option<&'p str>, Error> {
    let Some(body) = text.strip_prefix("[:") else { return Ok(None) };
    let Some((name, rest)) = body.split_once(":]") else { return Ok(None) };
    let known = [
        "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct",
        "space", "upper", "word", "xdigit",
    ];
    if !known.contains(&name.strip_prefix('^').unwrap_or(name)) {
        return Err(Error::new(ErrorKind::CharRange, part(text, rest)));
    }
    // The regex crate has the same classes, ASCII too.
    out.push_str(part(text, rest));
    Ok(Some(rest))
}

/// `\d`, `\W` …: ASCII in Go.
pub(crate) fn perl<'p>(text: &'p str, out: &mut String) -> Option<&'p str> {
    let body = text.strip_prefix('\\')?;
    let class = match body.chars().next()? {
        'd' => "[0-9]",
        'D' => "[^0-9]",
        's' => r"[\t\n\x0c\r ]",
        'S' => r"[^\t\n\x0c\r ]",
        'w' => "[0-9A-Za-z_]",
        'W' => "[^0-9A-Za-z_]",
        _ => return None,
    };
    out.push_str(class);
    body.get(1..)
}

/// `\pL`, `\p{Greek}`, `\P{^Lu}`
pub(crate) fn unicode<'p>(text: &'p str, out: &mut String) -> Result<Option<&'p str>, Error> {
    let Some(body) = text.strip_prefix(r"\p").or_else(|| text.strip_prefix(r"\P")) else {
        return Ok(None);
    };
    let Some(first) = body.chars().next() else { return Ok(None) };
    let (name, rest) = if first == '{' {
        body.get(1..)
            .and_then(|name| name.split_once('}'))
            .ok_or_else(|| Error::new(ErrorKind::CharRange, text))?
    } else {
        body.split_at(first.len_utf8())
    };
    let mut negated = text.starts_with(r"\P");
    let name = match name.strip_prefix('^') {
        Some(name) => {
            negated = !negated;
            name
        }
        None => name,
    };
    let unknown = || Error::new(ErrorKind::CharRange, part(text, rest));
    // Go's names are spelled in one way only; the regex crate is lax, and knows properties too.
    let plain = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
        && (name.len() < 3 || name != name.to_ascii_uppercase());
    if !plain {
        return Err(unknown());
    }
    let class = format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' });
    regex::Regex::new(&class).map_err(|_unknown| unknown())?;
    out.push_str(&class);
    Ok(Some(rest))
}

/// One escaped character, as its code point.
pub(crate) fn escape(text: &str) -> Result<(u32, &str), Error> {
    let body = text.get(1..).unwrap_or_default();
    let mut chars = body.chars();
    let Some(c) = chars.next() else {
        return Err(Error::new(ErrorKind::TrailingBackslash, ""));
    };
    let rest = chars.as_str();
    let plain = |code: u32| Ok((code, rest));
    match c {
        // A lone digit would be a back reference, which there is none of.
        '1'..='7' if !rest.starts_with(|c: char| c.is_digit(8)) => {}
        '0'..='7' => return Ok(octal(body)),
        'x' => return hex(text, rest),
        'a' => return plain(7),
        'f' => return plain(12),
        'n' => return plain(10),
        'r' => return plain(13),
        't' => return plain(9),
        'v' => return plain(11),
        c if c.is_ascii() && !c.is_ascii_alphanumeric() => return plain(u32::from(c)),
        _ => {}
    }
    Err(Error::new(ErrorKind::Escape, part(text, rest)))
}

fn octal(text: &str) -> (u32, &str) {
    let digits = text.bytes().take(3).take_while(|b| (b'0'..b'8').contains(b)).count();
    let (digits, rest) = text.split_at(digits);
    (digits.bytes().fold(0, |code, digit| code * 8 + u32::from(digit - b'0')), rest)
}

fn hex<'p>(text: &str, body: &'p str) -> Result<(u32, &'p str), Error> {
    let fail = |rest: &str| Err(Error::new(ErrorKind::Escape, part(text, rest)));
    let mut chars = body.chars();
    let Some(first) = chars.next() else { return fail("") };
    if first != '{' {
        let second = chars.next().and_then(|c| c.to_digit(16));
        return match (first.to_digit(16), second) {
            (Some(high), Some(low)) => Ok((high * 16 + low, chars.as_str())),
            _ => fail(chars.as_str()),
        };
    }
    let mut code = 0_u32;
    let mut digits = 0;
    loop {
        let Some(c) = chars.next() else { return fail("") };
        if c == '}' && digits > 0 {
            return Ok((code, chars.as_str()));
        }
        let Some(digit) = c.to_digit(16) else { return fail(chars.as_str()) };
        code = code * 16 + digit;
        digits += 1;
        if code > u32::from(char::MAX) {
            return fail(chars.as_str());
        }
    }
}

/// What was read of the text, if this is what is left of it.
pub(crate) fn part<'p>(text: &'p str, rest: &str) -> &'p str {
    text.get(..text.len().saturating_sub(rest.len())).unwrap_or(text)
}
