//! The custom resources of the Flux API groups as Rust types.
