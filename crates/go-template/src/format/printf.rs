//! Format strings: `Sprintf`.

use super::printer::{Flags, Printer};
use crate::value::Value;

/// Limit: a width or precision beyond this is bad, as in Go.
const MAX_NUMBER: usize = 1_000_000;

/// Go's `fmt.Sprintf`. What exceeds so many bytes is cut off, though not exactly there.
pub fn sprintf(format: &[u8], args: &[Value], most: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(format.len() + 16);
    let mut directive = Formatter {
        printer: Printer::new(&mut out, most),
        format,
        at: 0,
        args,
        arg: 0,
        reordered: false,
        good_index: true,
    };
    directive.run();
    out
}

struct Formatter<'f, 'o> {
    printer: Printer<'o>,
    format: &'f [u8],
    at: usize,
    args: &'f [Value],
    /// The next argument.
    arg: usize,
    /// Whether an explicit index, `%[2]d`, was used anywhere.
    reordered: bool,
    /// Whether the explicit indexes of this verb make sense.
    good_index: bool,
}

impl Formatter<'_, '_> {
    fn run(&mut self) {
        while self.at < self.format.len() && !self.printer.is_full() {
            let rest = self.format.get(self.at..).unwrap_or_default();
            let plain = rest.iter().position(|b| *b == b'%').unwrap_or(rest.len());
            self.printer.out.extend_from_slice(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            if self.at < self.format.len() {
                self.at += 1;
                self.verb();
            }
        }
        self.extra();
    }

    fn peek(&self) -> Option<u8> {
        self.format.get(self.at).copied()
    }

    /// The `%` has been read.
    fn verb(&mut self) {
        self.printer.flags = Flags::default();
        self.good_index = true;
        self.flags();
        let mut after_index = self.index();
        if self.peek() == Some(b'*') {
            self.at += 1;
            self.star_width();
            after_index = false;
        } else {
            self.printer.flags.width = self.number();
            // `%[3]2d` is bad: the width must come first.
            if after_index && self.printer.flags.width.is_some() {
                self.good_index = false;
            }
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if after_index {
                self.good_index = false;
            }
            after_index = self.index();
            if self.peek() == Some(b'*') {
                self.at += 1;
                self.star_precision();
                after_index = false;
            } else {
                self.printer.flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !after_index {
            self.index();
        }
        let Some(verb) = self.verb_char() else {
            self.printer.push("%!(NOVERB)");
            return;
        };
        self.apply(verb);
    }

    fn apply(&mut self, verb: char) {
        if verb == '%' {
            self.printer.push("%");
            return;
        }
        if !self.good_index {
            self.note(verb, "(BADINDEX)");
            return;
        }
        let Some(value) = self.args.get(self.arg) else {
            self.note(verb, "(MISSING)");
            return;
        };
        self.arg += 1;
        let flags = &mut self.printer.flags;
        match verb {
            'w' => {
                // Only errors may be wrapped, and only by Errorf.
                self.printer.bad_verb(value, 'w');
                return;
            }
            'v' => {
                flags.sharp_v = std::mem::take(&mut flags.sharp);
                flags.plus_v = std::mem::take(&mut flags.plus);
            }
            _ => {}
        }
        self.printer.value(value, verb);
    }

    fn note(&mut self, verb: char, note: &str) {
        self.printer.push("%!");
        self.printer.push(verb.encode_utf8(&mut [0; 4]));
        self.printer.push(note);
    }

    fn flags(&mut self) {
        let flags = &mut self.printer.flags;
        while let Some(byte) = self.format.get(self.at) {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => return,
            }
            self.at += 1;
        }
    }

    fn number(&mut self) -> Option<usize> {
        let start = self.at;
        let mut number = 0_usize;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            if number > MAX_NUMBER {
                return None;
            }
            number = number * 10 + usize::from(digit - b'0');
            self.at += 1;
        }
        (self.at > start && number <= MAX_NUMBER).then_some(number)
    }

    /// `[n]`: whether there was one.
    fn index(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let rest = self.format.get(self.at..).unwrap_or_default();
        let Some(close) = rest.iter().position(|b| *b == b']') else {
            self.good_index = false;
            self.at += 1;
            return false;
        };
        let digits = rest.get(1..close).unwrap_or_default();
        self.at += close + 1;
        let number = std::str::from_utf8(digits)
            .ok()
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
            .and_then(|digits| digits.parse::<usize>().ok())
            .and_then(|number| number.checked_sub(1))
            .filter(|place| *place < self.args.len());
        match number {
            Some(place) => self.arg = place,
            None => self.good_index = false,
        }
        true
    }

    fn star(&mut self) -> Option<i64> {
        let value = self.args.get(self.arg)?;
        self.arg += 1;
        match value {
            Value::Int(number, _)
                if number.unsigned_abs() <= u64::try_from(MAX_NUMBER).unwrap_or(u64::MAX) =>
            {
                Some(*number)
            }
            _ => None,
        }
    }

    fn star_width(&mut self) {
        match self.star() {
            Some(width) => {
                if width < 0 {
                    self.printer.flags.minus = true;
                    self.printer.flags.zero = false;
                }
                self.printer.flags.width = usize::try_from(width.unsigned_abs()).ok();
            }
            None => self.printer.push("%!(BADWIDTH)"),
        }
    }

    fn star_precision(&mut self) {
        match self.star() {
            Some(precision) => self.printer.flags.precision = usize::try_from(precision).ok(),
            None => self.printer.push("%!(BADPREC)"),
        }
    }

    fn verb_char(&mut self) -> Option<char> {
        let rest = self.format.get(self.at..).unwrap_or_default();
        let chunk = rest.utf8_chunks().next()?;
        let (verb, width) = match chunk.valid().chars().next() {
            Some(verb) => (verb, verb.len_utf8()),
            None => (char::REPLACEMENT_CHARACTER, 1),
        };
        self.at += width;
        Some(verb)
    }

    /// Arguments that no verb asked for.
    fn extra(&mut self) {
        let left = self.args.get(self.arg..).unwrap_or_default();
        if self.reordered || left.is_empty() {
            return;
        }
        self.printer.flags = Flags::default();
        self.printer.push("%!(EXTRA ");
        for (i, value) in left.iter().enumerate() {
            if i > 0 {
                self.printer.push(", ");
            }
            if value.is_nil() {
                self.printer.push("<nil>");
            } else {
                self.printer.push(&value.type_name());
                self.printer.push("=");
                self.printer.value(value, 'v');
            }
        }
        self.printer.push(")");
    }
}
