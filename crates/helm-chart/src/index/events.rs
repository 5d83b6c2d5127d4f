//! A YAML stream walked from the outside, so that most of it is never held.

use std::io::BufRead;
use std::panic::{AssertUnwindSafe, catch_unwind};

use libyaml_safer::{EventData, Parser, ScalarStyle};
use serde_json::{Map, Value};

use super::IndexError;
use crate::document;

/// Deepest nesting of one entry.
const MAX_DEPTH: usize = 32;
/// Most values of one entry; more make it a broken one.
const MAX_NODES: usize = 20_000;

/// The members of the document that Helm knows.
const MEMBERS: [&str; 6] =
    ["annotations", "apiVersion", "entries", "generated", "publicKeys", "serverInfo"];

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Map,
    List,
    Null,
    Scalar,
}

pub(super) struct Events<R> {
    parser: Parser<R>,
    /// An event that was looked at and not yet taken.
    ahead: Option<EventData>,
    /// The members of the document that were met.
    members: Vec<&'static str>,
}

impl<R: BufRead> Events<R> {
    pub(super) fn new(input: R) -> Self {
        let mut parser = Parser::new();
        parser.set_input(input);
        Self { parser, ahead: None, members: Vec::new() }
    }

    /// Enters the first document, which must be a map.
    pub(super) fn enter(&mut self) -> Result<(), IndexError> {
        loop {
            match self.next()? {
                EventData::StreamStart { .. } => {}
                EventData::DocumentStart { .. } => break,
                _ => return Err(IndexError::Empty),
            }
        }
        match self.item()? {
            Item::Map => Ok(()),
            _ => Err(IndexError::NotAMap("the document")),
        }
    }

    /// The next member of the document that Helm knows; others are skipped.
    pub(super) fn member(&mut self) -> Result<Option<&'static str>, IndexError> {
        while let Some(key) = self.key()? {
            match MEMBERS.into_iter().find(|member| *member == key) {
                None => self.skip()?,
                Some(member) if self.members.contains(&member) => {
                    return Err(IndexError::KeyTwice(member));
                }
                Some(member) => {
                    self.members.push(member);
                    return Ok(Some(member));
                }
            }
        }
        Ok(None)
    }

    /// Enters the next map or list, or takes the next scalar.
    pub(super) fn item(&mut self) -> Result<Item, IndexError> {
        Ok(match self.next()? {
            EventData::MappingStart { .. } => Item::Map,
            EventData::SequenceStart { .. } => Item::List,
            EventData::Scalar { value, style: ScalarStyle::Plain, .. } if is_null(&value) => {
                Item::Null
            }
            _ => Item::Scalar,
        })
    }

    /// Enters the next item if it is a list, else skips it.
    pub(super) fn item_or_skip(&mut self) -> Result<Item, IndexError> {
        let item = self.item()?;
        if item == Item::Map {
            self.leave()?;
        }
        Ok(item)
    }

    /// The next key of the map that was entered; none at its end, which is taken.
    pub(super) fn key(&mut self) -> Result<Option<String>, IndexError> {
        loop {
            match self.next()? {
                EventData::Scalar { value, .. } => return Ok(Some(value)),
                EventData::MappingStart { .. } | EventData::SequenceStart { .. } => {
                    // A key that is no text cannot be one that is asked for.
                    self.leave()?;
                    self.skip()?;
                }
                EventData::Alias { .. } => self.skip()?,
                _ => return Ok(None),
            }
        }
    }

    /// Whether the list that was entered has another item; its end is taken.
    pub(super) fn has_more(&mut self) -> Result<bool, IndexError> {
        let next = self.next()?;
        let more = next != EventData::SequenceEnd;
        if more {
            self.ahead = Some(next);
        }
        Ok(more)
    }

    /// Skips the next value, whatever it is.
    pub(super) fn skip(&mut self) -> Result<(), IndexError> {
        match self.next()? {
            EventData::MappingStart { .. } | EventData::SequenceStart { .. } => self.leave(),
            _ => Ok(()),
        }
    }

    /// The next value; none if it is too large, nests too deep, or refers to another place.
    pub(super) fn value(&mut self) -> Result<Option<Value>, IndexError> {
        let mut nodes = MAX_NODES;
        let next = self.next()?;
        self.build(next, 0, &mut nodes)
    }

    fn build(
        &mut self,
        event: EventData,
        depth: usize,
        nodes: &mut usize,
    ) -> Result<Option<Value>, IndexError> {
        let within = depth < MAX_DEPTH && *nodes > 0;
        *nodes = nodes.saturating_sub(1);
        match event {
            EventData::Scalar { value, style: ScalarStyle::Plain, .. } => Ok(Some(plain(value))),
            EventData::Scalar { value, .. } => Ok(Some(Value::String(value))),
            EventData::SequenceStart { .. } if within => {
                let mut list = Some(Vec::new());
                while self.has_more()? {
                    let next = self.next()?;
                    let item = self.build(next, depth + 1, nodes)?;
                    list = list.zip(item).map(|(mut list, item)| {
                        list.push(item);
                        list
                    });
                }
                Ok(list.map(Value::Array))
            }
            EventData::MappingStart { .. } if within => {
                let mut map = Some(Map::new());
                while let Some(key) = self.key()? {
                    let next = self.next()?;
                    let value = self.build(next, depth + 1, nodes)?;
                    map = map.zip(value).map(|(mut map, value)| {
                        map.insert(key, value);
                        map
                    });
                }
                Ok(map.map(Value::Object))
            }
            EventData::SequenceStart { .. } | EventData::MappingStart { .. } => {
                self.leave()?;
                Ok(None)
            }
            _ => Ok(None),
        }
    }

    /// Skips to the end of the map or list that was entered.
    fn leave(&mut self) -> Result<(), IndexError> {
        let mut depth = 1_u64;
        while depth > 0 {
            match self.next()? {
                EventData::MappingStart { .. } | EventData::SequenceStart { .. } => depth += 1,
                EventData::MappingEnd | EventData::SequenceEnd => depth -= 1,
                _ => {}
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Result<EventData, IndexError> {
        if let Some(event) = self.ahead.take() {
            return Ok(event);
        }
        // The scanner panics on a few malformed texts, where an error is due.
        match catch_unwind(AssertUnwindSafe(|| self.parser.parse())) {
            Ok(event) => Ok(event.map_err(|error| IndexError::Yaml(error.to_string()))?.data),
            Err(_panic) => Err(IndexError::Yaml("found a token that cannot be scanned".to_owned())),
        }
    }
}

fn is_null(plain: &str) -> bool {
    matches!(plain, "" | "~" | "null" | "Null" | "NULL")
}

/// A scalar without quotes. Few are anything but texts, so the rules for numbers are asked only
/// where one might be.
fn plain(text: String) -> Value {
    let may_be_number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    if may_be_number || is_null(&text) || matches!(text.len(), 1..=5) {
        return document::parse(text.as_bytes()).unwrap_or(Value::String(text));
    }
    Value::String(text)
}
