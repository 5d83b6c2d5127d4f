//! The nodes of a document, as they stand there: nothing is resolved yet.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use libyaml_safer::{Event, EventData, Parser, ScalarStyle};

use crate::{Error, Limits};

/// A document as a table of nodes.
#[derive(Debug)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// The index of the root; none for an empty document.
    pub(crate) root: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) tag: Option<String>,
    /// Counted from 1.
    pub(crate) line: u64,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Scalar {
        value: String,
        plain: bool,
    },
    Sequence(Vec<usize>),
    /// Keys and values.
    Mapping(Vec<(usize, usize)>),
    Alias {
        anchor: String,
        target: usize,
    },
}

/// Collections that are not closed yet.
struct Open {
    node: usize,
    /// A key that waits for its value.
    key: Option<usize>,
}

impl Tree {
    /// Reads the first document.
    pub(crate) fn read(text: &[u8], limits: &Limits) -> Result<Self, Error> {
        if text.len() > limits.bytes {
            return Err(Error::TooLarge { what: "bytes", limit: limits.bytes });
        }
        let mut input = text;
        let mut parser = Parser::new();
        parser.set_input_string(&mut input);
        let mut tree = Self { nodes: Vec::new(), root: None };
        let mut anchors: HashMap<String, usize> = HashMap::new();
        let mut open: Vec<Open> = Vec::new();
        loop {
            let event = next_event(&mut parser)?;
            let line = event.start_mark.line + 1;
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
                EventData::Scalar { anchor, tag, value, plain_implicit, style, .. } => {
                    if style == ScalarStyle::DoubleQuoted {
                        let marks = (event.start_mark.index, event.end_mark.index);
                        refuse_escaped_slash(text, marks, line)?;
                    }
                    let plain = plain_implicit && style == ScalarStyle::Plain;
                    (Kind::Scalar { value, plain }, tag, anchor)
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
            tree.nodes.push(Node { kind, tag, line });
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
                open.push(Open { node, key: None });
            }
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
fn next_event(parser: &mut Parser<&mut &[u8]>) -> Result<Event, Error> {
    match catch_unwind(AssertUnwindSafe(|| parser.parse())) {
        Ok(event) => Ok(event?),
        Err(_panic) => {
            let problem = "found a token that cannot be scanned".to_owned();
            Err(Error::Syntax { line: None, problem })
        }
    }
}

/// Go's parser does not know the escape `\\/`, which YAML took over from JSON.
fn refuse_escaped_slash(text: &[u8], marks: (u64, u64), line: u64) -> Result<(), Error> {
    let range = usize::try_from(marks.0).unwrap_or(0)..usize::try_from(marks.1).unwrap_or(0);
    let mut escaped = false;
    for byte in text.get(range).unwrap_or_default() {
        if escaped && *byte == b'/' {
            let problem = "found unknown escape character".to_owned();
            return Err(Error::Syntax { line: (line > 1).then_some(line), problem });
        }
        escaped = !escaped && *byte == b'\\';
    }
    Ok(())
}
