//! From Go's syntax to the regex crate's.

use crate::class::{self, part};
use crate::error::{Error, ErrorKind};

/// Go's limit for nested groups.
const MAX_DEPTH: usize = 1000;
/// Go's limit for `{n}`, nested ones multiplied.
const MAX_REPEAT: u32 = 1000;
/// Limit: ours, for the whole pattern.
const MAX_BYTES: usize = 1 << 20;

/// The pattern for the regex crate, and the names of its groups by number.
///
/// # Errors
/// What Go's parser objects to.
pub(crate) fn translate(pattern: &str) -> Result<(String, Vec<String>), Error> {
    if pattern.len() > MAX_BYTES {
        return Err(Error::new(ErrorKind::Large, pattern.get(..40).unwrap_or_default()));
    }
    let mut translator = Translator {
        pattern,
        out: String::with_capacity(pattern.len() + 16),
        names: vec![String::new()],
        open: Vec::new(),
        level: Level::default(),
    };
    translator.run()?;
    Ok((translator.out, translator.names))
}

struct Translator<'p> {
    pattern: &'p str,
    out: String,
    names: Vec<String>,
    /// Groups around, outermost first.
    open: Vec<Level>,
    level: Level,
}

/// What is known of the group being read.
#[derive(Clone, Copy, Default)]
struct Level {
    /// How often the last operand may be repeated within itself; `None` if nothing can be
    /// repeated here.
    operand: Option<u32>,
    /// The most of those of all operands.
    most: u32,
}

impl Level {
    fn push(&mut self, repeats: u32) {
        self.operand = Some(repeats);
        self.most = self.most.max(repeats);
    }
}

impl<'p> Translator<'p> {
    fn run(&mut self) -> Result<(), Error> {
        let mut rest = self.pattern;
        // The repetition that was just read, from its operator on.
        let mut repetition: Option<&str> = None;
        while let Some(c) = rest.chars().next() {
            let previous = repetition.take();
            let after = rest.get(c.len_utf8()..).unwrap_or_default();
            rest = match c {
                '(' => self.group(rest)?,
                ')' => {
                    self.close()?;
                    after
                }
                '|' => {
                    self.out.push('|');
                    self.level.operand = None;
                    after
                }
                '^' | '$' | '.' => {
                    self.out.push(c);
                    self.level.push(1);
                    after
                }
                '[' => {
                    let after = class::bracketed(rest, &mut self.out)?;
                    self.level.push(1);
                    after
                }
                '*' | '+' | '?' => {
                    repetition = Some(rest);
                    self.repeat(rest, after, previous, 1)?
                }
                '{' => match counts(rest) {
                    None => {
                        self.literal('{');
                        after
                    }
                    Some((range, after)) => {
                        let most = check_counts(&range)
                            .ok_or_else(|| Error::new(ErrorKind::RepeatSize, part(rest, after)))?;
                        repetition = Some(rest);
                        self.repeat(rest, after, previous, most)?
                    }
                },
                '\\' => self.backslash(rest)?,
                c => {
                    self.literal(c);
                    after
                }
            };
        }
        if self.open.is_empty() {
            Ok(())
        } else {
            Err(Error::new(ErrorKind::MissingParen, self.pattern))
        }
    }

    fn literal(&mut self, c: char) {
        push_char(&mut self.out, u32::from(c));
        self.level.push(1);
    }

    fn close(&mut self) -> Result<(), Error> {
        let Some(mut outer) = self.open.pop() else {
            return Err(Error::new(ErrorKind::UnexpectedParen, self.pattern));
        };
        self.out.push(')');
        outer.push(self.level.most.max(1));
        self.level = outer;
        Ok(())
    }

