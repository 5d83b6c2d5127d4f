//! Providers: who is told, and how.

pub(crate) mod admission;
pub(crate) mod commit_status;
mod finalizer;
pub(crate) mod outfit;
pub(crate) mod token;

pub(crate) use finalizer::Providers;
