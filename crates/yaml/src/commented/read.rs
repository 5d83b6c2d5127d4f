//! Text to documents.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use libyaml_safer::{Encoding, Event, EventData, Parser, ScalarStyle};

use super::comments::{self, Found};
use super::{Comment, Entry, Line, Mapping, Node};
use crate::error::DefinedAgain;
use crate::node::{BYTE_ORDER_MARK, begins_like_a_mark, byte_index, failure, next_event};
use crate::resolve::{Dialect, Scalar};
use crate::{Error, Limits, timestamp, unfinished_block};

/// Reads the documents of a text, each of which must be a mapping or empty. What aliases name is put
/// in their place.
///
/// Limit: where a comment between collections of different depth belongs is decided by its column
/// alone; go-yaml looks at empty lines too.
///
/// # Errors
/// If the text is no YAML, a document is no mapping, a key stands twice, or it costs more than the
/// limits.
pub fn read(text: &[u8], limits: &Limits) -> Result<Vec<Mapping>, Error> {
    if text.len() > limits.bytes {
        return Err(Error::TooLarge { what: "bytes", limit: limits.bytes });
    }
    let source = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    if unfinished_block::is_likely(source) {
        // The scanner fails on a block that ends with the text.
        let finished = [source, b"\n"].concat();
        return Reader::new(&finished, limits, true).documents();
    }
    Reader::new(source, limits, false).documents()
}

struct Reader<'a> {
    source: &'a [u8],
    limits: &'a Limits,
    /// Whether a line end was added at the end.
    finished: bool,
    /// Where the last token ended, and whether a comment behind it can be on its line.
    cursor: usize,
    /// Comments that nothing has claimed yet.
    pending: Vec<Found>,
    open: Vec<Open>,
    documents: Vec<Mapping>,
    anchors: HashMap<String, Node>,
    nodes: usize,
    aliased_nodes: usize,
    aliased_bytes: usize,
}

/// A collection that is not closed yet.
struct Open {
    parts: Parts,
    anchor: Option<String>,
    /// The column at which a block starts; none in a flow.
    indent: Option<usize>,
}

enum Parts {
    Sequence(Vec<Line<Node>>),
    Mapping { entries: Mapping, keys: HashSet<String>, key: Option<Node> },
}

impl<'a> Reader<'a> {
    fn new(source: &'a [u8], limits: &'a Limits, finished: bool) -> Self {
        Self {
            source,
            limits,
            finished,
            cursor: 0,
            pending: Vec::new(),
            open: Vec::new(),
            documents: Vec::new(),
            anchors: HashMap::new(),
            nodes: 0,
            aliased_nodes: 0,
            aliased_bytes: 0,
        }
    }

    fn documents(mut self) -> Result<Vec<Mapping>, Error> {
        let mut input = self.source;
        let mut parser = Parser::new();
        parser.set_input_string(&mut input);
        if begins_like_a_mark(self.source) {
            parser.set_encoding(Encoding::Utf8);
        }
        loop {
            let event = next_event(&mut parser)
                .map_err(|error| failure(error, self.source, Dialect::Kyaml))?;
            let (start, end) = (byte_index(&event.start_mark), byte_index(&event.end_mark));
            if start > self.cursor {
                self.pending.extend(comments::between(self.source, self.cursor, start));
                self.cursor = start;
                self.claim_behind();
            }
            match event.data {
                EventData::StreamEnd => return Ok(self.documents),
                EventData::StreamStart { .. } => {}
                EventData::DocumentStart { .. } => self.cursor = end,
                EventData::DocumentEnd { .. } => self.close_document(),
                _ => self.node(event, start, end)?,
            }
        }
    }

    fn node(&mut self, event: Event, start: usize, end: usize) -> Result<(), Error> {
        let line = event.start_mark.line + 1;
        match event.data {
            EventData::Alias { anchor } => {
                let node = self.anchors.get(&anchor).cloned();
                let node = node.ok_or(Error::UnknownAnchor { anchor })?;
                self.pay_for_alias(&node)?;
                self.cursor = end;
                self.attach(node, line)
            }
            EventData::Scalar { anchor, tag, mut value, plain_implicit, style, .. } => {
                self.pay()?;
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                if is_block && self.finished {
                    unfinished_block::unfinish(&mut value, self.source, start..end);
                }
                let node = scalar(value, tag.as_deref(), plain_implicit)?;
                if let Some(anchor) = anchor {
                    self.anchors.insert(anchor, node.clone());
                }
                self.cursor = end;
                self.attach(node, line)?;
                if is_block {
                    // A comment in the header of a block is part of the token.
                    let header = self.source[start..end].split(|byte| *byte == b'\n').next();
                    let length = header.unwrap_or_default().len();
                    self.pending.extend(comments::between(self.source, start, start + length));
                    self.claim_behind();
                }
                Ok(())
            }
            EventData::SequenceStart { anchor, style, .. } => {
                let is_block = style != libyaml_safer::SequenceStyle::Flow;
                self.open(Parts::Sequence(Vec::new()), anchor, is_block, start, end)
            }
            EventData::MappingStart { anchor, style, .. } => {
                let is_block = style != libyaml_safer::MappingStyle::Flow;
                let parts = Parts::Mapping { entries: Vec::new(), keys: HashSet::new(), key: None };
                self.open(parts, anchor, is_block, start, end)
            }
            EventData::SequenceEnd | EventData::MappingEnd => self.close(start, end, line),
            _ => Ok(()),
        }
    }

