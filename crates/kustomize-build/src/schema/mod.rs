//! What is known of kinds: which lists merge by which keys, and which kinds have no namespace.

mod merge_keys;
mod open_api;
mod scope;
mod state;

pub(crate) use merge_keys::{NodeId, Schema};
pub use open_api::OpenApiError;
pub(crate) use open_api::parse as parse_open_api;
pub(crate) use scope::is_cluster_scoped;
pub(crate) use state::SchemaState;
