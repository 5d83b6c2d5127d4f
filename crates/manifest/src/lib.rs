//! A Kubernetes object of any kind, its identity and its order.

mod identity;
mod object;
mod order;

pub use identity::{GroupKind, Gvk, InventoryIdError, ObjectId};
pub use object::{Object, ObjectError};
pub use order::kind_rank;
