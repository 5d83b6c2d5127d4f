//! The ignore rules of sources.
