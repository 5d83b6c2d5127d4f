//! Where the scalars of a text stand, to the byte, so that one can be replaced and nothing else
//! changes.

use std::ops::Range;

use libyaml_safer::{Encoding, EventData, Mark, Parser, ScalarStyle};

use crate::node::{BYTE_ORDER_MARK, begins_like_a_mark, byte_index, failure, next_event};
use crate::resolve::Dialect;
use crate::{Error, Limits, unfinished_block};

/// The scalars of a text, those that are keys left out, in the order in which they stand there.
#[derive(Debug)]
pub struct Spans {
    scalars: Vec<ScalarSpan>,
    places: Vec<Place>,
}

/// A scalar and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScalarSpan {
    /// The text that it means, whatever its type: without quotes, escapes and folding.
    pub text: String,
    /// How it is written.
    pub style: Style,
    /// The bytes it takes, quotes included, a comment behind it not.
    pub bytes: Range<usize>,
    /// The line on which it starts, counted from 1.
    pub line: u64,
    /// The character of the line at which it starts, counted from 1.
    pub column: u64,
    place: usize,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `a`
    Plain,
    /// `'a'`
    SingleQuoted,
    /// `"a"`
    DoubleQuoted,
    /// `|` or `>` and the lines that follow.
    Block,
}

/// A step from the root of a stream to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The document of this index in the stream.
    Document(usize),
    /// The value of this key. A key that is a collection has no text.
    Key(String),
    /// The item of this index in a sequence.
    Item(usize),
}

#[derive(Debug)]
struct Place {
    parent: Option<usize>,
    step: Step,
}

/// A collection that is not closed yet.
struct Open {
    place: usize,
    next: Next,
}

enum Next {
    Item(usize),
    Key,
    Value(String),
}

impl Spans {
    /// The scalars.
    pub fn scalars(&self) -> &[ScalarSpan] {
        &self.scalars
    }

    /// The way from the root of the stream to one of these scalars.
    pub fn path(&self, scalar: &ScalarSpan) -> Vec<Step> {
        let mut path = Vec::new();
        let mut next = Some(scalar.place);
        while let Some(place) = next.and_then(|place| self.places.get(place)) {
            path.push(place.step.clone());
            next = place.parent;
        }
        path.reverse();
        path
    }
}

/// Where the scalars of all documents of a text stand. Aliases are not followed.
///
/// # Errors
/// If the text is no YAML, or costs more than the default limits.
pub fn spans(text: &[u8]) -> Result<Spans, Error> {
    // Marks do not count it.
    let rest = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let mut spans = if unfinished_block::is_likely(rest) {
        let finished = [rest, b"\n"].concat();
        let mut spans = finished_spans(&finished)?;
        if let Some(last) = spans.scalars.last_mut().filter(|last| last.style == Style::Block) {
            unfinished_block::unfinish(&mut last.text, &finished, last.bytes.clone());
        }
        spans
    } else {
        finished_spans(rest)?
    };
    let offset = text.len() - rest.len();
    // A block ends, and an empty scalar stands, behind the line break that was added.
    let within = |at: usize| at.min(rest.len()) + offset;
    for ScalarSpan { bytes, .. } in &mut spans.scalars {
        *bytes = within(bytes.start)..within(bytes.end);
    }
    Ok(spans)
}

