//! Strings and bytes: `%s %q %x`.

use super::printer::Printer;

impl Printer<'_> {
    /// Whether the verb fits a string.
    pub(super) fn string(&mut self, bytes: &[u8], verb: char) -> bool {
        match verb {
            'v' if self.flags.sharp_v => self.quoted(bytes),
            'v' | 's' => {
                let cut = self.cut(bytes);
                self.pad(cut);
            }
            'q' => self.quoted(bytes),
            'x' => self.hex(bytes, false),
            'X' => self.hex(bytes, true),
            _ => return false,
        }
        true
    }

    /// Precision counts characters.
    fn cut<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        let Some(most) = self.flags.precision else { return bytes };
        let mut rest = bytes;
        for _ in 0..most {
            let Some(chunk) = rest.utf8_chunks().next() else { break };
            let width = chunk.valid().chars().next().map_or(1, char::len_utf8);
            rest = rest.get(width..).unwrap_or_default();
        }
        bytes.get(..bytes.len() - rest.len()).unwrap_or(bytes)
    }

    fn quoted(&mut self, bytes: &[u8]) {
        let cut = self.cut(bytes);
        let back = if self.flags.sharp { go_quote::back(cut) } else { None };
        let text = match back {
            Some(text) => text,
            None if self.flags.plus => go_quote::double_ascii(cut),
            None => go_quote::double(cut),
        };
        self.pad(text.as_bytes());
    }

    fn hex(&mut self, bytes: &[u8], upper: bool) {
        let cut = match self.flags.precision {
            Some(most) => bytes.get(..most).unwrap_or(bytes),
            None => bytes,
        };
        let prefix = match (self.flags.sharp, upper) {
            (true, true) => "0X",
            (true, false) => "0x",
            _ => "",
        };
        let mut text = String::with_capacity(cut.len() * 2);
        for (i, byte) in cut.iter().enumerate() {
            if self.flags.space && i > 0 {
                text.push(' ');
            }
            if i == 0 || self.flags.space {
                text.push_str(prefix);
            }
            let digits = if upper { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from(digits[usize::from(nibble)]));
            }
        }
        self.pad_with(text.as_bytes(), b' ');
    }
}
