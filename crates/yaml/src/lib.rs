//! YAML parsed and printed as Go's `sigs.k8s.io/yaml` does.
//!
//! Kubernetes reads YAML by way of Go's parser, a port of libyaml with YAML 1.1 rules for scalars:
//! `yes` is true, `0777` is 511, the last of two equal keys wins. Who reads the same files must read
//! them the same way, so the syntax comes from a port of libyaml, and what scalars mean is decided
//! here. [`kyaml`] is the dialect of kustomize, which reads by YAML 1.2.

pub mod commented;
mod decode;
mod documents;
mod emit;
mod error;
mod key_order;
pub mod kyaml;
mod limits;
mod node;
mod number;
mod quick;
mod resolve;
mod spans;
mod timestamp;
mod unfinished_block;

pub use decode::{parse, parse_strict, parse_with};
pub use documents::{Document, documents};
pub use emit::{emit, emit_pretty};
pub use error::{DefinedAgain, Duplicate, Error};
pub use limits::Limits;
pub use spans::{ScalarSpan, Spans, Step, Style, spans};
