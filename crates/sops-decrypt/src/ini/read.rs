//! Text to sections.

use std::str::Split;

use yaml::commented::{Comment, Entry, Line, Mapping, Node};

use super::{DEFAULT, DELIMITERS};
use crate::error::LoadError;

pub(crate) fn read(text: &str) -> Result<Mapping, LoadError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { lines: text.split('\n'), line: 0, comment: String::new() };
    let mut sections = vec![Section::new(DEFAULT)];
    while let Some(line) = reader.next() {
        let line = line.trim_start();
        if line.is_empty() {
            continue;
        }
        if line.starts_with(['#', ';']) {
            reader.comment.push_str(line);
            reader.comment.push('\n');
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            sections.push(reader.section(rest)?);
            continue;
        }
        let (name, value) = reader.entry(line)?;
        let comment = std::mem::take(&mut reader.comment);
        if let Some(section) = sections.last_mut() {
            section.set(name, value, comment.trim());
        }
    }
    Ok(sections.into_iter().map(Section::into_line).collect())
}

struct Section {
    name: String,
    comment: String,
    entries: Vec<(String, String, String)>,
    /// How many names were given as `-`.
    counted: usize,
}

impl Section {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), comment: String::new(), entries: Vec::new(), counted: 0 }
    }

    /// A name that comes again gets the later value.
    fn set(&mut self, mut name: String, value: String, comment: &str) {
        if name == "-" {
            self.counted += 1;
            name = format!("#{}", self.counted);
        }
        match self.entries.iter_mut().find(|(other, _, _)| *other == name) {
            Some(entry) => (entry.1, entry.2) = (value, comment.to_owned()),
            None => self.entries.push((name, value, comment.to_owned())),
        }
    }

    /// sops puts the comment of a section at its start and that of a name behind it.
    fn into_line(self) -> Line<Entry> {
        let mut entries: Mapping = Vec::new();
        entries.extend(comment(&self.comment));
        for (name, value, text) in self.entries {
            entries.push(Line::Value(Entry { key: Node::Text(name), value: Node::Text(value) }));
            entries.extend(comment(&text));
        }
        Line::Value(Entry { key: Node::Text(self.name), value: Node::Mapping(entries) })
    }
}

fn comment(text: &str) -> Option<Line<Entry>> {
    let bare = match text.chars().next()? {
        c @ (';' | '#') => text.trim_start_matches([c, ' ']),
        _ => text,
    };
    Some(Line::Comment(Comment { text: bare.to_owned(), inline: false }))
}

struct Reader<'a> {
    lines: Split<'a, char>,
    line: usize,
    /// The comments since the last name.
    comment: String,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Option<&'a str> {
        self.line += 1;
        self.lines.next()
    }

    const fn error(&self, problem: &'static str) -> LoadError {
        LoadError::IniLine { line: self.line, problem }
    }

    fn section(&mut self, rest: &str) -> Result<Section, LoadError> {
        let (name, behind) = rest.rsplit_once(']').ok_or_else(|| self.error("unclosed section"))?;
        if name.is_empty() {
            return Err(self.error("empty section name"));
        }
        if let Some(at) = behind.find(['#', ';']) {
            self.comment.push_str(&behind[at..]);
        }
        let mut section = Section::new(name);
        std::mem::take(&mut self.comment).trim().clone_into(&mut section.comment);
        Ok(section)
    }

    fn entry(&mut self, line: &str) -> Result<(String, String), LoadError> {
        let quote = ["\"\"\"", "\"", "`"]
            .into_iter()
            .find(|quote| line.starts_with(quote) && (quote.len() == 1 || line.len() > 6));
        let (name, rest) = match quote {
            Some(quote) => {
                let inner = &line[quote.len()..];
                let (name, behind) = inner
                    .split_once(quote)
                    .ok_or_else(|| self.error("missing closing key quote"))?;
                let at = behind.find(DELIMITERS).ok_or_else(|| self.error("no delimiter"))?;
                (name, &behind[at + 1..])
            }
            None => line.split_once(DELIMITERS).ok_or_else(|| self.error("no delimiter"))?,
        };
        let name = name.trim();
        if name.is_empty() {
            return Err(self.error("empty key name"));
        }
        Ok((name.to_owned(), self.value(rest)?))
    }

    fn value(&mut self, rest: &str) -> Result<String, LoadError> {
        let text = rest.trim_start();
        let quote = match text.chars().next() {
            None => return Ok(String::new()),
            Some('"') if text.len() > 3 && text.starts_with("\"\"\"") => "\"\"\"",
            Some('`') => "`",
            Some(_) => return Ok(self.plain(text.trim_end())),
        };
        let inner = &text[quote.len()..];
        match inner.rfind(quote) {
            Some(at) => Ok(inner[..at].to_owned()),
            None => self.lines_until(quote, inner),
        }
    }

    /// A quoted value of several lines.
    fn lines_until(&mut self, quote: &str, first: &str) -> Result<String, LoadError> {
        let mut value = format!("{first}\n");
        loop {
            let line = self.next().ok_or_else(|| self.error("missing closing key quote"))?;
            if let Some(at) = line.rfind(quote) {
                value.push_str(&line[..at]);
                let behind = &line[at..];
                if let Some(at) = behind.find(['#', ';']) {
                    self.comment.push_str(behind[at..].trim());
                }
                return Ok(value);
            }
            value.push_str(line);
            value.push('\n');
        }
    }

    fn plain(&mut self, text: &str) -> String {
        if let Some(rest) = text.strip_suffix('\\') {
            return self.continued(rest.to_owned());
        }
        let mut value = text;
        if let Some(at) = value.find(['#', ';']) {
            self.comment.push_str(&value[at..]);
            value = value[..at].trim();
        }
        for quote in ['\'', '"'] {
            let inner = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
            if let Some(inner) = inner.filter(|inner| !inner.contains(quote)) {
                return inner.to_owned();
            }
        }
        value.to_owned()
    }

    fn continued(&mut self, mut value: String) -> String {
        while let Some(line) = self.next() {
            let line = line.trim();
            if line.is_empty() {
                break;
            }
            let Some(rest) = line.strip_suffix('\\') else {
                value.push_str(line);
                break;
            };
            value.push_str(rest);
        }
        value
    }
}
