//! Texts, characters and numbers.

use super::{Kind, Lexer, Token, is_alphanumeric};

impl<'t> Lexer<'t> {
    pub(super) fn lex_quoted(
        &mut self,
        quote: char,
        kind: Kind,
        unterminated: &'static str,
    ) -> Token<'t> {
        loop {
            let next = match self.bump() {
                Some('\\') => self.bump().filter(|escaped| *escaped != '\n').map(|_| '\\'),
                other => other,
            };
            match next {
                None | Some('\n') => return self.fail(unterminated),
                Some(c) if c == quote => return self.emit(kind),
                Some(_) => {}
            }
        }
    }

    pub(super) fn lex_raw_quote(&mut self) -> Token<'t> {
        loop {
            match self.bump() {
                None => return self.fail("unterminated raw quoted string"),
                Some('`') => return self.emit(Kind::RawString),
                Some(_) => {}
            }
        }
    }

    /// Takes more than is valid, such as `089`; the parser tells.
    pub(super) fn lex_number(&mut self) -> Token<'t> {
        if !self.scan_number() {
            return self.bad_number();
        }
        if matches!(self.peek(), Some('+' | '-')) {
            if !self.scan_number() || !self.pending().ends_with('i') {
                return self.bad_number();
            }
            return self.emit(Kind::Complex);
        }
        self.emit(Kind::Number)
    }

    fn bad_number(&mut self) -> Token<'t> {
        let text = go_quote::double(self.pending().as_bytes());
        self.fail(format!("bad number syntax: {text}"))
    }

    fn scan_number(&mut self) -> bool {
        self.accept(|c| matches!(c, '+' | '-'));
        let mut radix = 10;
        if self.accept(|c| c == '0') {
            if self.accept(|c| matches!(c, 'x' | 'X')) {
                radix = 16;
            } else if self.accept(|c| matches!(c, 'o' | 'O')) {
                radix = 8;
            } else if self.accept(|c| matches!(c, 'b' | 'B')) {
                radix = 2;
            }
        }
        let digit = |c: char| c == '_' || c.is_digit(radix);
        let decimal = |c: char| c == '_' || c.is_ascii_digit();
        self.accept_run(digit);
        if self.accept(|c| c == '.') {
            self.accept_run(digit);
        }
        let exponent = match radix {
            10 => self.accept(|c| matches!(c, 'e' | 'E')),
            16 => self.accept(|c| matches!(c, 'p' | 'P')),
            _ => false,
        };
        if exponent {
            self.accept(|c| matches!(c, '+' | '-'));
            self.accept_run(decimal);
        }
        self.accept(|c| c == 'i');
        if self.peek().is_some_and(is_alphanumeric) {
            self.bump();
            return false;
        }
        true
    }
}
