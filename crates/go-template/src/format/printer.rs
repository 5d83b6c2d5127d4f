//! One value under one verb.

use std::borrow::Cow;
use std::sync::Arc;

use super::float::{self, Layout};
use crate::value::{IntKind, List, Map, Object, Unbounded, Value};

/// Flags, width and precision of a verb.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags")]
pub(super) struct Flags {
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) sharp: bool,
    pub(super) space: bool,
    pub(super) zero: bool,
    /// `%+v`
    pub(super) plus_v: bool,
    /// `%#v`
    pub(super) sharp_v: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
}

impl Flags {
    pub(super) fn is_plain(&self) -> bool {
        !(self.plus || self.minus || self.sharp || self.space || self.zero)
            && self.width.is_none()
            && self.precision.is_none()
    }
}

/// Writes values.
pub(super) struct Printer<'o> {
    pub(super) out: &'o mut Vec<u8>,
    pub(super) flags: Flags,
    /// Inside an error note: `String()` methods are not asked then.
    noting: bool,
    /// Printing stops here: a list may hold itself, or a small graph unfold to gigabytes.
    end: usize,
}

impl<'o> Printer<'o> {
    /// Writes no more than so many bytes, and then a little.
    pub(super) fn new(out: &'o mut Vec<u8>, most: usize) -> Self {
        let end = out.len().saturating_add(most);
        Self { out, flags: Flags::default(), noting: false, end }
    }

    pub(super) fn is_full(&self) -> bool {
        // One byte more than there may be, so that what is cut off is seen to be.
        self.out.len() > self.end
    }

    pub(super) fn value(&mut self, value: &Value, verb: char) {
        match (value, verb) {
            (Value::Nil, 'T' | 'v') => self.pad(b"<nil>"),
            (Value::Nil, _) => self.bad_verb(value, verb),
            (_, 'T') => {
                let name = value.type_name();
                self.string(name.as_bytes(), 's');
            }
            _ => self.at_depth(value, verb, 0),
        }
    }

    fn at_depth(&mut self, value: &Value, verb: char, depth: usize) {
        if self.is_full() || depth > Unbounded::DEPTH {
            return;
        }
        let fits = match value {
            Value::Nil => {
                let text: &[u8] = if self.flags.sharp_v { b"interface {}(nil)" } else { b"<nil>" };
                self.out.extend_from_slice(text);
                true
            }
            Value::Bool(b) => match verb {
                't' | 'v' => {
                    self.pad(if *b { b"true" } else { b"false" });
                    true
                }
                _ => false,
            },
            Value::Int(number, kind) => self.integer(*number, *kind, verb),
            Value::Float(number) => self.float(*number, verb),
            Value::Complex(re, im) => self.complex(*re, *im, verb),
            Value::Str(text) => self.string(text.as_bytes(), verb),
            Value::Bytes(bytes) => self.bytes(bytes, verb),
            Value::List(list) => {
                self.list(list, verb, depth);
                true
            }
            Value::Map(map) => {
                self.map(map, &value.type_name(), verb, depth);
                true
            }
            Value::Object(object) => self.object(object, verb, depth),
        };
        if !fits {
            self.bad_verb(value, verb);
        }
    }

    /// `%!d(string=x)`
    pub(super) fn bad_verb(&mut self, value: &Value, verb: char) {
        self.noting = true;
        self.push("%!");
        self.push(verb.encode_utf8(&mut [0; 4]));
        self.push("(");
        if value.is_nil() {
            self.push("<nil>");
        } else {
            self.push(&value.type_name());
            self.push("=");
            self.at_depth(value, 'v', 0);
        }
        self.push(")");
        self.noting = false;
    }

