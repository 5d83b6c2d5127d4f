//! Values laid over one another.

mod coalesce;
mod table;

use serde_json::{Map, Value};

pub use coalesce::{CoalesceError, coalesce};
pub(crate) use coalesce::{Nulls, coalesce_table, merge_table, table_under};
pub(crate) use table::{Node, Table};

use crate::document::{self, DocumentError};

/// Reads a values file of a user; numbers become floating-point, an empty file is an empty map.
///
/// # Errors
/// If the text is not YAML, or no map.
pub fn read(text: &[u8]) -> Result<Map<String, Value>, DocumentError> {
    document::map(text)
}

/// Lays `over` over `base`: maps are merged, everything else is replaced, nulls included.
///
/// This is how several values files become one (Helm's `MergeMaps`); how the result meets a chart's
/// defaults is [`coalesce`].
///
/// Limit: recursion, as deep as the values nest; the YAML reader has the limit.
pub fn merge(base: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(value)) => merge(below, value),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}
