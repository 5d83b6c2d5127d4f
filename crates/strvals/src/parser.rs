//! The one parser behind all five flags.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::{Error, Read, json};

/// Highest index of a list.
pub(crate) const MAX_INDEX: i64 = 65_536;
/// Most dots in one key, as Helm has it.
pub(crate) const MAX_NAME_LEVEL: usize = 30;
/// Most dots and brackets in one key. Helm has no such limit; a stack has.
pub(crate) const MAX_DEPTH: usize = 128;
/// Most items that one text may add to lists, those left null included.
pub(crate) const MAX_NEW_ITEMS: usize = 1_000_000;

/// What the text right of `=` is.
pub(crate) enum Mode<'a> {
    Typed,
    Text,
    Literal,
    Json,
    File(&'a mut Read<'a>),
}

pub(crate) struct Parser<'a> {
    rest: &'a str,
    mode: Mode<'a>,
    new_items: usize,
}

/// How deep a key has gone.
#[derive(Clone, Copy)]
struct Level {
    names: usize,
    all: usize,
}

/// Whether there may be more to read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    More,
    End,
}

impl<'a> Parser<'a> {
    pub(crate) const fn new(text: &'a str, mode: Mode<'a>) -> Self {
        Self { rest: text, mode, new_items: 0 }
    }

    pub(crate) fn run(mut self, into: &mut Map<String, Value>) -> Result<(), Error> {
        while self.key(into, Level { names: 0, all: 0 })? == Next::More {}
        Ok(())
    }

    /// One assignment, from its key on.
    fn key(&mut self, map: &mut Map<String, Value>, level: Level) -> Result<Next, Error> {
        let stops: &[char] =
            if self.is_literal() { &['=', '[', '.'] } else { &['=', '[', ',', '.'] };
        let (key, stop) = self.until(stops);
        match stop {
            None if key.is_empty() => Ok(Next::End),
            None => Err(Error::NoValue { key }),
            Some('[') => {
                let index = self.index()?;
                let mut list = match map.get_mut(&key) {
                    None => Vec::new(),
                    Some(Value::Array(list)) => std::mem::take(list),
                    Some(other) => return Err(other_type(other, "[]interface {}")),
                };
                let next = self.item(&mut list, index, level.bracket()?)?;
                insert(map, key, Value::Array(list));
                Ok(next)
            }
            Some('.') => {
                let level = level.dot()?;
                let mut fresh = Map::new();
                let inner = match map.get_mut(&key) {
                    None => &mut fresh,
                    Some(Value::Object(inner)) => inner,
                    Some(other) => return Err(other_type(other, "map[string]interface {}")),
                };
                let next = self.key(inner, level)?;
                if inner.is_empty() && next == Next::More {
                    return Err(Error::EmptyMap { key });
                }
                if !fresh.is_empty() {
                    insert(map, key, Value::Object(fresh));
                }
                Ok(next)
            }
            Some(',') => Err(Error::CommaAfterKey { key }),
            Some(_equals) => {
                let value = self.value()?;
                // The end of an empty value is the end of the text.
                let next = if value.is_none() { Next::End } else { Next::More };
                insert(map, key, value.unwrap_or_else(|| Value::String(String::new())));
                Ok(next)
            }
        }
    }

    /// What follows `[index]`.
    fn item(&mut self, list: &mut Vec<Value>, index: i64, level: Level) -> Result<Next, Error> {
        let place = usize::try_from(index).map_err(|_sign| Error::NegativeIndex { index })?;
        let (found, stop) = self.until(&['[', '.', '=']);
        if !found.is_empty() {
            return Err(Error::AfterIndex { found });
        }
        match stop {
            None => Ok(Next::End),
            Some('[') => {
                let inner_index = self.index()?;
                let mut inner = match list.get_mut(place) {
                    None | Some(Value::Null) => Vec::new(),
                    Some(Value::Array(inner)) => std::mem::take(inner),
                    Some(other) => return Err(other_type(other, "[]interface {}")),
                };
                let next = self.item(&mut inner, inner_index, level.bracket()?)?;
                if next == Next::More || place < list.len() {
                    self.put(list, place, Value::Array(inner))?;
                }
                Ok(next)
            }
            Some('.') => {
                // Whatever is no map gives way to one.
                let mut inner = match list.get_mut(place) {
                    Some(Value::Object(inner)) => std::mem::take(inner),
                    _ => Map::new(),
                };
                let next = self.key(&mut inner, level.bracket()?)?;
                if next == Next::More || place < list.len() {
                    self.put(list, place, Value::Object(inner))?;
                }
                Ok(next)
            }
            Some(_equals) => {
                let value = self.value()?.unwrap_or_else(|| Value::String(String::new()));
                self.put(list, place, value)?;
                Ok(Next::More)
            }
        }
    }

    fn put(&mut self, list: &mut Vec<Value>, place: usize, value: Value) -> Result<(), Error> {
        let index = i64::try_from(place).unwrap_or(i64::MAX);
        if index > MAX_INDEX {
            return Err(Error::LargeIndex { index });
        }
        if list.len() <= place {
            self.new_items += place + 1 - list.len();
            if self.new_items > MAX_NEW_ITEMS {
                return Err(Error::TooManyItems);
            }
            list.resize(place + 1, Value::Null);
        }
        if let Some(slot) = list.get_mut(place) {
            *slot = value;
        }
        Ok(())
    }

