//! Errors with their causes, each once.

use std::error::Error;

/// The error and its causes, outermost first, joined by colons.
///
/// Some libraries print their source within their own text; a cause that was already said is left
/// out.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Layer {
        text: &'static str,
        #[source]
        cause: Option<Box<Self>>,
    }

    #[test]
    fn every_cause_is_said_once() {
        let inner = Layer { text: "refused", cause: None };
        let middle = Layer { text: "dial: refused", cause: Some(Box::new(inner)) };
        let outer = Layer { text: "cannot fetch", cause: Some(Box::new(middle)) };
        assert_eq!(chain(&outer), "cannot fetch: dial: refused");
    }
}
