//! The status that Provider and Alert had before they became static.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Condition;

/// Status of a Provider or Alert before `v1beta3`. Served for old clients, written by nobody.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LegacyStatus {
    /// Conditions of the object.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Value of the reconcile request that was handled last.
    pub last_handled_reconcile_at: Option<String>,
    /// Generation that was reconciled last.
    pub observed_generation: Option<i64>,
}