    fn pay(&mut self) -> Result<(), Error> {
        self.nodes += 1;
        if self.nodes > self.limits.nodes {
            return Err(Error::TooLarge { what: "nodes", limit: self.limits.nodes });
        }
        Ok(())
    }

    fn pay_for_alias(&mut self, node: &Node) -> Result<(), Error> {
        let (nodes, bytes, depth) = size(node);
        self.aliased_nodes += nodes;
        self.aliased_bytes += bytes;
        if self.aliased_nodes > self.limits.aliased_nodes
            || self.aliased_bytes > self.limits.aliased_bytes
        {
            return Err(Error::ExcessiveAliasing);
        }
        self.check_depth(self.open.len() + depth)
    }

    fn check_depth(&self, depth: usize) -> Result<(), Error> {
        if depth > self.limits.depth {
            return Err(Error::TooLarge { what: "levels", limit: self.limits.depth });
        }
        Ok(())
    }

    fn open(
        &mut self,
        mut parts: Parts,
        anchor: Option<String>,
        is_block: bool,
        start: usize,
        end: usize,
    ) -> Result<(), Error> {
        self.pay()?;
        self.check_depth(self.open.len() + 1)?;
        let outside = self.open.last();
        let is_value = matches!(outside, None | Some(Open { parts: Parts::Mapping { .. }, .. }));
        // What stands before an item is the item's, what stands before a value is in the value.
        if is_block && is_value {
            let claimed = std::mem::take(&mut self.pending);
            parts.extend(claimed.into_iter().map(Found::comment));
        } else {
            self.claim_heads();
        }
        let indent = is_block.then(|| comments::column(self.source, start));
        self.open.push(Open { parts, anchor, indent });
        if !is_block {
            self.cursor = end;
        }
        Ok(())
    }

    fn close(&mut self, start: usize, end: usize, line: u64) -> Result<(), Error> {
        let Some(mut open) = self.open.pop() else { return Ok(()) };
        let belonging = match open.indent {
            Some(indent) => {
                let at_end = self.source[start..].trim_ascii_start().is_empty();
                let next = if at_end { 0 } else { comments::column(self.source, start) };
                comments::belonging(&self.pending, indent, next)
            }
            None => self.pending.len(),
        };
        open.parts.extend(self.pending.drain(..belonging).map(Found::comment));
        if open.indent.is_none() {
            self.cursor = end;
        }
        let node = match open.parts {
            Parts::Sequence(items) => Node::Sequence(items),
            Parts::Mapping { entries, .. } => Node::Mapping(entries),
        };
        if let Some(anchor) = open.anchor {
            self.anchors.insert(anchor, node.clone());
        }
        let pending = std::mem::take(&mut self.pending);
        self.attach(node, line)?;
        self.pending = pending;
        Ok(())
    }

    /// Gives a node to the collection around it.
    fn attach(&mut self, node: Node, line: u64) -> Result<(), Error> {
        self.claim_heads();
        match self.open.last_mut().map(|open| &mut open.parts) {
            Some(Parts::Sequence(items)) => items.push(Line::Value(node)),
            Some(Parts::Mapping { entries, keys, key }) => {
                if let Some(key) = key.take() {
                    entries.push(Line::Value(Entry { key, value: node }));
                } else if let Node::Text(text) = &node
                    && !keys.insert(text.clone())
                {
                    // Where it stood first is not kept.
                    let again = DefinedAgain { key: text.clone(), line, first: line };
                    return Err(Error::DefinedAgain(vec![again]));
                } else {
                    *key = Some(node);
                }
            }
            None => match node {
                Node::Mapping(entries) => self.documents.push(entries),
                Node::Null => self.documents.push(Vec::new()),
                _ => return Err(Error::NoMapping),
            },
        }
        Ok(())
    }

    /// The comments before a node go to the collection that it is in.
    fn claim_heads(&mut self) {
        let Some(open) = self.open.last_mut() else { return };
        open.parts.extend(self.pending.drain(..).map(Found::comment));
    }

