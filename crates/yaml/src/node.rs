//! The nodes of a document, as they stand there: nothing is resolved yet.

use std::collections::HashMap;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use libyaml_safer::{
    Encoding, ErrorKind, Event, EventData, MappingStyle, Mark, Parser, ScalarStyle, Scanner,
    SequenceStyle,
};

use crate::resolve::Dialect;
use crate::{Error, Limits, unfinished_block};

/// How far go-yaml v3 scans ahead. Found by trial: it holds two tokens, but counts them otherwise.
const TOKENS_AHEAD: usize = 4;

/// What may stand before everything in UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A document as a table of nodes.
#[derive(Debug)]
pub(crate) struct Tree {
    nodes: Vec<Node>,
    /// The index of the root; none for an empty document.
    pub(crate) root: Option<usize>,
    /// The last literal or folded scalar, and the bytes it takes.
    last_block: Option<(usize, Range<usize>)>,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) tag: Option<String>,
    /// Counted from 1.
    pub(crate) line: u64,
    /// Whether nothing at all stands there, between braces or brackets.
    pub(crate) is_blank_in_flow: bool,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Scalar {
        text: String,
        /// Neither quoted nor tagged, so that the text says what it means.
        implicit: bool,
    },
    Sequence(Vec<usize>),
    /// Keys and values.
    Mapping(Vec<(usize, usize)>),
    Alias {
        anchor: String,
        target: usize,
    },
}

impl Node {
    /// How long the text of a scalar is.
    pub(crate) const fn text_bytes(&self) -> usize {
        match &self.kind {
            Kind::Scalar { text, .. } => text.len(),
            Kind::Sequence(_) | Kind::Mapping(_) | Kind::Alias { .. } => 0,
        }
    }
}

/// Collections that are not closed yet.
struct Open {
    node: usize,
    /// A key that waits for its value.
    key: Option<usize>,
    is_flow: bool,
}

impl Tree {
    /// Reads the first document.
    pub(crate) fn read(source: &[u8], dialect: Dialect, limits: &Limits) -> Result<Self, Error> {
        if source.len() > limits.bytes {
            return Err(Error::TooLarge { what: "bytes", limit: limits.bytes });
        }
        // Marks do not count it.
        let source = source.strip_prefix(BYTE_ORDER_MARK).unwrap_or(source);
        // The scanner underneath fails on a block that ends with the text. With a line end more it
        // reads it; the texts of errors are still those of the text as it is.
        if unfinished_block::is_likely(source) {
            let finished = [source, b"\n"].concat();
            if let Ok(mut tree) = Self::read_finished(&finished, dialect, limits) {
                tree.unfinish_last_block(&finished);
                return Ok(tree);
            }
        }
        Self::read_finished(source, dialect, limits)
    }

    fn read_finished(source: &[u8], dialect: Dialect, limits: &Limits) -> Result<Self, Error> {
        let mut input = source;
        let mut parser = Parser::new();
        parser.set_input_string(&mut input);
        if begins_like_a_mark(source) {
            parser.set_encoding(Encoding::Utf8);
        }
        let mut tree = Self { nodes: Vec::new(), root: None, last_block: None };
        let mut anchors: HashMap<String, usize> = HashMap::new();
        let mut open: Vec<Open> = Vec::new();
        loop {
            let event = next_event(&mut parser).map_err(|error| failure(error, source, dialect))?;
            let line = event.start_mark.line + 1;
            let opens_flow = match &event.data {
                EventData::SequenceStart { style, .. } => *style == SequenceStyle::Flow,
                EventData::MappingStart { style, .. } => *style == MappingStyle::Flow,
                _ => false,
            };
            let in_flow = open.last().is_some_and(|parent| parent.is_flow);
            let (kind, tag, anchor) = match event.data {
                EventData::StreamStart { .. } | EventData::DocumentStart { .. } => continue,
                EventData::DocumentEnd { .. } | EventData::StreamEnd => return Ok(tree),
                EventData::SequenceEnd | EventData::MappingEnd => {
                    open.pop();
                    continue;
                }
                EventData::Alias { anchor } => match anchors.get(&anchor) {
                    Some(target) => (Kind::Alias { anchor, target: *target }, None, None),
                    None => return Err(Error::UnknownAnchor { anchor }),
                },
                EventData::Scalar { anchor, tag, value: text, plain_implicit, style, .. } => {
                    if style == ScalarStyle::DoubleQuoted {
                        refuse_escaped_slash(source, &event.start_mark, &event.end_mark)?;
                    }
                    if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
                        let bytes = byte_index(&event.start_mark)..byte_index(&event.end_mark);
                        tree.last_block = Some((tree.nodes.len(), bytes));
                    }
                    // In the one dialect the tag `!` makes text, in the other it says nothing.
                    let is_bare = dialect == Dialect::Kyaml && tag.as_deref() == Some("!");
                    let implicit = plain_implicit || is_bare && style == ScalarStyle::Plain;
                    let tag = tag.filter(|_| !is_bare);
                    (Kind::Scalar { text, implicit }, tag, anchor)
                }
                EventData::SequenceStart { anchor, tag, .. } => {
                    (Kind::Sequence(Vec::new()), tag, anchor)
                }
                EventData::MappingStart { anchor, tag, .. } => {
                    (Kind::Mapping(Vec::new()), tag, anchor)
                }
            };
            let opens = matches!(kind, Kind::Sequence(_) | Kind::Mapping(_));
            let node = tree.nodes.len();
            if node >= limits.nodes {
                return Err(Error::TooLarge { what: "nodes", limit: limits.nodes });
            }
            let is_blank = |kind: &Kind| matches!(kind, Kind::Scalar { text, implicit: true } if text.is_empty());
            let is_blank_in_flow = in_flow && tag.is_none() && is_blank(&kind);
            tree.nodes.push(Node { kind, tag, line, is_blank_in_flow });
            if let Some(anchor) = anchor {
                anchors.insert(anchor, node);
            }
            match open.last_mut() {
                None => tree.root = Some(node),
                Some(parent) => tree.attach(parent, node),
            }
            if opens {
                if open.len() >= limits.depth {
                    return Err(Error::TooLarge { what: "levels", limit: limits.depth });
                }
                open.push(Open { node, key: None, is_flow: opens_flow });
            }
        }
    }

    pub(crate) fn node(&self, index: usize) -> &Node {
        &self.nodes[index]
    }

    /// The node, or what it stands for if it is an alias.
    pub(crate) fn resolved(&self, index: usize) -> &Node {
        match self.nodes[index].kind {
            Kind::Alias { target, .. } => &self.nodes[target],
            Kind::Scalar { .. } | Kind::Sequence(_) | Kind::Mapping(_) => &self.nodes[index],
        }
    }

    /// Whether a key asks for a merge.
    pub(crate) fn is_merge(&self, index: usize) -> bool {
        let Node { kind, tag, .. } = &self.nodes[index];
        let tagged = tag.as_deref() == Some("tag:yaml.org,2002:merge");
        matches!(kind, Kind::Scalar { text, implicit } if text == "<<" && (*implicit || tagged))
    }

    /// Takes the line end off the last block that the text as it is does not have.
    fn unfinish_last_block(&mut self, finished: &[u8]) {
        let Some((node, bytes)) = self.last_block.take() else { return };
        if let Some(Node { kind: Kind::Scalar { text, .. }, .. }) = self.nodes.get_mut(node) {
            unfinished_block::unfinish(text, finished, bytes);
        }
    }

    fn attach(&mut self, parent: &mut Open, child: usize) {
        match &mut self.nodes[parent.node].kind {
            Kind::Sequence(items) => items.push(child),
            Kind::Mapping(entries) => match parent.key.take() {
                None => parent.key = Some(child),
                Some(key) => entries.push((key, child)),
            },
            Kind::Scalar { .. } | Kind::Alias { .. } => {}
        }
    }
}

