//! JSON as `encoding/json` reads it, with its complaints.

use go_template::{Call, CallError, Elem, Entries, Functions, List, Map, Str, Type, Value};

use crate::arguments::{ok, string, text};
use crate::error::FunctionError;

const S: Type = Type::String;

/// Why a text is no JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the message says it")]
pub enum JsonError {
    #[error("unexpected end of JSON input")]
    UnexpectedEnd,
    #[error("invalid character {character} {context}")]
    InvalidCharacter { character: String, context: String },
    #[error("exceeded max depth")]
    Depth,
    #[error("json: cannot unmarshal {found} into Go value of type {wanted}")]
    WrongKind { found: &'static str, wanted: &'static str },
    #[error("json: cannot unmarshal number {number} into Go value of type float64")]
    TooLarge { number: String },
}

pub(crate) fn register(f: &mut Functions) {
    f.add("mustFromJson", [S], |call, a| {
        spend(call, string(a, 0))?;
        let read = read(&text(a, 0)).and_then(|read| match read.too_large {
            None => Ok(read.value),
            Some(error) => Err(error),
        });
        Ok(read.map_err(FunctionError::from)?)
    });
    // Flux: the error becomes part of the result.
    f.add("fromJson", [S], |call, a| {
        spend(call, string(a, 0))?;
        ok(read_map(&text(a, 0)).unwrap_or_else(|error| error_map(error.to_string())))
    });
    f.add("fromJsonArray", [S], |call, a| {
        spend(call, string(a, 0))?;
        ok(read_list(&text(a, 0)).unwrap_or_else(|error| error_list(error.to_string())))
    });
}

fn spend(call: &mut Call<'_>, text: &Str) -> Result<(), CallError> {
    call.session.spend(text.len() as u64 >> 5)?;
    Ok(call.make(super::read_bytes(text.as_bytes()))?)
}

/// `{"Error": …}`, which Helm gives where reading fails.
pub(crate) fn error_map(message: String) -> Map {
    Map::new(Entries::from([(Str::constant("Error"), Value::str(message))]))
}

/// The message as the only item.
pub(crate) fn error_list(message: String) -> List {
    List::new(vec![Value::str(message)])
}

fn read_map(text: &str) -> Result<Map, JsonError> {
    let read = read(text)?;
    match read.value {
        Value::Map(map) => {
            // Flux: what could be read is there beside the error.
            if let Some(error) = read.too_large {
                map.insert(Str::constant("Error"), Value::str(error.to_string()));
            }
            Ok(map)
        }
        Value::Nil if read.too_large.is_none() => Ok(Map::nil(Elem::Any)),
        other => Err(JsonError::WrongKind {
            found: json_kind(&other),
            wanted: "map[string]interface {}",
        }),
    }
}

fn read_list(text: &str) -> Result<List, JsonError> {
    let read = read(text)?;
    match read.value {
        Value::List(list) => read.too_large.map_or(Ok(list), Err),
        Value::Nil if read.too_large.is_none() => Ok(List::nil(Elem::Any)),
        other => Err(JsonError::WrongKind { found: json_kind(&other), wanted: "[]interface {}" }),
    }
}

fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "bool",
        // Nil is one that is too large.
        Value::Float(_) | Value::Nil => "number",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        _ => "object",
    }
}

/// Limit: Go allows 10 000 levels, values here may not be nested so deep.
const MAX_DEPTH: usize = 290;

/// A value, and the first number in it that is too large to be one.
struct Read {
    value: Value,
    too_large: Option<JsonError>,
}

