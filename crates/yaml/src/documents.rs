//! The documents of a stream.

use crate::node::BYTE_ORDER_MARK;

/// One document of a stream: the text between two separators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Document<'a> {
    /// The text, without its separators.
    pub text: &'a [u8],
    /// The line on which it starts, counted from 1.
    pub line: usize,
}

/// Splits a stream at its separators: lines that start with `---`. Nothing is parsed, and what
/// stands on a separator's own line after it belongs to the next document.
///
/// Documents without content, or with comments alone, are left out.
pub fn documents(stream: &[u8]) -> impl Iterator<Item = Document<'_>> {
    let stream = stream.strip_prefix(BYTE_ORDER_MARK).unwrap_or(stream);
    Splitter { rest: Some(stream), line: 1 }.filter(|document| has_content(document.text))
}

struct Splitter<'a> {
    rest: Option<&'a [u8]>,
    line: usize,
}

impl<'a> Iterator for Splitter<'a> {
    type Item = Document<'a>;

    fn next(&mut self) -> Option<Document<'a>> {
        let rest = self.rest.take()?;
        let line = self.line;
        let mut at = 0;
        while at < rest.len() {
            let end = rest[at..].iter().position(|byte| *byte == b'\n');
            let next = end.map_or(rest.len(), |end| at + end + 1);
            self.line += 1;
            if is_separator(&rest[at..next]) {
                self.rest = Some(&rest[next..]);
                return Some(Document { text: &rest[..at], line });
            }
            at = next;
        }
        Some(Document { text: rest, line })
    }
}

fn is_separator(line: &[u8]) -> bool {
    line.strip_prefix(b"---").is_some_and(|rest| {
        let rest = rest.trim_ascii();
        rest.is_empty() || rest.starts_with(b"#")
    })
}

fn has_content(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| {
        let line = line.trim_ascii();
        !line.is_empty() && !line.starts_with(b"#")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_split_at_its_separators() {
        let stream =
            b"# head\n---\na: 1\n--- # next\n\n# nothing\n---\nb: |\n  ---x\n  --- y\n---\n";
        let all: Vec<_> = documents(stream)
            .map(|document| (document.line, std::str::from_utf8(document.text).unwrap()))
            .collect();
        assert_eq!(all, [(3, "a: 1\n"), (8, "b: |\n  ---x\n  --- y\n")]);
        assert_eq!(documents(b"").count(), 0);
    }
}
