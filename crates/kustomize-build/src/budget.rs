//! What a build may write.
//!
//! What is read is bounded where it is read; but one annotation goes to every resource, one patch to
//! all that it selects, and a replacement may double what the last one made. Whatever puts bytes where
//! no file has them pays for them here, before the next ones are made.

use std::cell::Cell;

use serde_json::{Map, Value};

/// The bytes that a build may still write.
#[derive(Debug)]
pub(crate) struct Budget {
    limit_bytes: u64,
    left_bytes: Cell<u64>,
}

/// A build writes more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the build needs more than {limit_bytes} {}", Self::WHAT)]
pub struct Overspent {
    /// How much it may write.
    pub limit_bytes: u64,
}

impl Overspent {
    pub(crate) const WHAT: &'static str = "written bytes";
}

impl Budget {
    pub(crate) fn new(limit_bytes: u64) -> Self {
        Self { limit_bytes, left_bytes: Cell::new(limit_bytes) }
    }

    /// Pays for bytes that are about to be written, or have just been.
    pub(crate) fn spend(&self, bytes: usize) -> Result<(), Overspent> {
        let left_bytes = self.left_bytes.get().checked_sub(bytes as u64);
        self.left_bytes.set(left_bytes.ok_or(Overspent { limit_bytes: self.limit_bytes })?);
        Ok(())
    }
}

/// About how many bytes a value takes.
pub(crate) fn weight(value: &Value) -> usize {
    let content = match value {
        Value::Object(fields) => fields_weight(fields),
        Value::Array(items) => items.iter().map(weight).fold(0, usize::saturating_add),
        Value::String(text) => text.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    content.saturating_add(size_of::<Value>())
}

/// About how many bytes the fields of an object take.
pub(crate) fn fields_weight(fields: &Map<String, Value>) -> usize {
    fields.iter().map(|(key, value)| entry_weight(key, value)).fold(0, usize::saturating_add)
}

/// About how many bytes an entry of a map takes.
pub(crate) fn entry_weight(key: &str, value: &Value) -> usize {
    key.len().saturating_add(weight(value))
}

/// About how many bytes of YAML fields are inside of `depth` others: each line is indented.
pub(crate) fn printed_fields(fields: &Map<String, Value>, depth: usize) -> usize {
    let entry = |(key, value): (&String, &Value)| 2 * depth + key.len() + printed(value, depth + 1);
    fields.iter().map(entry).fold(0, usize::saturating_add)
}

fn printed(value: &Value, depth: usize) -> usize {
    match value {
        Value::Object(fields) => printed_fields(fields, depth),
        Value::Array(items) => {
            let item = |item: &Value| 2 * depth + printed(item, depth + 1);
            items.iter().map(item).fold(0, usize::saturating_add)
        }
        Value::String(text) => {
            let lines = text.bytes().filter(|byte| *byte == b'\n').count();
            text.len().saturating_add(lines.saturating_mul(2 * depth))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => size_of::<u64>(),
    }
}
