//! Which objects a Kustomization or a HelmRelease has applied.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The objects that were applied last, in the order in which they were applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceInventory {
    /// References of the applied objects.
    pub entries: Vec<ResourceRef>,
}

/// One applied object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceRef {
    /// Identity of the object as `<namespace>_<name>_<group>_<kind>`.
    pub id: String,
    /// API version of the object's kind.
    pub v: String,
}
