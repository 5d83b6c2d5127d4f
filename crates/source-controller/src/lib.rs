//! The controller of sources.
