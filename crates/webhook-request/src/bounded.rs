//! JSON of strangers, with a bound on what it becomes in memory.

use serde::Deserialize;
use serde_json::{Map, Value};

/// Limit: members and items of a body. Each takes many times more memory than the two bytes that it may
/// have in a text; bodies of the services have less than one in ten bytes.
const MOST_ELEMENTS: usize = 250_000;

/// Why a text is not taken as JSON.
#[derive(Debug, thiserror::Error)]
pub enum InvalidJson {
    /// It is none, or says something else than it should.
    #[error(transparent)]
    Syntax(#[from] serde_json::Error),
    /// It is made of too many parts.
    #[error("more than {MOST_ELEMENTS} elements")]
    Elements,
    /// It is not an object.
    #[error("it is no object")]
    NoObject,
}

/// Reads a body.
pub(crate) fn from_slice<'b, T: Deserialize<'b>>(body: &'b [u8]) -> Result<T, InvalidJson> {
    if elements(body) > MOST_ELEMENTS {
        return Err(InvalidJson::Elements);
    }
    Ok(serde_json::from_slice(body)?)
}

/// Reads the object at the beginning of a body. Flux: what follows it is not looked at, and `null` is
/// an empty one.
pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, InvalidJson> {
    if elements(body) > MOST_ELEMENTS {
        return Err(InvalidJson::Elements);
    }
    match Value::deserialize(&mut serde_json::Deserializer::from_slice(body))? {
        Value::Object(object) => Ok(object),
        Value::Null => Ok(Map::new()),
        _ => Err(InvalidJson::NoObject),
    }
}

/// At least as many as the text has elements, if it is JSON.
fn elements(body: &[u8]) -> usize {
    let (mut count, mut in_string, mut is_escaped) = (0, false, false);
    for byte in body {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = in_string,
            b'"' => in_string = !in_string,
            b',' | b'[' | b'{' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_in_strings_are_no_elements() {
        assert_eq!(elements(br#"{"a,[{": ["\",", 1, {}], "b\\": ","}"#), 6);
    }

    #[test]
    fn there_are_only_so_many_elements() {
        let list = |items: usize| format!("[{}0]", "0,".repeat(items));
        assert!(from_slice::<Value>(list(MOST_ELEMENTS - 1).as_bytes()).is_ok());
        let refused = from_slice::<Value>(list(MOST_ELEMENTS).as_bytes());
        assert!(matches!(refused, Err(InvalidJson::Elements)));
    }
}
