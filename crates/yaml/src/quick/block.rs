//! Block mappings and sequences.

use serde_json::{Map, Value};

use super::lines::{Lines, Piece};
use super::{literal, scalar};
use crate::resolve::{Dialect, Scalar};

/// Longer keys may be an error.
const MAX_KEY_BYTES: usize = 256;

/// Reads one document. Everywhere in here `None` gives up on the text.
pub(super) struct Reader<'a> {
    lines: Lines<'a>,
    nodes_left: usize,
    max_depth: usize,
}

/// What stands behind the colon or dash.
enum Inline {
    Value(Value),
    /// Nothing: the value is on the next lines, if there is one.
    Below,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(text: &'a str, nodes_left: usize, max_depth: usize) -> Self {
        Self { lines: Lines::new(text), nodes_left, max_depth }
    }

    pub(super) fn document(mut self) -> Option<Value> {
        let Some(first) = self.lines.peek().ok()? else { return Some(Value::Null) };
        let value = self.collection(first.column, self.max_depth)?;
        self.lines.peek().ok()?.is_none().then_some(value)
    }

    /// Counts a node.
    pub(super) fn count(&mut self) -> Option<()> {
        self.nodes_left = self.nodes_left.checked_sub(1)?;
        Some(())
    }

    /// The mapping or sequence whose first piece comes next, at this column.
    fn collection(&mut self, column: usize, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        self.count()?;
        let first = self.lines.peek().ok()??;
        if is_item(first.text) {
            self.sequence(column, false, depth)
        } else {
            self.mapping(column, depth)
        }
    }

    fn mapping(&mut self, column: usize, depth: usize) -> Option<Value> {
        let mut map = Map::new();
        while let Some(piece) = self.lines.peek().ok()? {
            if piece.column < column {
                break;
            }
            if piece.column > column {
                return None;
            }
            let (key, rest) = key(piece.text)?;
            self.count()?;
            self.lines.take();
            let value = match self.inline(rest, column, depth)? {
                Inline::Value(value) => value,
                Inline::Below => match self.lines.peek().ok()? {
                    Some(next) if next.column > column => self.below(next, column, depth)?,
                    // Within a mapping a sequence need not be deeper than its key.
                    Some(next) if next.column == column && is_item(next.text) => {
                        self.count()?;
                        self.sequence(column, true, depth.checked_sub(1)?)?
                    }
                    _ => {
                        self.count()?;
                        Value::Null
                    }
                },
            };
            map.insert(key, value);
        }
        Some(Value::Object(map))
    }

    /// `is_flush`: it belongs to a key at the same column.
    fn sequence(&mut self, column: usize, is_flush: bool, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        while let Some(piece) = self.lines.peek().ok()? {
            if piece.column < column || is_flush && piece.column == column && !is_item(piece.text) {
                break;
            }
            if piece.column > column || !is_item(piece.text) {
                return None;
            }
            self.lines.take();
            let rest = &piece.text[1..];
            let inner = rest.trim_start_matches(' ');
            let inner_column = column + 1 + rest.len() - inner.len();
            if is_item(inner) || key(inner).is_some() {
                self.lines.put_back(Piece { column: inner_column, text: inner });
                items.push(self.collection(inner_column, depth)?);
                continue;
            }
            items.push(match self.inline(rest, column, depth)? {
                Inline::Value(value) => value,
                Inline::Below => match self.lines.peek().ok()? {
                    Some(next) if next.column > column => self.below(next, column, depth)?,
                    _ => {
                        self.count()?;
                        Value::Null
                    }
                },
            });
        }
        Some(Value::Array(items))
    }

    /// The value on the lines below its key or dash, which is at the column `parent`.
    fn below(&mut self, first: Piece<'a>, parent: usize, depth: usize) -> Option<Value> {
        if is_item(first.text) || key(first.text).is_some() {
            return self.collection(first.column, depth);
        }
        self.lines.take();
        match self.inline(first.text, parent, depth)? {
            Inline::Value(value) => Some(value),
            Inline::Below => None,
        }
    }

    /// What follows a colon or dash on its line; a literal block takes its lines.
    fn inline(&mut self, rest: &'a str, column: usize, depth: usize) -> Option<Inline> {
        if scalar::is_end(rest) {
            return Some(Inline::Below);
        }
        let text = rest.trim_start_matches(' ');
        let value = match text.as_bytes().first()? {
            b'[' | b'{' => {
                self.count()?;
                let (value, after) = self.flow(text, depth)?;
                scalar::is_end(after).then_some(value)?
            }
            b'"' | b'\'' => {
                self.count()?;
                let (text, after) = scalar::quoted_lines(text, column, &mut self.lines)?;
                scalar::is_end(after).then_some(Value::String(text))?
            }
            b'|' | b'>' => {
                self.count()?;
                Value::String(literal::block(text, column, &mut self.lines)?)
            }
            _ => {
                self.count()?;
                scalar::meaning(&scalar::plain(text, column, &mut self.lines)?)?
            }
        };
        Some(Inline::Value(value))
    }
}

fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

/// The key at the beginning of a text and what follows its colon: nothing, or something that begins
/// with a space.
fn key(text: &str) -> Option<(String, &str)> {
    let first = *text.as_bytes().first()?;
    let (key, rest) = match first {
        b'"' | b'\'' => {
            let (key, rest) = scalar::quoted(text)?;
            (key, rest.strip_prefix(':')?)
        }
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'/' | b'.' | b'$' | b'(' => {
            let end = colon(text)?;
            let key = &text[..end];
            if key.ends_with(' ') || key.contains(" #") || key.starts_with("...") {
                return None;
            }
            (Dialect::Sigs.resolve(key) == Scalar::Text).then_some(())?;
            (key.to_owned(), &text[end + 1..])
        }
        _ => return None,
    };
    let fits = text.len() - rest.len() <= MAX_KEY_BYTES;
    (fits && (rest.is_empty() || rest.starts_with(' '))).then_some((key, rest))
}

/// The first colon that ends a key.
fn colon(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let at = from + bytes.get(from..)?.iter().position(|byte| *byte == b':')?;
        match bytes.get(at + 1) {
            None | Some(b' ') => return Some(at),
            _ => from = at + 1,
        }
    }
}
