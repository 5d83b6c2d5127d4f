//! Integers: `%d %b %o %x %c %q %U`.

use super::printer::Printer;
use crate::value::IntKind;

impl Printer<'_> {
    /// Whether the verb fits an integer.
    pub(super) fn integer(&mut self, number: i64, kind: IntKind, verb: char) -> bool {
        let unsigned = kind.is_unsigned();
        match verb {
            'v' if self.flags.sharp_v && unsigned => {
                self.flags.sharp = true;
                self.digits(number, true, 16, 'v');
                self.flags.sharp = false;
            }
            'v' | 'd' => self.digits(number, unsigned, 10, verb),
            'b' => self.digits(number, unsigned, 2, verb),
            'o' | 'O' => self.digits(number, unsigned, 8, verb),
            'x' | 'X' => self.digits(number, unsigned, 16, verb),
            'c' => self.pad(character(number).encode_utf8(&mut [0; 4]).as_bytes()),
            'q' => self.pad(go_quote::single(character(number), self.flags.plus).as_bytes()),
            'U' => self.unicode(number),
            _ => return false,
        }
        true
    }

    fn digits(&mut self, number: i64, unsigned: bool, base: u8, verb: char) {
        let negative = !unsigned && number < 0;
        let magnitude = if unsigned { number.cast_unsigned() } else { number.unsigned_abs() };
        if self.flags.is_plain() && base == 10 {
            // By far the most common case.
            if negative {
                self.out.push(b'-');
            }
            self.out.extend_from_slice(in_base(magnitude, 10, false).as_bytes());
            return;
        }
        let sign = match (negative, self.flags.plus, self.flags.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        let mut least = 0;
        if let Some(precision) = self.flags.precision {
            if precision == 0 && magnitude == 0 {
                self.padding(self.flags.width.unwrap_or(0), b' ');
                return;
            }
            least = precision;
        } else if self.flags.zero && !self.flags.minus {
            least = self.flags.width.unwrap_or(0).saturating_sub(sign.len());
        }
        let prefix = match (base, verb) {
            (8, 'O') => "0o",
            (2, _) if self.flags.sharp => "0b",
            (16, 'X') if self.flags.sharp => "0X",
            (16, _) if self.flags.sharp => "0x",
            _ => "",
        };
        let digits = in_base(magnitude, base, verb == 'X');
        let mut text = String::from(sign);
        text.push_str(prefix);
        let zeros = least.saturating_sub(digits.len());
        if base == 8 && self.flags.sharp && verb != 'O' && zeros == 0 && !digits.starts_with('0') {
            text.push('0');
        }
        text.extend(std::iter::repeat_n('0', zeros));
        text.push_str(&digits);
        self.pad_with(text.as_bytes(), b' ');
    }

    fn unicode(&mut self, number: i64) {
        let mut text = format!("U+{:04X}", number.cast_unsigned());
        if self.flags.sharp
            && let Some(c) = u32::try_from(number).ok().and_then(char::from_u32)
            && go_quote::is_print(c)
        {
            text.extend([' ', '\'', c, '\'']);
        }
        self.pad_with(text.as_bytes(), b' ');
    }
}

fn character(number: i64) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The digits of a number; at most 64 of them.
fn in_base(mut number: u64, base: u8, upper: bool) -> String {
    let mut digits = Vec::with_capacity(20);
    loop {
        let digit = u8::try_from(number % u64::from(base)).unwrap_or(0);
        digits.push(match digit {
            0..10 => b'0' + digit,
            _ if upper => b'A' + digit - 10,
            _ => b'a' + digit - 10,
        });
        number /= u64::from(base);
        if number == 0 {
            break;
        }
    }
    digits.iter().rev().map(|b| char::from(*b)).collect()
}
