//! What is right, to be damaged.
#![expect(clippy::expect_used, reason = "a corpus that cannot be read fails the test")]

use std::path::Path;

use serde_json::Value;

use crate::text::{MutatedBytes, MutatedText};
use crate::value::MutatedValue;

/// Texts that are right.
#[derive(Clone, Debug, Default)]
pub struct Corpus(Vec<Vec<u8>>);

impl Corpus {
    /// These texts.
    pub fn of<T: Into<Vec<u8>>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self(texts.into_iter().map(Into::into).collect())
    }

    /// The texts of all members of that name in a table: a JSON file, named from the folder `crates`.
    pub fn of_table(path: &str, member: &str) -> Self {
        let found = members(&cases(path), member);
        Self::of(found.iter().filter_map(Value::as_str))
    }

    /// The files of a folder, named from the folder `crates`, whose names `wanted` accepts.
    pub fn of_folder(path: &str, wanted: impl Fn(&str) -> bool) -> Self {
        let folder = crates().join(path);
        let entries = std::fs::read_dir(&folder).expect("a corpus is a folder of the repository");
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| wanted(name))
            .collect();
        // The order decides what a seed makes.
        names.sort_unstable();
        let read = |name: &String| std::fs::read(folder.join(name)).expect("its files can be read");
        Self(names.iter().map(read).collect())
    }

    /// These and those.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Makes texts of it.
    pub fn text(self) -> MutatedText {
        MutatedText(self.bytes())
    }

    /// Makes bytes of it.
    pub fn bytes(self) -> MutatedBytes {
        MutatedBytes::new(self.0)
    }
}

/// Values that are right.
#[derive(Clone, Debug, Default)]
pub struct Values(Vec<Value>);

impl Values {
    /// These values.
    pub fn of(values: impl IntoIterator<Item = Value>) -> Self {
        Self(values.into_iter().collect())
    }

    /// All members of that name in a table: a JSON file, named from the folder `crates`.
    pub fn of_table(path: &str, member: &str) -> Self {
        Self(members(&cases(path), member))
    }

    /// Makes values of it.
    pub fn value(self) -> MutatedValue {
        MutatedValue::new(self.0)
    }
}

/// A table: a JSON file, named from the folder `crates`.
pub fn cases(path: &str) -> Value {
    let text = std::fs::read(crates().join(path)).expect("a corpus is a file of the repository");
    serde_json::from_slice(&text).expect("a table is JSON")
}

fn crates() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn members(table: &Value, name: &str) -> Vec<Value> {
    let mut found = Vec::new();
    collect(table, name, &mut found);
    assert!(!found.is_empty(), "the table has no `{name}`");
    found
}

fn collect(value: &Value, name: &str, found: &mut Vec<Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, name, found)),
        Value::Object(fields) => {
            for (key, value) in fields {
                if key == name {
                    found.push(value.clone());
                } else {
                    collect(value, name, found);
                }
            }
        }
        _ => {}
    }
}