    /// The number before the closing bracket.
    fn index(&mut self) -> Result<i64, Error> {
        let (text, stop) = self.until(&[']']);
        match text.parse() {
            Ok(index) if stop.is_some() => Ok(index),
            _ => Err(Error::Index { index: stop.map(|_bracket| text) }),
        }
    }

    /// What stands right of `=`, with the comma behind it; `None` at the end of the text.
    fn value(&mut self) -> Result<Option<Value>, Error> {
        match self.mode {
            Mode::Literal => {
                return Ok(Some(Value::String(std::mem::take(&mut self.rest).to_owned())));
            }
            Mode::Json => return self.json().map(Some),
            Mode::Typed | Mode::Text | Mode::File(_) => {}
        }
        if self.rest.is_empty() {
            return Ok(None);
        }
        if let Some(rest) = self.rest.strip_prefix('{') {
            self.rest = rest;
            return self.list().map(Some);
        }
        let (text, _comma) = self.until(&[',']);
        self.scalar(text).map(Some)
    }

    fn list(&mut self) -> Result<Value, Error> {
        let mut list = Vec::new();
        loop {
            let (text, stop) = self.until(&[',', '}']);
            let Some(stop) = stop else { return Err(Error::OpenList) };
            list.push(self.scalar(text)?);
            if stop == '}' {
                self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
                return Ok(Value::Array(list));
            }
        }
    }

    fn scalar(&mut self, text: String) -> Result<Value, Error> {
        match &mut self.mode {
            Mode::Typed => Ok(typed(text)),
            Mode::File(read) => read(&text).map_err(Error::Reader),
            Mode::Text | Mode::Literal | Mode::Json => Ok(Value::String(text)),
        }
    }

    fn json(&mut self) -> Result<Value, Error> {
        if self.skip_blanks_and_comma() {
            return Ok(Value::Null);
        }
        let (value, rest) = json::first_value(self.rest)?;
        self.rest = rest;
        self.skip_blanks_and_comma();
        Ok(value)
    }

    /// Whether a comma or the end came before anything else.
    fn skip_blanks_and_comma(&mut self) -> bool {
        self.rest = self.rest.trim_start();
        if self.rest.is_empty() {
            return true;
        }
        match self.rest.strip_prefix(',') {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// The text before the first of `stops`, which is consumed. A backslash takes the meaning from
    /// the character behind it, except in literals.
    fn until(&mut self, stops: &[char]) -> (String, Option<char>) {
        let escapes = !self.is_literal();
        let mut text = String::new();
        let mut chars = self.rest.chars();
        let stop = loop {
            match chars.next() {
                None => break None,
                Some(c) if stops.contains(&c) => break Some(c),
                Some('\\') if escapes => text.extend(chars.next()),
                Some(c) => text.push(c),
            }
        };
        self.rest = chars.as_str();
        (text, stop)
    }

    const fn is_literal(&self) -> bool {
        matches!(self.mode, Mode::Literal)
    }
}

impl Level {
    fn dot(self) -> Result<Self, Error> {
        if self.names == MAX_NAME_LEVEL {
            return Err(Error::TooManyDots);
        }
        Ok(Self { names: self.names + 1, ..self.bracket()? })
    }

    fn bracket(self) -> Result<Self, Error> {
        if self.all == MAX_DEPTH {
            return Err(Error::TooDeep);
        }
        Ok(Self { all: self.all + 1, ..self })
    }
}

/// An empty key is dropped in silence, as in Helm.
fn insert(map: &mut Map<String, Value>, key: String, value: Value) {
    if !key.is_empty() {
        map.insert(key, value);
    }
}

/// A number with a leading zero stays a text, and so does everything that is no whole number.
fn typed(text: String) -> Value {
    for (name, value) in
        [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)]
    {
        if text.eq_ignore_ascii_case(name) {
            return value;
        }
    }
    if text == "0" {
        return Value::from(0);
    }
    match text.parse::<i64>() {
        Ok(number) if !text.starts_with('0') => Value::from(number),
        _ => Value::String(text),
    }
}

fn other_type(found: &Value, wanted: &'static str) -> Error {
    let found = match found {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    };
    Error::OtherType { found, wanted }
}

/// What Go's `strconv.Atoi` says.
pub(crate) fn index_mistake(index: Option<&String>) -> String {
    let Some(text) = index else { return "EOF".to_owned() };
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let what = if number { "value out of range" } else { "invalid syntax" };
    format!("strconv.Atoi: parsing {text:?}: {what}")
}

/// Go's `%q` of a slice of runes.
pub(crate) fn quoted_runes(text: &str) -> String {
    let mut out = String::from("[");
    for (i, c) in text.chars().enumerate() {
        // Writing to a String cannot fail.
        let _ = write!(out, "{}{c:?}", if i > 0 { " " } else { "" });
    }
    out.push(']');
    out
}
