//! The first JSON value of a text, with the words of Go's `encoding/json` for mistakes.

use serde_json::{Map, Number, Value};

/// Deepest nesting of a JSON value.
const MAX_DEPTH: usize = 128;

/// Most values of one JSON value: each takes many times the memory of its text.
const MAX_VALUES: usize = 400_000;

/// Why a text does not begin with a JSON value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonError {
    /// The text ends within the value.
    #[error("unexpected EOF")]
    End,
    /// A character stands where it cannot.
    #[error("invalid character {} {context}", quoted(*.found))]
    Character {
        /// The character.
        found: char,
        /// Where it was found, in Go's words.
        context: String,
    },
    /// A number does not fit a float.
    #[error("json: cannot unmarshal number {number} into Go value of type float64")]
    Number {
        /// The number as written.
        number: String,
    },
    /// Lists and objects nest deeper than 128 levels.
    #[error("exceeded max depth")]
    Depth,
    /// There are more values than anyone has.
    #[error("document has more than {MAX_VALUES} values")]
    TooMany,
}

/// The value that the text begins with, and what follows it.
///
/// # Errors
/// If there is no whole value.
pub(crate) fn first_value(text: &str) -> Result<(Value, &str), JsonError> {
    let mut reader = Reader { rest: text, values_left: MAX_VALUES };
    let value = reader.value(0)?;
    Ok((value, reader.rest))
}

/// The one JSON value that a text is; numbers are floating-point.
///
/// # Errors
/// With Go's words, if the text is no JSON value or holds more than one.
pub fn document(text: &str) -> Result<Value, JsonError> {
    let (value, rest) = first_value(text)?;
    match rest.trim_start_matches([' ', '\t', '\r', '\n']).chars().next() {
        None => Ok(value),
        Some(found) => Err(mistake(found, "after top-level value")),
    }
}

struct Reader<'a> {
    rest: &'a str,
    values_left: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Value, JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError::Depth);
        }
        self.values_left = self.values_left.checked_sub(1).ok_or(JsonError::TooMany)?;
        match self.peek_after_blanks()? {
            '{' => self.object(depth),
            '[' => self.array(depth),
            '"' => self.string().map(Value::String),
            't' => self.literal("true", Value::Bool(true)),
            'f' => self.literal("false", Value::Bool(false)),
            'n' => self.literal("null", Value::Null),
            '-' | '0'..='9' => self.number(),
            found => Err(mistake(found, "looking for beginning of value")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut object = Map::new();
        self.skip();
        if self.peek_after_blanks()? == '}' {
            self.skip();
            return Ok(Value::Object(object));
        }
        loop {
            match self.peek_after_blanks()? {
                '"' => {}
                found => return Err(mistake(found, "looking for beginning of object key string")),
            }
            let key = self.string()?;
            match self.peek_after_blanks()? {
                ':' => self.skip(),
                found => return Err(mistake(found, "after object key")),
            }
            let value = self.value(depth + 1)?;
            object.insert(key, value);
            match self.peek_after_blanks()? {
                ',' => self.skip(),
                '}' => {
                    self.skip();
                    return Ok(Value::Object(object));
                }
                found => return Err(mistake(found, "after object key:value pair")),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, JsonError> {
        let mut array = Vec::new();
        self.skip();
        if self.peek_after_blanks()? == ']' {
            self.skip();
            return Ok(Value::Array(array));
        }
        loop {
            array.push(self.value(depth + 1)?);
            match self.peek_after_blanks()? {
                ',' => self.skip(),
                ']' => {
                    self.skip();
                    return Ok(Value::Array(array));
                }
                found => return Err(mistake(found, "after array element")),
            }
        }
    }

    fn literal(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        for wanted in word.chars() {
            let found = self.peek()?;
            if found != wanted {
                return Err(mistake(found, &format!("in literal {word} (expecting {wanted:?})")));
            }
            self.skip();
        }
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.rest;
        if self.rest.starts_with('-') {
            self.skip();
        }
        if self.rest.starts_with('0') {
            self.skip();
        } else {
            self.digits("in numeric literal")?;
        }
        if self.rest.starts_with('.') {
            self.skip();
            self.digits("after decimal point in numeric literal")?;
        }
        if self.rest.starts_with(['e', 'E']) {
            self.skip();
            if self.rest.starts_with(['+', '-']) {
                self.skip();
            }
            self.digits("in exponent of numeric literal")?;
        }
        let number = &start[..start.len() - self.rest.len()];
        let too_large = || JsonError::Number { number: number.to_owned() };
        number.parse().ok().and_then(Number::from_f64).map(Value::Number).ok_or_else(too_large)
    }

    fn digits(&mut self, context: &str) -> Result<(), JsonError> {
        let first = self.peek()?;
        if !first.is_ascii_digit() {
            return Err(mistake(first, context));
        }
        self.rest = self.rest.trim_start_matches(|c: char| c.is_ascii_digit());
        Ok(())
    }

    fn string(&mut self) -> Result<String, JsonError> {
        let start = self.rest;
        self.skip();
        loop {
            match self.next()? {
                '"' => break,
                '\\' => match self.next()? {
                    'b' | 'f' | 'n' | 'r' | 't' | '\\' | '/' | '"' => {}
                    'u' => {
                        for _ in 0..4 {
                            let digit = self.next()?;
                            if !digit.is_ascii_hexdigit() {
                                let context = "in \\u hexadecimal character escape";
                                return Err(mistake(digit, context));
                            }
                        }
                    }
                    found => return Err(mistake(found, "in string escape code")),
                },
                found if found < ' ' => return Err(mistake(found, "in string literal")),
                _ => {}
            }
        }
        let text = &start[..start.len() - self.rest.len()];
        // What is left to fail is half of a surrogate pair, which Go replaces.
        Ok(serde_json::from_str(text).unwrap_or_else(|_half_pair| String::from('\u{fffd}')))
    }

    fn peek_after_blanks(&mut self) -> Result<char, JsonError> {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\r', '\n']);
        self.peek()
    }

    fn peek(&self) -> Result<char, JsonError> {
        self.rest.chars().next().ok_or(JsonError::End)
    }

    fn next(&mut self) -> Result<char, JsonError> {
        let c = self.peek()?;
        self.skip();
        Ok(c)
    }

    fn skip(&mut self) {
        let mut chars = self.rest.chars();
        chars.next();
        self.rest = chars.as_str();
    }
}

fn mistake(found: char, context: &str) -> JsonError {
    JsonError::Character { found, context: context.to_owned() }
}

/// Go quotes the two quotes the other way round, and only the first byte of what is not ASCII.
fn quoted(c: char) -> String {
    match c {
        '\'' => "'\\''".to_owned(),
        '"' => "'\"'".to_owned(),
        c if c.is_ascii() => format!("{c:?}"),
        c => {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes);
            format!("{:?}", char::from(bytes[0]))
        }
    }
}