/// The next event. The scanner underneath panics on a few malformed texts, where an error is due.
pub(crate) fn next_event(
    parser: &mut Parser<&mut &[u8]>,
) -> Result<Event, Option<libyaml_safer::Error>> {
    match catch_unwind(AssertUnwindSafe(|| parser.parse())) {
        Ok(event) => event.map_err(Some),
        Err(_panic) => Err(None),
    }
}

/// Flux: Go's scanner does not know the escape `\/`, which JSON has and libyaml has learnt.
fn refuse_escaped_slash(source: &[u8], start: &Mark, end: &Mark) -> Result<(), Error> {
    let quoted = source.get(byte_index(start)..byte_index(end)).unwrap_or_default();
    let mut line = start.line;
    let mut bytes = quoted.iter();
    while let Some(byte) = bytes.next() {
        line += u64::from(*byte == b'\n');
        if *byte == b'\\' {
            match bytes.next() {
                Some(b'/') => return Err(Error::unknown_escape(line)),
                Some(b'\n') => line += 1,
                _ => {}
            }
        }
    }
    Ok(())
}

/// The place of a mark, counted in bytes.
pub(crate) fn byte_index(mark: &Mark) -> usize {
    usize::try_from(mark.index).unwrap_or(usize::MAX)
}

/// The error in the words of a dialect's library.
pub(crate) fn failure(
    error: Option<libyaml_safer::Error>,
    source: &[u8],
    dialect: Dialect,
) -> Error {
    let Some(error) = error else { return Error::unscannable() };
    let scanned = match dialect {
        Dialect::Sigs => None,
        Dialect::Kyaml => scanned_ahead(&error, source),
    };
    Error::syntax(scanned.as_ref().unwrap_or(&error), dialect)
}

/// Whether a text begins with a character of which the library believes that it begins a byte order
/// mark, for its first byte is the same: those from U+F000 to U+FFFF.
pub(crate) fn begins_like_a_mark(source: &[u8]) -> bool {
    source.starts_with(b"\xef") && !source.starts_with(BYTE_ORDER_MARK)
}

/// Flux: go-yaml v3 scans further than it parses, to find comments, so an error of the scanner that
/// follows soon hides one of the parser.
fn scanned_ahead(error: &libyaml_safer::Error, source: &[u8]) -> Option<libyaml_safer::Error> {
    let at = error.problem_mark().filter(|_| error.kind() == ErrorKind::Parser)?.index;
    let mut input = source;
    let mut scanner = Scanner::new();
    scanner.set_input_string(&mut input);
    if begins_like_a_mark(source) {
        scanner.set_encoding(Encoding::Utf8);
    }
    let mut ahead = 0;
    while ahead < TOKENS_AHEAD {
        let token = match catch_unwind(AssertUnwindSafe(|| scanner.next())) {
            Ok(Some(Ok(token))) => token,
            Ok(Some(Err(found))) => return Some(found),
            Ok(None) | Err(_) => return None,
        };
        ahead += usize::from(token.start_mark.index >= at);
    }
    None
}