/// A value; numbers are `float64`, nil where they are too large.
fn read(text: &str) -> Result<Read, JsonError> {
    let mut reader = Reader { text, at: 0, too_large: None };
    reader.spaces();
    let value = reader.value(0)?;
    reader.spaces();
    match reader.peek() {
        None => Ok(Read { value, too_large: reader.too_large }),
        Some(_) => Err(reader.invalid("after top-level value")),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    too_large: Option<JsonError>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// A complaint about the next character, or about there being none.
    fn invalid(&self, context: impl Into<String>) -> JsonError {
        self.peek().map_or(JsonError::UnexpectedEnd, |byte| invalid(byte, context))
    }

    /// The same within a word, a number or an escape, where Go takes the end for a space.
    fn torn(&self, context: impl Into<String>) -> JsonError {
        invalid(self.peek().unwrap_or(b' '), context)
    }

    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::Depth);
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => Ok(Value::Str(Str::from(self.string()?))),
            Some(b't') => self.literal("true", Value::Bool(true)),
            Some(b'f') => self.literal("false", Value::Bool(false)),
            Some(b'n') => self.literal("null", Value::Nil),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.invalid("looking for beginning of value")),
        }
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        for expected in word.bytes() {
            if self.peek() != Some(expected) {
                return Err(
                    self.torn(format!("in literal {word} (expecting '{}')", char::from(expected)))
                );
            }
            self.at += 1;
        }
        Ok(value)
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut entries = Entries::new();
        self.at += 1;
        self.spaces();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Map(Map::new(entries)));
        }
        loop {
            self.spaces();
            if self.peek() != Some(b'"') {
                return Err(self.invalid("looking for beginning of object key string"));
            }
            let key = self.string()?;
            self.spaces();
            if self.peek() != Some(b':') {
                return Err(self.invalid("after object key"));
            }
            self.at += 1;
            self.spaces();
            let value = self.value(depth + 1)?;
            entries.insert(Str::from(key), value);
            self.spaces();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Map(Map::new(entries)));
                }
                _ => return Err(self.invalid("after object key:value pair")),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut items = Vec::new();
        self.at += 1;
        self.spaces();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::list(items));
        }
        loop {
            self.spaces();
            items.push(self.value(depth + 1)?);
            self.spaces();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::list(items));
                }
                _ => return Err(self.invalid("after array element")),
            }
        }
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits("")?,
            _ => return Err(self.torn("in numeric literal")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits("after decimal point in numeric literal")?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits("in exponent of numeric literal")?;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let number: f64 = text.parse().unwrap_or(0.0);
        if number.is_infinite() {
            self.too_large.get_or_insert_with(|| JsonError::TooLarge { number: text.to_owned() });
            return Ok(Value::Nil);
        }
        Ok(Value::Float(number))
    }

    fn digits(&mut self, context: &str) -> Result<(), JsonError> {
        if !self.peek().is_some_and(|b| b.is_ascii_digit()) {
            return Err(self.torn(context));
        }
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, JsonError> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let plain = rest
                .find(|c: char| matches!(c, '"' | '\\') || c < ' ')
                .ok_or(JsonError::UnexpectedEnd)?;
            out.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => {
                    self.at += 1;
                    out.push(self.escaped()?);
                }
                _ => return Err(self.invalid("in string literal")),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, JsonError> {
        let c = match self.peek() {
            Some(c @ (b'"' | b'\\' | b'/')) => char::from(c),
            Some(b'b') => '\x08',
            Some(b'f') => '\x0c',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(self.torn("in string escape code")),
        };
        self.at += 1;
        Ok(c)
    }

    /// A lone half of a pair is U+FFFD.
    fn unicode(&mut self) -> Result<char, JsonError> {
        let first = self.hex4()?;
        if let Some(c) = char::from_u32(first) {
            return Ok(c);
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        let second = rest.strip_prefix("\\u").and_then(|hex| hex.get(..4));
        let second = second.and_then(|hex| u32::from_str_radix(hex, 16).ok());
        if let (0xd800..0xdc00, Some(second @ 0xdc00..0xe000)) = (first, second) {
            self.at += 6;
            let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
            return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn hex4(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.torn("in \\u hexadecimal character escape"));
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }
}

fn invalid(byte: u8, context: impl Into<String>) -> JsonError {
    // Go looks at bytes, and takes each for a character.
    let character = match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        byte => {
            let quoted = go_quote::double(char::from(byte).to_string().as_bytes());
            format!("'{}'", quoted.trim_matches('"'))
        }
    };
    JsonError::InvalidCharacter { character, context: context.into() }
}
