//! An index written anew: as JSON, without broken entries, newest versions first.
//!
//! The bytes are those of Go's `json.MarshalIndent` for the fields that Helm knows, but for the
//! order of members; so the size is the same, which Flux tells in an event.

use std::io::{self, BufRead, Write};

use semver_range::Version;
use serde_json::{Map, Value, json};

use super::events::{Events, Item};
use super::{IndexError, MAX_ENTRIES, entry, is_empty};

/// Why an index was not written anew.
#[derive(Debug, thiserror::Error)]
pub enum RewriteError {
    /// It is no index.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// It could not be written.
    #[error("cannot write the index")]
    Write(#[source] io::Error),
}

/// When nothing says when.
const GO_ZERO_TIME: &str = "0001-01-01T00:00:00Z";

/// Members of an entry that are there even if they are empty.
const ALWAYS: [&str; 2] = ["created", "urls"];
/// Members of an entry that Helm knows; it drops others.
const KNOWN: [&str; 25] = [
    "annotations",
    "apiVersion",
    "appVersion",
    "checksum",
    "condition",
    "created",
    "dependencies",
    "deprecated",
    "description",
    "digest",
    "engine",
    "home",
    "icon",
    "keywords",
    "kubeVersion",
    "maintainers",
    "name",
    "removed",
    "sources",
    "tags",
    "tillerVersion",
    "type",
    "url",
    "urls",
    "version",
];

/// How much of one chart is held, in bytes, so that its versions can be put in order.
const MAX_HELD_BYTES: usize = 16 << 20;

/// Reads an index and writes it anew. Holds a part of one chart at a time.
///
/// Limit: of a chart that has more than 16 MiB of entries, each such part is in order for itself.
///
/// # Errors
/// If the text is no index, or the output fails. Single entries that are broken are left out.
pub fn rewrite(input: impl BufRead, mut output: impl Write) -> Result<(), RewriteError> {
    let mut events = Events::new(input);
    events.enter()?;
    let mut tail = Map::new();
    let mut has_entries = false;
    output.write_all(b"{").map_err(RewriteError::Write)?;
    while let Some(member) = events.member()? {
        if member == "entries" {
            has_entries = true;
            output.write_all(b"\n  \"entries\": {").map_err(RewriteError::Write)?;
            entries(&mut events, &mut output)?;
            output.write_all(b"},").map_err(RewriteError::Write)?;
        } else if let Some(value) = events.value()?.filter(|value| !is_empty(value)) {
            tail.insert(member.to_owned(), value);
        }
    }
    if !tail.contains_key("apiVersion") {
        return Err(IndexError::NoApiVersion.into());
    }
    tail.entry("generated").or_insert_with(|| GO_ZERO_TIME.into());
    if !has_entries {
        tail.insert("entries".to_owned(), json!({}));
    }
    let tail = printed(&Value::Object(tail), 0);
    output.write_all(tail.trim_start_matches('{').as_bytes()).map_err(RewriteError::Write)
}

fn entries(events: &mut Events<impl BufRead>, output: &mut impl Write) -> Result<(), RewriteError> {
    match events.item()? {
        Item::Map => {}
        Item::Null => return Ok(()),
        Item::List | Item::Scalar => return Err(IndexError::NotAMap("entries").into()),
    }
    let (mut read, mut is_first) = (0, true);
    while let Some(chart) = events.key()? {
        let comma = if is_first { "" } else { "," };
        is_first = false;
        let name = printed(&Value::String(chart), 0);
        write!(output, "{comma}\n    {name}: [").map_err(RewriteError::Write)?;
        let mut versions = Versions::default();
        if events.item_or_skip()? == Item::List {
            while events.has_more()? {
                read += 1;
                if read > MAX_ENTRIES {
                    return Err(IndexError::TooManyEntries.into());
                }
                let value = events.value()?;
                if let Some(found) = value.as_ref().and_then(entry)
                    && let Some(Value::Object(members)) = value
                {
                    let text = printed(&Value::Object(cleaned(members)), 3);
                    versions.push(&found.version, text, output)?;
                }
            }
        }
        versions.end(output)?;
    }
    if !is_first {
        output.write_all(b"\n  ").map_err(RewriteError::Write)?;
    }
    Ok(())
}

/// The versions of a chart that wait for being put in order.
#[derive(Default)]
struct Versions {
    held: Vec<(Option<Version>, String)>,
    held_bytes: usize,
    has_written: bool,
}

impl Versions {
    fn push(
        &mut self,
        version: &str,
        text: String,
        output: &mut impl Write,
    ) -> Result<(), RewriteError> {
        self.held_bytes += size_of::<(Option<Version>, String)>() + version.len() + text.len();
        self.held.push((Version::parse(version).ok(), text));
        if self.held_bytes > MAX_HELD_BYTES { self.write(output) } else { Ok(()) }
    }

