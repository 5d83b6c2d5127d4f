//! Where a message belongs among those told before.

use serde_json::Value;

/// Limit: bytes of a handle. The longest that servers give are some hundred.
const BYTES: usize = 16 << 10;

/// What a server calls a message below which others can be told. No secret, and nothing for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread(String);

/// Where a message belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place<'t> {
    /// On its own, as Flux tells every event.
    Alone,
    /// It is the first of several, which are told below it where that can be done.
    First,
    /// Below that one.
    Within(&'t Thread),
    /// Below that one, and nothing comes after it: everybody is to see it.
    Last(&'t Thread),
}

impl Thread {
    /// A handle; none if it is empty or longer than any is.
    pub(crate) fn new(handle: impl Into<String>) -> Option<Self> {
        let handle = handle.into();
        (!handle.is_empty() && handle.len() <= BYTES).then_some(Self(handle))
    }

    /// The handle at a JSON pointer of an answer.
    pub(crate) fn found(answer: &Value, pointer: &str) -> Option<Self> {
        match answer.pointer(pointer)? {
            Value::String(text) => Self::new(text.as_str()),
            Value::Number(number) => Self::new(number.to_string()),
            _ => None,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'t> Place<'t> {
    /// What it is told below.
    pub(crate) const fn thread(self) -> Option<&'t Thread> {
        match self {
            Self::Alone | Self::First => None,
            Self::Within(thread) | Self::Last(thread) => Some(thread),
        }
    }

    /// Whether nothing comes after it.
    pub(crate) const fn is_last(self) -> bool {
        matches!(self, Self::Last(_))
    }
}
