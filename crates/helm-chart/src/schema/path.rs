//! Where in the values a check is.

use std::rc::Rc;

/// Keys and indices from the root of the values; what is further down shares what is above.
#[derive(Clone, Debug, Default)]
pub(super) struct Path(Option<Rc<Token>>);

#[derive(Debug)]
struct Token {
    text: Box<str>,
    above: Path,
}

impl Path {
    /// One level down.
    pub(super) fn join(&self, token: &str) -> Self {
        Self(Some(Rc::new(Token { text: token.into(), above: self.clone() })))
    }

    /// From the root on.
    pub(super) fn tokens(&self) -> Vec<&str> {
        let mut tokens = Vec::new();
        let mut path = self;
        while let Some(token) = &path.0 {
            tokens.push(&*token.text);
            path = &token.above;
        }
        tokens.reverse();
        tokens
    }
}