    fn open(&mut self, start: &str) -> Result<(), Error> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Error::new(ErrorKind::NestingDepth, self.pattern));
        }
        self.out.push_str(start);
        self.open.push(std::mem::take(&mut self.level));
        Ok(())
    }

    /// `(`, `(?P<name>`, `(?<name>`, `(?flags:` or `(?flags)`
    fn group(&mut self, text: &'p str) -> Result<&'p str, Error> {
        let Some(body) = text.strip_prefix("(?") else {
            self.names.push(String::new());
            self.open("(")?;
            return Ok(text.get(1..).unwrap_or_default());
        };
        let named = body.strip_prefix("P<").or_else(|| body.strip_prefix('<'));
        // Too short to be one: then it is read as flags.
        if let Some(name) = named.filter(|name| !name.is_empty()) {
            return self.named_group(text, name);
        }
        self.flags(text, body)
    }

    fn named_group(&mut self, text: &'p str, body: &'p str) -> Result<&'p str, Error> {
        let invalid = |part: &str| Error::new(ErrorKind::NamedCapture, part);
        let (name, rest) = body.split_once('>').ok_or_else(|| invalid(text))?;
        if name.is_empty() || !name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric()) {
            return Err(invalid(part(text, rest)));
        }
        // Nameless in the translation: Go's names may begin with a digit, and may repeat.
        self.names.push(name.to_owned());
        self.open("(")?;
        Ok(rest)
    }

    fn flags(&mut self, text: &'p str, body: &'p str) -> Result<&'p str, Error> {
        let mut chars = body.chars();
        let mut flags = String::new();
        let mut negated = false;
        while let Some(c) = chars.next() {
            match c {
                'i' | 'm' | 's' | 'U' => {
                    // The regex crate refuses a flag that is given twice.
                    if !flags.contains(c) {
                        flags.push(c);
                    }
                }
                '-' if !negated => {
                    negated = true;
                    flags.push('-');
                }
                ':' if !flags.ends_with('-') => {
                    self.open(&format!("(?{flags}:"))?;
                    return Ok(chars.as_str());
                }
                ')' if !flags.ends_with('-') => {
                    if !flags.is_empty() {
                        self.out.extend(["(?", &flags, ")"]);
                    }
                    return Ok(chars.as_str());
                }
                _ => break,
            }
        }
        Err(Error::new(ErrorKind::PerlOp, part(text, chars.as_str())))
    }

    /// A repetition; `most` is how often its operand may come at most.
    fn repeat(
        &mut self,
        text: &'p str,
        after: &'p str,
        previous: Option<&str>,
        most: u32,
    ) -> Result<&'p str, Error> {
        let after = after.strip_prefix('?').unwrap_or(after);
        if let Some(previous) = previous {
            return Err(Error::new(ErrorKind::RepeatOp, part(previous, after)));
        }
        let Some(inner) = self.level.operand else {
            return Err(Error::new(ErrorKind::MissingRepeatArgument, part(text, after)));
        };
        let repeats = inner.saturating_mul(most.max(1));
        if most >= 2 && repeats > MAX_REPEAT {
            return Err(Error::new(ErrorKind::RepeatSize, part(text, after)));
        }
        self.out.push_str(part(text, after));
        self.level.push(repeats);
        Ok(after)
    }

    fn backslash(&mut self, text: &'p str) -> Result<&'p str, Error> {
        let kind = text.get(1..).and_then(|rest| rest.chars().next());
        let after = text.get(2..).unwrap_or_default();
        let assertion = match kind {
            Some('A') => r"\A",
            Some('z') => r"\z",
            Some('b') => r"(?-u:\b)",
            Some('B') => r"(?-u:\B)",
            Some('C') => return Err(Error::new(ErrorKind::Escape, part(text, after))),
            Some('Q') => {
                let (quoted, rest) = after.split_once(r"\E").unwrap_or((after, ""));
                quoted.chars().for_each(|c| self.literal(c));
                return Ok(rest);
            }
            _ => "",
        };
        self.level.push(1);
        if !assertion.is_empty() {
            self.out.push_str(assertion);
            return Ok(after);
        }
        if let Some(rest) = class::unicode(text, &mut self.out)? {
            return Ok(rest);
        }
        if let Some(rest) = class::perl(text, &mut self.out) {
            return Ok(rest);
        }
        let (code, rest) = class::escape(text)?;
        push_char(&mut self.out, code);
        Ok(rest)
    }
}

/// Counts of a repetition: at least, and at most if given.
struct Counts {
    least: u32,
    most: Option<u32>,
}

/// Reads `{n}`, `{n,}` or `{n,m}`; anything else is an ordinary brace.
fn counts(text: &str) -> Option<(Counts, &str)> {
    let (body, rest) = text.get(1..)?.split_once('}')?;
    let (least, most) = match body.split_once(',') {
        Some((least, "")) => (number(least)?, None),
        Some((least, most)) => (number(least)?, Some(number(most)?)),
        None => (number(body)?, Some(number(body)?)),
    };
    Some((Counts { least, most }, rest))
}

/// `None` if it is no number, or has a leading zero. What is too large to hold is the largest.
fn number(text: &str) -> Option<u32> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    (canonical && digits).then(|| text.parse().unwrap_or(u32::MAX))
}

/// How often the operand may come at most, or at least if there is no most. `None` if that is too
/// often, or the most is less than the least.
fn check_counts(counts: &Counts) -> Option<u32> {
    let most = counts.most.unwrap_or(counts.least);
    (counts.least <= most && most <= MAX_REPEAT).then_some(most)
}

/// Writes a character so that it means itself.
pub(crate) fn push_char(out: &mut String, code: u32) {
    use std::fmt::Write as _;
    match char::from_u32(code) {
        Some(c) if c.is_ascii_alphanumeric() || (!c.is_ascii() && !c.is_whitespace()) => {
            out.push(c);
        }
        // Limit: a surrogate, which no text holds, is written as U+FFFD.
        None => out.push(char::REPLACEMENT_CHARACTER),
        Some(_) => {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\x{{{code:x}}}");
        }
    }
}
