//! `notification.toolkit.fluxcd.io`.

mod alert;
mod event_source;
mod legacy_status;
mod provider;
mod receiver;

pub use alert::*;
pub use event_source::*;
pub use legacy_status::*;
pub use provider::*;
pub use receiver::*;

/// The API group.
pub const GROUP: &str = "notification.toolkit.fluxcd.io";