    pub(super) fn push(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn bytes(&mut self, bytes: &Arc<[u8]>, verb: char) -> bool {
        match verb {
            'v' | 'd' if self.flags.sharp_v => {
                self.push("[]byte{");
                for (i, byte) in bytes.iter().enumerate() {
                    self.push(if i > 0 { ", " } else { "" });
                    self.push(&format!("{byte:#x}"));
                }
                self.push("}");
                true
            }
            'v' | 'd' => {
                self.push("[");
                for (i, byte) in bytes.iter().enumerate() {
                    if i > 0 {
                        self.push(" ");
                    }
                    self.integer(i64::from(*byte), IntKind::Uint8, 'd');
                }
                self.push("]");
                true
            }
            _ => self.string(bytes, verb),
        }
    }

    fn list(&mut self, list: &List, verb: char, depth: usize) {
        if self.flags.sharp_v {
            self.push("[]");
            self.push(&list.elem().to_string());
            if list.is_nil() {
                self.push("(nil)");
                return;
            }
        }
        let [open, part, close] =
            if self.flags.sharp_v { ["{", ", ", "}"] } else { ["[", " ", "]"] };
        self.push(open);
        for (i, item) in list.iter().enumerate() {
            if i > 0 {
                self.push(part);
            }
            self.at_depth(item, verb, depth + 1);
        }
        self.push(close);
    }

    fn map(&mut self, map: &Map, type_name: &str, verb: char, depth: usize) {
        if self.flags.sharp_v {
            self.push(type_name);
            if map.is_nil() {
                self.push("(nil)");
                return;
            }
        }
        let [open, part, close] =
            if self.flags.sharp_v { ["{", ", ", "}"] } else { ["map[", " ", "]"] };
        self.push(open);
        for (i, (key, value)) in map.entries().iter().enumerate() {
            if i > 0 {
                self.push(part);
            }
            if !self.string(key.as_bytes(), verb) {
                self.bad_verb(&Value::Str(key.clone()), verb);
            }
            self.push(":");
            self.at_depth(value, verb, depth + 1);
        }
        self.push(close);
    }

    fn object(&mut self, object: &Arc<dyn Object>, verb: char, depth: usize) -> bool {
        if !self.noting
            && !self.flags.sharp_v
            && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q')
            && let Some(text) = object.text()
        {
            return self.string(text.as_bytes(), verb);
        }
        match object.underlying() {
            Value::Nil => self.structure(&**object, verb, depth),
            Value::Map(map) => self.map(&map, &object.type_name(), verb, depth),
            plain => self.at_depth(&plain, verb, depth + 1),
        }
        true
    }

    fn structure(&mut self, object: &dyn Object, verb: char, depth: usize) {
        let type_name: Cow<'_, str> = object.type_name();
        let (pointer, name) = match type_name.strip_prefix('*') {
            Some(name) => (true, name),
            None => (false, &*type_name),
        };
        if pointer && depth > 0 {
            // Go prints an address, which is never the same twice.
            self.push("0xc000000000");
            return;
        }
        self.push(if pointer { "&" } else { "" });
        self.push(if self.flags.sharp_v { name } else { "" });
        self.fields(object, verb, depth);
    }

    /// What a template shows of an object: it follows pointers.
    pub(super) fn followed(&mut self, object: &Arc<dyn Object>) {
        match (object.printed(), object.underlying()) {
            (Some(text), _) => self.push(&text),
            (None, Value::Nil) => self.fields(&**object, 'v', 0),
            (None, _) => {
                self.object(object, 'v', 0);
            }
        }
    }

    fn fields(&mut self, object: &dyn Object, verb: char, depth: usize) {
        self.push("{");
        for (i, (name, field)) in object.printed_fields().iter().enumerate() {
            if i > 0 {
                self.push(if self.flags.sharp_v { ", " } else { " " });
            }
            if self.flags.plus_v || self.flags.sharp_v {
                self.push(name);
                self.push(":");
            }
            self.at_depth(field, verb, depth + 1);
        }
        self.push("}");
    }

    fn complex(&mut self, re: f64, im: f64, verb: char) -> bool {
        if !matches!(verb, 'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E') {
            return false;
        }
        let plus = self.flags.plus;
        self.push("(");
        self.float(re, verb);
        // The imaginary part always has a sign.
        self.flags.plus = true;
        self.float(im, verb);
        self.push("i)");
        self.flags.plus = plus;
        true
    }

    fn float(&mut self, number: f64, verb: char) -> bool {
        let precision = self.flags.precision;
        let text = match verb {
            'v' | 'g' | 'G' => float::float(number, Layout::Shorter, precision),
            'e' | 'E' => float::float(number, Layout::Exponent, Some(precision.unwrap_or(6))),
            'f' | 'F' => float::float(number, Layout::Plain, Some(precision.unwrap_or(6))),
            'x' | 'X' => float::float(number, Layout::Hexadecimal, precision),
            'b' => float::float(number, Layout::Binary, None),
            _ => return false,
        };
        let text = if self.flags.sharp && number.is_finite() && verb != 'b' {
            let digits = match verb {
                'e' | 'E' | 'f' | 'F' | 'X' => 0,
                _ => precision.unwrap_or(6),
            };
            float::with_point(&text, digits, matches!(verb, 'x' | 'X'))
        } else {
            text
        };
        // Infinity has no letters that change.
        let text = match verb {
            'X' if number.is_finite() => text.to_uppercase(),
            'E' | 'G' => text.replace('e', "E"),
            _ => text,
        };
        if self.flags.is_plain() {
            self.out.extend_from_slice(text.as_bytes());
        } else {
            self.signed(&text, number.is_finite());
        }
        true
    }

    /// A number's text, with the sign, zeros and padding that the flags want.
    fn signed(&mut self, text: &str, finite: bool) {
        let (mut sign, digits) = match text.as_bytes().first() {
            Some(b'-') => ("-", text.get(1..).unwrap_or_default()),
            Some(b'+') => ("+", text.get(1..).unwrap_or_default()),
            _ => (if self.flags.plus { "+" } else { "" }, text),
        };
        if self.flags.space && !self.flags.plus && sign != "-" {
            sign = " ";
        }
        let width = sign.len() + digits.len();
        let mut out = String::from(sign);
        if finite && self.flags.zero && !self.flags.minus {
            let zeros = self.flags.width.unwrap_or(0).saturating_sub(width);
            out.extend(std::iter::repeat_n('0', zeros));
        }
        out.push_str(digits);
        self.pad_with(out.as_bytes(), b' ');
    }

    /// Pads to the width, with zeros if the flag says so.
    pub(super) fn pad(&mut self, text: &[u8]) {
        let fill = if self.flags.zero && !self.flags.minus { b'0' } else { b' ' };
        self.pad_with(text, fill);
    }

    pub(super) fn pad_with(&mut self, text: &[u8], fill: u8) {
        let Some(width) = self.flags.width else {
            self.out.extend_from_slice(text);
            return;
        };
        let length: usize =
            text.utf8_chunks().map(|c| c.valid().chars().count() + c.invalid().len()).sum();
        let missing = width.saturating_sub(length);
        if self.flags.minus {
            self.out.extend_from_slice(text);
            self.padding(missing, b' ');
        } else {
            self.padding(missing, fill);
            self.out.extend_from_slice(text);
        }
    }

    pub(super) fn padding(&mut self, count: usize, fill: u8) {
        self.out.extend(std::iter::repeat_n(fill, count));
    }
}