fn finished_spans(text: &[u8]) -> Result<Spans, Error> {
    let limits = Limits::default();
    if text.len() > limits.bytes {
        return Err(Error::TooLarge { what: "bytes", limit: limits.bytes });
    }
    let mut input = text;
    let mut parser = Parser::new();
    parser.set_input_string(&mut input);
    if begins_like_a_mark(text) {
        parser.set_encoding(Encoding::Utf8);
    }
    let mut spans = Spans { scalars: Vec::new(), places: Vec::new() };
    let mut open: Vec<Open> = Vec::new();
    let mut document = 0;
    loop {
        let event = next_event(&mut parser).map_err(|error| failure(error, text, Dialect::Sigs))?;
        let next = match event.data {
            EventData::StreamEnd => return Ok(spans),
            EventData::StreamStart { .. } | EventData::DocumentStart { .. } => continue,
            EventData::DocumentEnd { .. } => {
                document += 1;
                continue;
            }
            EventData::SequenceEnd | EventData::MappingEnd => {
                open.pop();
                continue;
            }
            EventData::Alias { .. } => {
                spans.enter(&mut open, document, "");
                continue;
            }
            EventData::Scalar { value, style, anchor, tag, .. } => {
                let Some(place) = spans.enter(&mut open, document, &value) else { continue };
                let bytes = byte_index(&event.start_mark)..byte_index(&event.end_mark);
                let properties = usize::from(anchor.is_some()) + usize::from(tag.is_some());
                let before = properties_length(text.get(bytes.clone()), properties);
                let skipped = text.get(bytes.start..bytes.start + before).unwrap_or_default();
                let (line, column) = position_after(&event.start_mark, skipped);
                spans.scalars.push(ScalarSpan {
                    text: value,
                    style: style.into(),
                    bytes: bytes.start + before..bytes.end,
                    line,
                    column,
                    place,
                });
                continue;
            }
            EventData::SequenceStart { .. } => Next::Item(0),
            EventData::MappingStart { .. } => Next::Key,
        };
        // A collection that is a key is a place of its own, to which no path leads.
        let place = spans.enter(&mut open, document, "");
        let place = place.unwrap_or_else(|| spans.add(None, Step::Key(String::new())));
        if open.len() >= limits.depth {
            return Err(Error::TooLarge { what: "levels", limit: limits.depth });
        }
        if spans.places.len() > limits.nodes {
            return Err(Error::TooLarge { what: "nodes", limit: limits.nodes });
        }
        open.push(Open { place, next });
    }
}

impl Spans {
    /// The place of the node that comes next; none if it is a key.
    fn enter(&mut self, open: &mut [Open], document: usize, text: &str) -> Option<usize> {
        let Some(parent) = open.last_mut() else {
            return Some(self.add(None, Step::Document(document)));
        };
        let (step, next) = match std::mem::replace(&mut parent.next, Next::Key) {
            Next::Item(index) => (Step::Item(index), Next::Item(index + 1)),
            Next::Value(key) => (Step::Key(key), Next::Key),
            Next::Key => {
                parent.next = Next::Value(text.to_owned());
                return None;
            }
        };
        parent.next = next;
        Some(self.add(Some(parent.place), step))
    }

    fn add(&mut self, parent: Option<usize>, step: Step) -> usize {
        self.places.push(Place { parent, step });
        self.places.len() - 1
    }
}

impl From<ScalarStyle> for Style {
    fn from(style: ScalarStyle) -> Self {
        match style {
            ScalarStyle::SingleQuoted => Self::SingleQuoted,
            ScalarStyle::DoubleQuoted => Self::DoubleQuoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Self::Block,
            _ => Self::Plain,
        }
    }
}

/// How many bytes an anchor and a tag take before a scalar, with what separates them from it: the
/// parser counts them as parts of it.
fn properties_length(scalar: Option<&[u8]>, properties: usize) -> usize {
    let mut rest = scalar.unwrap_or_default();
    let all = rest.len();
    for _ in 0..properties {
        let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        rest = rest[end..].trim_ascii_start();
        while rest.starts_with(b"#") {
            let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            rest = rest[end..].trim_ascii_start();
        }
    }
    all - rest.len()
}

/// The line and the column behind some text, both counted from 1.
fn position_after(start: &Mark, skipped: &[u8]) -> (u64, u64) {
    let mut lines = skipped.split(|byte| *byte == b'\n');
    let last = lines.next_back().unwrap_or_default();
    let breaks = u64::try_from(lines.count()).unwrap_or(u64::MAX);
    let characters = last.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
    let characters = u64::try_from(characters).unwrap_or(u64::MAX);
    let column = if breaks == 0 { start.column + characters } else { characters };
    (start.line + breaks + 1, column + 1)
}