    fn write(&mut self, output: &mut impl Write) -> Result<(), RewriteError> {
        self.held.sort_by(|one, other| other.0.cmp(&one.0));
        for (_, text) in self.held.drain(..) {
            let comma = if self.has_written { "," } else { "" };
            write!(output, "{comma}\n      {text}").map_err(RewriteError::Write)?;
            self.has_written = true;
        }
        self.held_bytes = 0;
        Ok(())
    }

    fn end(mut self, output: &mut impl Write) -> Result<(), RewriteError> {
        self.write(output)?;
        let end: &[u8] = if self.has_written { b"\n    ]" } else { b"]" };
        output.write_all(end).map_err(RewriteError::Write)
    }
}

/// The members that Helm's struct has, empty ones left out.
fn cleaned(mut members: Map<String, Value>) -> Map<String, Value> {
    members.retain(|key, value| KNOWN.contains(&key.as_str()) && !is_empty(value));
    members.entry("apiVersion").or_insert_with(|| "v1".into());
    for key in ALWAYS {
        members
            .entry(key)
            .or_insert_with(|| if key == "created" { GO_ZERO_TIME.into() } else { Value::Null });
    }
    members
}

/// JSON as Go indents and escapes it, `levels` deep in another document.
fn printed(value: &Value, levels: usize) -> String {
    let text = format!("{value:#}");
    let mut indented = String::with_capacity(text.len() + 64);
    for character in text.chars() {
        match character {
            '\n' => {
                indented.push('\n');
                indented.extend(std::iter::repeat_n("  ", levels));
            }
            // These stand in texts only.
            '<' => indented.push_str("\\u003c"),
            '>' => indented.push_str("\\u003e"),
            '&' => indented.push_str("\\u0026"),
            other => indented.push(other),
        }
    }
    indented
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{Index, Keep};

    const INDEX: &str = r#"
entries:
  podinfo:
  - {apiVersion: v2, name: podinfo, version: 1.0.0, description: a<b, digest: "00", urls: [a.tgz], unknown: 1}
  - {apiVersion: v2, name: podinfo, version: 2.0.0, urls: [b.tgz], created: 2024-01-01T00:00:00Z}
  - {apiVersion: v2, name: "..", version: 3.0.0, urls: [c.tgz]}
  - null
  empty: []
apiVersion: v1
"#;

    #[test]
    fn a_rewritten_index_is_sorted_and_says_the_same() {
        let mut json = Vec::new();
        rewrite(INDEX.as_bytes(), &mut json).unwrap();
        let value: Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(value["entries"]["podinfo"][0]["version"], "2.0.0");
        assert_eq!(value["entries"]["podinfo"][1]["created"], GO_ZERO_TIME);
        assert!(value["entries"]["podinfo"][1].get("unknown").is_none());
        assert!(value["entries"]["podinfo"].as_array().is_some_and(|list| list.len() == 2));
        // Go would print it in the same way, but for the order of members.
        let go = serde_json::to_string_pretty(&value).unwrap().replace('<', "\\u003c");
        assert_eq!(json.len(), go.len());
        let from_yaml = Index::read(INDEX.as_bytes(), Keep::Chart("podinfo")).unwrap();
        let from_json = Index::read_json(json.as_slice(), Keep::Chart("podinfo")).unwrap();
        assert_eq!(from_json.versions("podinfo")[0], from_yaml.versions("podinfo")[0]);
        assert_eq!(from_json.charts().collect::<Vec<_>>(), ["podinfo"]);
    }

    #[test]
    fn what_is_no_index_is_refused() {
        for text in ["", "- a", "entries: {}", "apiVersion: v1\nentries: []", "<html>"] {
            assert!(rewrite(text.as_bytes(), io::sink()).is_err(), "{text}");
        }
        let mut json = Vec::new();
        rewrite("apiVersion: v1\n".as_bytes(), &mut json).unwrap();
        assert!(Index::read_json(json.as_slice(), Keep::All).is_ok());
        for text in ["", "[]", "{}", r#"{"apiVersion":"v1","entries":{"a":[{}"#] {
            assert!(Index::read_json(text.as_bytes(), Keep::All).is_err(), "{text}");
        }
    }
}
