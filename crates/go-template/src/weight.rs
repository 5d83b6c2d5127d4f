//! How much memory values take.

use std::collections::HashSet;
use std::sync::Arc;

use crate::value::Value;

/// What an allocation costs beside its content; a list is two of them, a map three, and its nodes
/// are half full.
const ALLOCATION: usize = 32;

/// What values weigh, and what it took to find out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weight {
    pub(crate) bytes: usize,
    /// Values looked at.
    pub(crate) parts: u64,
}

/// What the values hold, each shared part counted once. Stops counting beyond `most` bytes.
pub(crate) fn weigh<'v>(values: impl Iterator<Item = &'v Value>, most: usize) -> Weight {
    let mut scale = Scale::default();
    for value in values {
        scale.put(value, 1);
        while let Some(value) = scale.pending.pop() {
            if scale.weight.bytes > most {
                return scale.weight;
            }
            // Its container holds it too.
            scale.put(&value, 2);
        }
    }
    scale.weight
}

/// Bytes of what nobody else holds; nothing if it is shared.
pub(crate) fn weigh_lone(value: &Value) -> usize {
    let holders = match value {
        Value::Str(text) => return if text.holders() == 1 { text.len() } else { 0 },
        Value::List(list) => list.holders(),
        Value::Map(map) => map.holders(),
        _ => return 0,
    };
    if holders == 1 { weigh([value].into_iter(), usize::MAX).bytes } else { 0 }
}

#[derive(Default)]
struct Scale {
    weight: Weight,
    /// Addresses of what was counted and is held more than once.
    seen: HashSet<usize>,
    /// Containers within containers; recursion would follow the nesting of hostile input.
    pending: Vec<Value>,
}

impl Scale {
    /// `holders` are those that are known; if there are more, the value will come by again.
    fn put(&mut self, value: &Value, holders: usize) {
        self.weight.parts += 1;
        match value {
            Value::Str(text) => {
                if text.holders() == 1 || self.seen.insert(text.as_bytes().as_ptr().addr()) {
                    self.weight.bytes += text.len() + ALLOCATION;
                }
            }
            Value::Bytes(bytes) => self.weight.bytes += bytes.len() + ALLOCATION,
            Value::List(list) => {
                if list.holders() <= holders || self.seen.insert(list.address()) {
                    self.weight.bytes += 3 * ALLOCATION + list.len() * size_of::<Value>();
                    list.iter().for_each(|item| self.put_item(item));
                }
            }
            Value::Map(map) => {
                if map.holders() <= holders || self.seen.insert(map.address()) {
                    self.weight.bytes += 5 * ALLOCATION;
                    for (key, item) in &*map.entries() {
                        self.weight.bytes += key.len() + ALLOCATION + 4 * size_of::<Value>();
                        self.put_item(item);
                    }
                }
            }
            Value::Nil | Value::Bool(_) | Value::Int(..) | Value::Float(_) | Value::Complex(..) => {
            }
            Value::Object(object) => {
                if Arc::strong_count(object) == 1 || self.seen.insert(Arc::as_ptr(object).addr()) {
                    self.weight.bytes += object.weight();
                }
                self.pending.extend(object.view_of().map(Value::Map));
            }
        }
    }

    fn put_item(&mut self, item: &Value) {
        match item {
            Value::List(_) | Value::Map(_) => self.pending.push(item.clone()),
            plain => self.put(plain, 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_counts_once() {
        let text = Value::str("x".repeat(1000));
        let once = weigh([&text].into_iter(), usize::MAX).bytes;
        assert!((1000..1100).contains(&once));
        let list = Value::list(vec![text.clone(); 100]);
        assert!(weigh([&list, &list.clone(), &text].into_iter(), usize::MAX).bytes < 6000);
        let texts = (0..100).map(|_| Value::str("x".repeat(1000))).collect();
        assert!(weigh([&Value::list(texts)].into_iter(), usize::MAX).bytes > 100_000);
    }
}
