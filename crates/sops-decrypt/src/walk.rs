//! Every value of a file in its order: decrypted if it should be, and counted into the MAC.

use std::fmt::Write as _;

use go_regex::Regex;
use sha2::{Digest as _, Sha512};
use yaml::commented::{Comment, Entry, Line, Mapping, Node};

use crate::data_key::DataKey;
use crate::error::{ValueError, WalkError};
use crate::metadata::{Metadata, Rule};
use crate::value::{self, Opened};

/// What the digest starts with if only encrypted values are counted: a constant of sops.
const ENCRYPTED_ONLY: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
    0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// Decrypts the values where they stand; gives the MAC that the file should have.
pub(crate) fn decrypt(
    documents: &mut [Mapping],
    metadata: &Metadata,
    key: &DataKey,
) -> Result<String, WalkError> {
    let mut walk =
        Walk { metadata, key, mac: Sha512::new(), path: Vec::new(), comments: Vec::new() };
    if metadata.mac_only_encrypted {
        walk.mac.update(ENCRYPTED_ONLY);
    }
    for document in documents {
        walk.mapping(document).map_err(WalkError)?;
    }
    let mut mac = String::with_capacity(128);
    for byte in walk.mac.finalize() {
        // Writing to a string cannot fail.
        _ = write!(mac, "{byte:02X}");
    }
    Ok(mac)
}

struct Walk<'a> {
    metadata: &'a Metadata,
    key: &'a DataKey,
    mac: Sha512,
    path: Vec<String>,
    /// The comments before the value, at each level.
    comments: Vec<Vec<String>>,
}

impl Walk<'_> {
    fn mapping(&mut self, entries: &mut Mapping) -> Result<(), ValueError> {
        self.comments.push(Vec::new());
        for line in entries {
            match line {
                Line::Comment(comment) => self.comment(comment)?,
                Line::Value(Entry { key, value }) => {
                    let Node::Text(key) = key else { return Err(ValueError::Key) };
                    self.path.push(key.clone());
                    if let Some(_comment) = self.node(value)? {
                        return Err(ValueError::Comment);
                    }
                    self.path.pop();
                    self.forget_comments();
                }
            }
        }
        self.comments.pop();
        Ok(())
    }

    fn sequence(&mut self, items: &mut [Line<Node>]) -> Result<(), ValueError> {
        self.comments.push(Vec::new());
        for line in items {
            match line {
                Line::Comment(comment) => self.comment(comment)?,
                // A comment among items is encrypted as if it were one.
                Line::Value(item) => {
                    if let Some(comment) = self.node(item)? {
                        *line = Line::Comment(comment);
                    }
                    self.forget_comments();
                }
            }
        }
        self.comments.pop();
        Ok(())
    }

    fn forget_comments(&mut self) {
        self.comments.last_mut().into_iter().for_each(Vec::clear);
    }

    /// Decrypts a comment, if it was encrypted: those of old files are not.
    fn comment(&mut self, comment: &mut Comment) -> Result<(), ValueError> {
        if let Some(level) = self.comments.last_mut() {
            level.push(comment.text.clone());
        }
        if !self.should_be_encrypted(true) {
            return Ok(());
        }
        match value::open(&comment.text, self.key, &self.place()) {
            Err(_never_encrypted) => {}
            Ok(Opened::Comment(text)) => *comment = Comment { text, inline: false },
            Ok(Opened::Text(bytes)) => {
                self.mac.update(&bytes);
                comment.text = String::from_utf8_lossy(&bytes).into_owned();
            }
            Ok(_) => return Err(ValueError::Comment),
        }
        Ok(())
    }

    /// Decrypts a value. Gives the comment if it was one.
    fn node(&mut self, node: &mut Node) -> Result<Option<Comment>, ValueError> {
        match node {
            Node::Mapping(entries) => return self.mapping(entries).map(|()| None),
            Node::Sequence(items) => return self.sequence(items).map(|()| None),
            Node::Null => return Ok(None),
            Node::Integer(value) if i64::try_from(*value).is_err() => {
                return Err(ValueError::Unsigned);
            }
            _ => {}
        }
        let encrypted = self.should_be_encrypted(false);
        if encrypted {
            let Node::Text(text) = node else {
                return Err(ValueError::NotEncrypted { found: go_type(node) });
            };
            let opened = value::open(text, self.key, &self.place()).map_err(ValueError::Value)?;
            *node = match opened {
                Opened::Comment(text) => return Ok(Some(Comment { text, inline: false })),
                Opened::Text(bytes) => match std::str::from_utf8(&bytes) {
                    Ok(text) => Node::Text(text.to_owned()),
                    Err(_no_text) => Node::Binary(bytes.to_vec()),
                },
                Opened::Integer(value) => Node::Integer(value.into()),
                Opened::Float(value) => Node::Float(value),
                Opened::Bool(value) => Node::Bool(value),
                Opened::Time(text) => Node::Timestamp(text),
            };
        }
        if encrypted || !self.metadata.mac_only_encrypted {
            self.count(node);
        }
        Ok(None)
    }

    /// Counts a value into the MAC, in Go's words for numbers.
    fn count(&mut self, node: &Node) {
        match node {
            Node::Text(text) | Node::Timestamp(text) => self.mac.update(text),
            Node::Binary(bytes) => self.mac.update(bytes),
            Node::Integer(value) => self.mac.update(value.to_string()),
            Node::Float(value) if value.is_infinite() => {
                self.mac.update(if *value > 0.0 { "+Inf" } else { "-Inf" });
            }
            Node::Float(value) => self.mac.update(value.to_string()),
            Node::Bool(value) => self.mac.update(if *value { "True" } else { "False" }),
            Node::Null | Node::Sequence(_) | Node::Mapping(_) => {}
        }
    }

    /// Where we are, which is part of what is authenticated.
    fn place(&self) -> String {
        let mut place = self.path.join(":");
        place.push(':');
        place
    }

    fn should_be_encrypted(&self, is_comment: bool) -> bool {
        let on_path = |matches: &dyn Fn(&str) -> bool| self.path.iter().any(|key| matches(key));
        match &self.metadata.rule {
            Rule::UnencryptedSuffix(suffix) => !on_path(&|key| key.ends_with(suffix.as_str())),
            Rule::EncryptedSuffix(suffix) => on_path(&|key| key.ends_with(suffix.as_str())),
            Rule::UnencryptedRegex(regex) => !on_path(&|key| regex.is_match(key)),
            Rule::EncryptedRegex(regex) => on_path(&|key| regex.is_match(key)),
            Rule::UnencryptedCommentRegex(regex) => !self.announced(regex, false),
            // The comment that announces encryption is not encrypted itself.
            Rule::EncryptedCommentRegex(regex) => self.announced(regex, is_comment),
        }
    }

    /// Whether a comment before here matches. With `but_the_last`, the last one does not count.
    fn announced(&self, regex: &Regex, but_the_last: bool) -> bool {
        let mut comments: Vec<&String> = self.comments.iter().flatten().collect();
        if but_the_last {
            comments.pop();
        }
        comments.into_iter().any(|comment| regex.is_match(comment))
    }
}

/// What Go calls the type of a value.
const fn go_type(node: &Node) -> &'static str {
    match node {
        Node::Bool(_) => "bool",
        Node::Integer(_) => "int",
        Node::Float(_) => "float64",
        Node::Timestamp(_) => "time.Time",
        Node::Null | Node::Text(_) | Node::Binary(_) | Node::Sequence(_) | Node::Mapping(_) => {
            "string"
        }
    }
}