    /// The comment behind a value goes before that value, marked as standing on its line.
    fn claim_behind(&mut self) {
        let is_behind = |found: &Found| found.behind && !found.after_indicator;
        let Some(found) = self.pending.first().filter(|found| is_behind(found)) else { return };
        let comment = Comment { text: found.text.clone(), inline: true };
        let claimed = match self.open.last_mut().map(|open| &mut open.parts) {
            Some(Parts::Sequence(items)) => insert_before_last(items, comment),
            Some(Parts::Mapping { entries, key: None, .. }) => insert_before_last(entries, comment),
            Some(Parts::Mapping { .. }) | None => false,
        };
        if claimed {
            self.pending.remove(0);
        }
    }

    fn close_document(&mut self) {
        self.anchors.clear();
        let comments = self.pending.drain(..).map(Found::comment).map(Line::Comment);
        if let Some(document) = self.documents.last_mut() {
            document.extend(comments);
        }
    }
}

impl Parts {
    fn extend(&mut self, comments: impl Iterator<Item = Comment>) {
        match self {
            Self::Sequence(items) => items.extend(comments.map(Line::Comment)),
            Self::Mapping { entries, .. } => entries.extend(comments.map(Line::Comment)),
        }
    }
}

impl Found {
    fn comment(self) -> Comment {
        Comment { text: self.text, inline: false }
    }
}

fn insert_before_last<T>(lines: &mut Vec<Line<T>>, comment: Comment) -> bool {
    if !matches!(lines.last(), Some(Line::Value(_))) {
        return false;
    }
    lines.insert(lines.len() - 1, Line::Comment(comment));
    true
}

fn scalar(text: String, tag: Option<&str>, plain: bool) -> Result<Node, Error> {
    let short = tag.map(|tag| tag.strip_prefix("tag:yaml.org,2002:").unwrap_or(tag));
    let resolved = || Dialect::Kyaml.resolve(&text);
    let wrong = |wanted: &str| Error::Tag {
        found: "!!str",
        value: String::new(),
        wanted: format!("!!{wanted}"),
    };
    let scalar = match short {
        None | Some("!") if !plain => Scalar::Text,
        None | Some("!") => resolved(),
        Some("binary") => return binary(&text),
        Some("null") => Scalar::Null,
        Some(wanted @ ("bool" | "int" | "float" | "timestamp")) => match (wanted, resolved()) {
            ("float", Scalar::Integer(value)) => {
                let float = value.to_string().parse();
                Scalar::Float(float.map_err(|_impossible| wrong(wanted))?)
            }
            ("bool", found @ Scalar::Bool(_))
            | ("int", found @ Scalar::Integer(_))
            | ("float", found @ Scalar::Float(_))
            | ("timestamp", found @ Scalar::Timestamp) => found,
            _ => return Err(wrong(wanted)),
        },
        Some(_) => Scalar::Text,
    };
    Ok(match scalar {
        Scalar::Null => Node::Null,
        Scalar::Bool(value) => Node::Bool(value),
        Scalar::Integer(value) => Node::Integer(value),
        Scalar::Float(value) => Node::Float(value),
        Scalar::Timestamp => Node::Timestamp(timestamp::rfc3339(&text)),
        Scalar::Text => Node::Text(text),
    })
}

fn binary(text: &str) -> Result<Node, Error> {
    let packed: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let bytes = BASE64.decode(packed).map_err(|_no_base64| Error::Binary)?;
    Ok(String::from_utf8(bytes)
        .map_or_else(|no_text| Node::Binary(no_text.into_bytes()), Node::Text))
}

/// Values, bytes of text and levels of a node.
fn size(node: &Node) -> (usize, usize, usize) {
    let add = |(nodes, bytes, depth): (usize, usize, usize), child: &Node| {
        let (more, longer, deeper) = size(child);
        (nodes + more, bytes + longer, depth.max(deeper + 1))
    };
    match node {
        Node::Text(text) | Node::Timestamp(text) => (1, text.len(), 0),
        Node::Binary(bytes) => (1, bytes.len(), 0),
        Node::Sequence(items) => items.iter().fold((1, 0, 1), |size, line| match line {
            Line::Comment(comment) => (size.0 + 1, size.1 + comment.text.len(), size.2),
            Line::Value(item) => add(size, item),
        }),
        Node::Mapping(entries) => entries.iter().fold((1, 0, 1), |size, line| match line {
            Line::Comment(comment) => (size.0 + 1, size.1 + comment.text.len(), size.2),
            Line::Value(entry) => add(add(size, &entry.key), &entry.value),
        }),
        Node::Null | Node::Bool(_) | Node::Integer(_) | Node::Float(_) => (1, 0, 0),
    }
}
