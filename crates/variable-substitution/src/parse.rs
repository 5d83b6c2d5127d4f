//! A text as its parts.

use crate::Error;
use crate::expression::{Case, End, Expression, Operation, Part, Which};

/// How deep expressions may stand in each other.
const MAX_DEPTH: usize = 64;

/// The parts of a whole text.
pub(crate) fn text(text: &str) -> Result<Vec<Part>, Error> {
    let mut scanner = Scanner { rest: text };
    let mut parts = Vec::new();
    while !scanner.rest.is_empty() {
        if scanner.take("${") {
            parts.push(Part::Expression(Box::new(expression(&mut scanner, 0)?)));
        } else {
            let text = scanner.run(|rest| match rest {
                // Every pair of dollars is one, whatever follows it.
                rest if rest.starts_with("$$") => Next::Escaped,
                rest if rest.starts_with("${") => Next::End,
                _ => Next::Taken,
            });
            parts.push(Part::Text(text));
        }
    }
    Ok(parts)
}

/// What follows `${`.
fn expression(scanner: &mut Scanner<'_>, depth: usize) -> Result<Expression, Error> {
    if depth >= MAX_DEPTH {
        return Err(Error::TooDeep { limit: MAX_DEPTH });
    }
    if scanner.take("#") {
        let name = scanner.name().ok_or(Error::Substitution)?;
        scanner.close()?;
        return Ok(Expression { name, operation: Operation::Length });
    }
    let name = scanner.name().ok_or(Error::Name)?;
    let operation = match scanner.peek() {
        Some(':') if !scanner.rest[1..].starts_with(['=', '-', '?', '+']) => {
            substring(scanner, depth)?
        }
        Some(':') => default(scanner, 2, depth)?,
        Some('=') => default(scanner, 1, depth)?,
        Some(',' | '^') => case(scanner)?,
        Some('/') => replace(scanner, depth)?,
        Some('#') => trim(scanner, End::Prefix, '#', depth)?,
        Some('%') => trim(scanner, End::Suffix, '%', depth)?,
        Some('}') => {
            scanner.close()?;
            Operation::Value
        }
        Some(_) | None => return Err(Error::ClosingBrace),
    };
    Ok(Expression { name, operation })
}

/// Flux: `:?` and `:+` do what `:-` does, and there is no `-` without colon (envsubst, funcs.go).
fn default(scanner: &mut Scanner<'_>, operator: usize, depth: usize) -> Result<Operation, Error> {
    scanner.rest = &scanner.rest[operator..];
    let mut parts = Vec::new();
    while !scanner.take("}") {
        parts.push(operand(scanner, depth, |c| c != '}', false)?);
    }
    Ok(Operation::Default(parts))
}

fn substring(scanner: &mut Scanner<'_>, depth: usize) -> Result<Operation, Error> {
    scanner.take(":");
    let offset = operand(scanner, depth, |c| !matches!(c, ':' | '}'), false)?;
    let mut length = None;
    if scanner.take(":") {
        while scanner.take(":") {}
        length = Some(operand(scanner, depth, |c| c != '}', false)?);
    }
    scanner.close()?;
    Ok(Operation::Substring { offset, length })
}

fn case(scanner: &mut Scanner<'_>) -> Result<Operation, Error> {
    let operator = scanner.operator(|c| matches!(c, ',' | '^'));
    let case = match operator {
        "^" => Case::FirstUpper,
        "^^" => Case::Upper,
        "," => Case::FirstLower,
        ",," => Case::Lower,
        _ => Case::AsIs,
    };
    scanner.close()?;
    Ok(Operation::Case(case))
}

fn trim(
    scanner: &mut Scanner<'_>,
    end: End,
    operator: char,
    depth: usize,
) -> Result<Operation, Error> {
    let longest = scanner.operator(|c| c == operator).len() == 2;
    let pattern = operand(scanner, depth, |c| c != '}', false)?;
    scanner.close()?;
    Ok(Operation::Trim { end, longest, pattern })
}

fn replace(scanner: &mut Scanner<'_>, depth: usize) -> Result<Operation, Error> {
    scanner.take("/");
    let which = match scanner.peek() {
        Some('/') => Which::All,
        Some('#') => Which::Prefix,
        Some('%') => Which::Suffix,
        Some(_) | None => Which::First,
    };
    if which != Which::First {
        scanner.rest = &scanner.rest[1..];
    }
    let pattern = operand(scanner, depth, |c| c != '/', true)?;
    if !scanner.take("/") {
        return Err(Error::Substitution);
    }
    while scanner.take("/") {}
    let mut replacement = None;
    if scanner.peek() != Some('}') {
        replacement = Some(operand(scanner, depth, |c| c != '}', true)?);
    }
    scanner.close()?;
    Ok(Operation::Replace { which, pattern, replacement })
}

/// An operand is one expression, or a text up to the next one or to what is not accepted.
fn operand(
    scanner: &mut Scanner<'_>,
    depth: usize,
    accepts: impl Fn(char) -> bool,
    has_escapes: bool,
) -> Result<Part, Error> {
    if scanner.take("${") {
        return Ok(Part::Expression(Box::new(expression(scanner, depth + 1)?)));
    }
    let text = scanner.run(|rest| {
        let is_escape = ["$$", "\\/", "\\\\"].iter().any(|escape| rest.starts_with(escape));
        match rest.chars().next() {
            _ if rest.starts_with("${") => Next::End,
            _ if has_escapes && is_escape => Next::Escaped,
            Some(c) if accepts(c) => Next::Taken,
            Some(_) | None => Next::End,
        }
    });
    if text.is_empty() { Err(Error::Operand) } else { Ok(Part::Text(text)) }
}

/// What is left of the text.
struct Scanner<'a> {
    rest: &'a str,
}

/// What the next character of a text is.
enum Next {
    Taken,
    /// Left out, and the one after it is taken.
    Escaped,
    End,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn take(&mut self, prefix: &str) -> bool {
        let rest = self.rest.strip_prefix(prefix);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn close(&mut self) -> Result<(), Error> {
        if self.take("}") { Ok(()) } else { Err(Error::Substitution) }
    }

    /// Letters, digits and `_`, those of other scripts included.
    fn name(&mut self) -> Option<String> {
        let is_inside = |c: char| c == '_' || c.is_alphabetic() || c.is_numeric();
        let end = self.rest.find(|c| !is_inside(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// One or two characters that are accepted.
    fn operator(&mut self, accepts: impl Fn(char) -> bool) -> &'a str {
        let length = self.rest.chars().take(2).take_while(|c| accepts(*c)).count();
        let (operator, rest) = self.rest.split_at(length);
        self.rest = rest;
        operator
    }

    /// A text up to its end.
    fn run(&mut self, next: impl Fn(&str) -> Next) -> String {
        let mut text = String::new();
        let mut chars = self.rest.chars();
        loop {
            match next(chars.as_str()) {
                Next::End => break,
                Next::Taken => {}
                Next::Escaped => _ = chars.next(),
            }
            let before = chars.as_str();
            let Some(c) = chars.next() else {
                self.rest = before;
                return text;
            };
            text.push(c);
        }
        self.rest = chars.as_str();
        text
    }
}
