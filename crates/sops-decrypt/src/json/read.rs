//! Reads JSON. `serde_json` loses the order of keys and the last digit of floats, and the MAC of a
//! file covers both.

use yaml::commented::{Entry, Line, Mapping, Node};

use crate::error::LoadError;

/// Deeper values are refused.
const MAX_DEPTH: usize = 128;

/// Reads the first value, which must be an object.
///
/// Flux: what follows it is not looked at.
pub(crate) fn read(text: &str) -> Result<Mapping, LoadError> {
    let mut reader = Reader { text, at: 0 };
    if reader.peek() != Some(b'{') {
        return Err(reader.error("no object"));
    }
    match reader.value(0)? {
        Node::Mapping(entries) => Ok(entries),
        _ => Err(reader.error("no object")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    const fn error(&self, problem: &'static str) -> LoadError {
        LoadError::Json { problem, at: self.at }
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(*byte);
            }
            self.at += 1;
        }
        None
    }

    fn eat(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Node, LoadError> {
        if depth > MAX_DEPTH {
            return Err(self.error("nested too deeply"));
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Node::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => {
                let words = [("null", Node::Null), ("true", Node::Bool(true))];
                for (word, node) in words.into_iter().chain([("false", Node::Bool(false))]) {
                    if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
                        self.at += word.len();
                        return Ok(node);
                    }
                }
                Err(self.error("no value"))
            }
            None => Err(self.error("unexpected end")),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Node, LoadError> {
        self.at += 1;
        let mut entries = Vec::new();
        if self.eat(b'}') {
            return Ok(Node::Mapping(entries));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.error("no key"));
            }
            let key = Node::Text(self.string()?);
            if !self.eat(b':') {
                return Err(self.error("no ':' behind a key"));
            }
            let value = self.value(depth + 1)?;
            entries.push(Line::Value(Entry { key, value }));
            if self.eat(b'}') {
                return Ok(Node::Mapping(entries));
            }
            if !self.eat(b',') {
                return Err(self.error("no ',' behind an entry"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Node, LoadError> {
        self.at += 1;
        let mut items = Vec::new();
        if self.eat(b']') {
            return Ok(Node::Sequence(items));
        }
        loop {
            items.push(Line::Value(self.value(depth + 1)?));
            if self.eat(b']') {
                return Ok(Node::Sequence(items));
            }
            if !self.eat(b',') {
                return Err(self.error("no ',' behind an item"));
            }
        }
    }

    /// The string that starts here; its syntax is `serde_json`'s.
    fn string(&mut self) -> Result<String, LoadError> {
        let bytes = &self.text.as_bytes()[self.at..];
        let mut end = 1;
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(_) => end += 1,
                None => return Err(self.error("a string without end")),
            }
        }
        let literal = &self.text[self.at..=self.at + end];
        let text = serde_json::from_str(literal);
        let text = text.map_err(|_syntax| self.error("a malformed string"))?;
        self.at += end + 1;
        Ok(text)
    }

    fn number(&mut self) -> Result<Node, LoadError> {
        let rest = &self.text[self.at..];
        let length = rest
            .bytes()
            .take_while(|byte| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'))
            .count();
        let literal = &rest[..length];
        // The syntax is serde_json's, the value is not.
        if serde_json::from_str::<serde_json::Number>(literal).is_err() {
            return Err(self.error("a malformed number"));
        }
        let node = match (literal.parse::<i64>(), literal.parse::<f64>()) {
            (Ok(integer), _) => Node::Integer(integer.into()),
            (Err(_), Ok(float)) if float.is_finite() => Node::Float(float),
            _ => return Err(self.error("a number out of range")),
        };
        self.at += length;
        Ok(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_object_is_refused() {
        for text in [
            "",
            "[]",
            "1",
            "{",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1e999}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":01}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert!(read(&deep).is_err());
        assert_eq!(read(r#"{"a": [1, 2.5, "é\n", {}, null]} rest"#).unwrap().len(), 1);
    }
}
