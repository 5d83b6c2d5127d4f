//! Flow collections that begin and end on one line.

use serde_json::{Map, Value};

use super::block::Reader;
use super::scalar;
use crate::resolve::{Dialect, Scalar};

impl Reader<'_> {
    /// The collection at the beginning of a text, and what follows it.
    pub(super) fn flow<'t>(&mut self, text: &'t str, depth: usize) -> Option<(Value, &'t str)> {
        let depth = depth.checked_sub(1)?;
        match text.as_bytes().first()? {
            b'[' => self.flow_sequence(&text[1..], depth),
            b'{' => self.flow_mapping(&text[1..], depth),
            _ => None,
        }
    }

    fn flow_sequence<'t>(&mut self, text: &'t str, depth: usize) -> Option<(Value, &'t str)> {
        let mut items = Vec::new();
        let mut rest = text.trim_start_matches(' ');
        if let Some(after) = rest.strip_prefix(']') {
            return Some((Value::Array(items), after));
        }
        loop {
            let (item, after) = self.flow_value(rest, depth)?;
            items.push(item);
            match next(after)? {
                (b',', after) => rest = after.trim_start_matches(' '),
                (b']', after) => return Some((Value::Array(items), after)),
                _ => return None,
            }
        }
    }

    fn flow_mapping<'t>(&mut self, text: &'t str, depth: usize) -> Option<(Value, &'t str)> {
        let mut map = Map::new();
        let mut rest = text.trim_start_matches(' ');
        if let Some(after) = rest.strip_prefix('}') {
            return Some((Value::Object(map), after));
        }
        loop {
            self.count()?;
            let (key, after) = if rest.starts_with(['"', '\'']) {
                scalar::quoted(rest)?
            } else {
                let (key, after) = word(rest)?;
                (Dialect::Sigs.resolve(key) == Scalar::Text).then(|| (key.to_owned(), after))?
            };
            let (value, after) =
                self.flow_value(after.strip_prefix(": ")?.trim_start_matches(' '), depth)?;
            map.insert(key, value);
            match next(after)? {
                (b',', after) => rest = after.trim_start_matches(' '),
                (b'}', after) => return Some((Value::Object(map), after)),
                _ => return None,
            }
        }
    }

    fn flow_value<'t>(&mut self, text: &'t str, depth: usize) -> Option<(Value, &'t str)> {
        self.count()?;
        match text.as_bytes().first()? {
            b'[' | b'{' => self.flow(text, depth),
            b'"' | b'\'' => {
                let (text, after) = scalar::quoted(text)?;
                Some((Value::String(text), after))
            }
            _ => {
                let (word, after) = word(text)?;
                Some((scalar::meaning(word)?, after))
            }
        }
    }
}

/// A text of nothing but what stands for itself everywhere.
fn word(text: &str) -> Option<(&str, &str)> {
    let stands_for_itself = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    let end = text.find(|c| !stands_for_itself(c)).unwrap_or(text.len());
    let word = &text[..end];
    let is_word = word.starts_with(|c: char| c.is_ascii_alphanumeric());
    is_word.then(|| (word, &text[end..]))
}

/// The indicator that comes next, and what follows it.
fn next(text: &str) -> Option<(u8, &str)> {
    let text = text.trim_start_matches(' ');
    let indicator = *text.as_bytes().first()?;
    // Another character than an indicator may take several bytes.
    matches!(indicator, b',' | b']' | b'}').then(|| (indicator, &text[1..]))
}
