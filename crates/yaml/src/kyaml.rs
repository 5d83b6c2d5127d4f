//! The dialect of kustomize: read by YAML 1.2 rules for the most part, printed as elsewhere.

use serde_json::Value;

use crate::decode::Decoder;
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
