//! Text to tokens.

mod literal;
mod token;

use std::borrow::Cow;

pub(crate) use token::{Kind, Token};

/// Gives one token after the other.
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub(crate) struct Lexer<'t> {
    input: &'t str,
    pos: usize,
    start: usize,
    line: usize,
    start_line: usize,
    paren_depth: usize,
    inside_action: bool,
    failed: bool,
    /// Whether `break` and `continue` are words of the language; not if functions are so named.
    pub(crate) break_is_keyword: bool,
    pub(crate) continue_is_keyword: bool,
}

const LEFT_DELIM: &str = "{{";
const RIGHT_DELIM: &str = "}}";
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];

impl<'t> Lexer<'t> {
    pub(crate) fn new(input: &'t str) -> Self {
        Self {
            input,
            pos: 0,
            start: 0,
            line: 1,
            start_line: 1,
            paren_depth: 0,
            inside_action: false,
            failed: false,
            break_is_keyword: true,
            continue_is_keyword: true,
        }
    }

    pub(crate) fn next_token(&mut self) -> Token<'t> {
        if self.failed {
            return Token { kind: Kind::Eof, pos: 0, line: self.start_line, text: "EOF".into() };
        }
        if self.inside_action { self.lex_inside_action() } else { self.lex_text() }
    }

    fn rest(&self) -> &'t str {
        self.input.get(self.pos..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.pos += next.len_utf8();
        if next == '\n' {
            self.line += 1;
        }
        Some(next)
    }

    fn accept(&mut self, valid: impl Fn(char) -> bool) -> bool {
        let fits = self.peek().is_some_and(valid);
        if fits {
            self.bump();
        }
        fits
    }

    fn accept_run(&mut self, valid: impl Fn(char) -> bool) {
        while self.accept(&valid) {}
    }

    fn pending(&self) -> &'t str {
        self.input.get(self.start..self.pos).unwrap_or_default()
    }

    fn emit(&mut self, kind: Kind) -> Token<'t> {
        let token =
            Token { kind, pos: self.start, line: self.start_line, text: self.pending().into() };
        self.start = self.pos;
        self.start_line = self.line;
        token
    }

    /// Skips what is pending, which was not read through `bump`, and so counts its lines.
    fn ignore(&mut self) {
        self.line += newlines(self.pending());
        self.start = self.pos;
        self.start_line = self.line;
    }

    fn fail(&mut self, message: impl Into<Cow<'t, str>>) -> Token<'t> {
        self.failed = true;
        Token { kind: Kind::Error, pos: self.start, line: self.start_line, text: message.into() }
    }

    fn lex_text(&mut self) -> Token<'t> {
        loop {
            let Some(found) = self.rest().find(LEFT_DELIM) else {
                self.pos = self.input.len();
                if self.pos > self.start {
                    self.line += newlines(self.pending());
                    return self.emit(Kind::Text);
                }
                return self.emit(Kind::Eof);
            };
            if found > 0 {
                self.pos += found;
                let text_end = self.pos;
                let after = self.input.get(text_end + LEFT_DELIM.len()..).unwrap_or_default();
                if has_left_trim_marker(after) {
                    self.pos = self.start + self.pending().trim_end_matches(SPACES).len();
                }
                self.line += newlines(self.pending());
                let text = self.emit(Kind::Text);
                self.pos = text_end;
                self.ignore();
                if !text.text.is_empty() {
                    return text;
                }
            }
            if let Some(token) = self.lex_left_delim() {
                return token;
            }
        }
    }

    /// `None` after a comment: text goes on.
    fn lex_left_delim(&mut self) -> Option<Token<'t>> {
        self.pos += LEFT_DELIM.len();
        let after_marker = if has_left_trim_marker(self.rest()) { 2 } else { 0 };
        let body = self.rest().get(after_marker..).unwrap_or_default();
        if body.starts_with("/*") {
            self.pos += after_marker;
            self.ignore();
            return self.lex_comment();
        }
        let token = self.emit(Kind::LeftDelim);
        self.inside_action = true;
        self.pos += after_marker;
        self.ignore();
        self.paren_depth = 0;
        Some(token)
    }

    fn lex_comment(&mut self) -> Option<Token<'t>> {
        self.pos += "/*".len();
        let Some(end) = self.rest().find("*/") else {
            return Some(self.fail("unclosed comment"));
        };
        self.pos += end + "*/".len();
        let Some(trim) = self.at_right_delim() else {
            return Some(self.fail("comment ends before closing delimiter"));
        };
        self.skip_right_delim(trim);
        self.ignore();
        None
    }

    /// Whether the closing delimiter comes now, and if so, whether with a trim marker.
    fn at_right_delim(&self) -> Option<bool> {
        let rest = self.rest();
        if has_right_trim_marker(rest)
            && rest.get(2..).is_some_and(|after| after.starts_with(RIGHT_DELIM))
        {
            return Some(true);
        }
        rest.starts_with(RIGHT_DELIM).then_some(false)
    }

    fn skip_right_delim(&mut self, trim: bool) {
        if trim {
            self.pos += 2;
        }
        self.pos += RIGHT_DELIM.len();
        if trim {
            self.skip_spaces();
        }
    }

    fn skip_spaces(&mut self) {
        let rest = self.rest();
        self.pos += rest.len() - rest.trim_start_matches(SPACES).len();
    }

    fn lex_right_delim(&mut self, trim: bool) -> Token<'t> {
        if trim {
            self.pos += 2;
            self.ignore();
        }
        self.pos += RIGHT_DELIM.len();
        let token = self.emit(Kind::RightDelim);
        if trim {
            self.skip_spaces();
            self.ignore();
        }
        self.inside_action = false;
        token
    }

    fn lex_inside_action(&mut self) -> Token<'t> {
        if let Some(trim) = self.at_right_delim() {
            if self.paren_depth == 0 {
                return self.lex_right_delim(trim);
            }
            return self.fail("unclosed left paren");
        }
        let Some(next) = self.bump() else { return self.fail("unclosed action") };
        match next {
            ' ' | '\t' | '\r' | '\n' => self.lex_space(),
            '=' => self.emit(Kind::Assign),
            ':' => {
                if self.bump() == Some('=') {
                    self.emit(Kind::Declare)
                } else {
                    self.fail("expected :=")
                }
            }
            '|' => self.emit(Kind::Pipe),
            '"' => self.lex_quoted('"', Kind::String, "unterminated quoted string"),
            '\'' => self.lex_quoted('\'', Kind::CharConstant, "unterminated character constant"),
            '`' => self.lex_raw_quote(),
            '$' => self.lex_field_or_variable(Kind::Variable),
            '.' if !self.rest().starts_with(|c: char| c.is_ascii_digit())
                && !self.rest().is_empty() =>
            {
                self.lex_field_or_variable(Kind::Field)
            }
            '.' | '+' | '-' | '0'..='9' => {
                self.pos -= 1;
                self.lex_number()
            }
            c if is_alphanumeric(c) => self.lex_identifier(),
            '(' => {
                self.paren_depth += 1;
                self.emit(Kind::LeftParen)
            }
            ')' => match self.paren_depth.checked_sub(1) {
                Some(depth) => {
                    self.paren_depth = depth;
                    self.emit(Kind::RightParen)
                }
                None => self.fail("unexpected right paren"),
            },
            ' '..='~' => self.emit(Kind::Char),
            c => self.fail(format!("unrecognized character in action: {}", unicode(c))),
        }
    }

    /// A run of spaces; its last one may belong to a closing delimiter with a trim marker.
    fn lex_space(&mut self) -> Token<'t> {
        self.accept_run(is_space);
        let before_last = self.pos - 1;
        let tail = self.input.get(before_last..).unwrap_or_default();
        if has_right_trim_marker(tail)
            && tail.get(2..).is_some_and(|after| after.starts_with(RIGHT_DELIM))
        {
            self.pos = before_last;
            if tail.starts_with('\n') {
                self.line -= 1;
            }
            if self.pos == self.start {
                return self.lex_right_delim(true);
            }
        }
        self.emit(Kind::Space)
    }

    fn lex_identifier(&mut self) -> Token<'t> {
        self.accept_run(is_alphanumeric);
        if let Some(bad) = self.bad_terminator() {
            return bad;
        }
        let kind = match self.pending() {
            "block" => Kind::Block,
            "break" if self.break_is_keyword => Kind::Break,
            "continue" if self.continue_is_keyword => Kind::Continue,
            "define" => Kind::Define,
            "else" => Kind::Else,
            "end" => Kind::End,
            "if" => Kind::If,
            "range" => Kind::Range,
            "nil" => Kind::Nil,
            "template" => Kind::Template,
            "with" => Kind::With,
            "true" | "false" => Kind::Bool,
            _ => Kind::Identifier,
        };
        self.emit(kind)
    }

    /// The `.` or `$` has been read.
    fn lex_field_or_variable(&mut self, kind: Kind) -> Token<'t> {
        if self.at_terminator() {
            return self.emit(if kind == Kind::Variable { Kind::Variable } else { Kind::Dot });
        }
        self.accept_run(is_alphanumeric);
        if let Some(bad) = self.bad_terminator() {
            return bad;
        }
        self.emit(kind)
    }

    fn bad_terminator(&mut self) -> Option<Token<'t>> {
        if self.at_terminator() {
            return None;
        }
        let message = format!("bad character {}", self.peek().map_or_else(String::new, unicode));
        Some(self.fail(message))
    }

    /// Whether what comes now may follow an identifier.
    fn at_terminator(&self) -> bool {
        match self.peek() {
            None | Some(' ' | '\t' | '\r' | '\n' | '.' | ',' | '|' | ':' | ')' | '(') => true,
            Some(_) => self.rest().starts_with(RIGHT_DELIM),
        }
    }
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|b| *b == b'\n').count()
}

fn is_space(c: char) -> bool {
    SPACES.contains(&c)
}

fn is_alphanumeric(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn has_left_trim_marker(text: &str) -> bool {
    matches!(text.as_bytes(), [b'-', b' ' | b'\t' | b'\r' | b'\n', ..])
}

fn has_right_trim_marker(text: &str) -> bool {
    matches!(text.as_bytes(), [b' ' | b'\t' | b'\r' | b'\n', b'-', ..])
}

/// A character as `%#U` prints it.
fn unicode(c: char) -> String {
    let code = u32::from(c);
    if go_quote::is_print(c) { format!("U+{code:04X} '{c}'") } else { format!("U+{code:04X}") }
}
