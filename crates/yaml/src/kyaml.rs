//! The dialect of kustomize: read by YAML 1.2 rules for the most part, printed as elsewhere.

use serde_json::Value;

use crate::decode::{Decoder, go_syntax as printed};
use crate::node::Tree;
use crate::resolve::Dialect;
use crate::{Error, Limits};

pub use crate::emit::emit;

/// What kustomize makes of the first document of a text: `yes` stays a string, a key that stands
/// twice is an error, dates become times.
///
/// # Errors
/// If kustomize would refuse it, or it costs more than the default limits.
pub fn parse(text: &[u8]) -> Result<Value, Error> {
    let limits = Limits::default();
    Decoder::new(&Tree::read(text, Dialect::Kyaml, &limits)?, Dialect::Kyaml, &limits).printable()
}

/// As [`parse`], for a document that is not merged into another.
///
/// Flux: kustomize prints a document before it reads it for good, and in braces it prints nothing at
/// all as `''`: `{a: }` has an empty text, where a line `a:` has null.
///
/// # Errors
/// As [`parse`].
pub fn parse_twice(text: &[u8]) -> Result<Value, Error> {
    let limits = Limits::default();
    let tree = Tree::read(text, Dialect::Kyaml, &limits)?;
    let mut decoder = Decoder::new(&tree, Dialect::Kyaml, &limits);
    decoder.blanks_are_text = true;
    decoder.printable()
}

/// The first document of a text as Go's `%#v` prints it; none if go-yaml could not read it.
pub fn go_syntax(text: &[u8]) -> Option<String> {
    let limits = Limits::default();
    let tree = Tree::read(text, Dialect::Kyaml, &limits).ok()?;
    printed(&mut Decoder::new(&tree, Dialect::Kyaml, &limits))
}
