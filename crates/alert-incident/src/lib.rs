//! Failures that have one cause, told once: an incident is opened by the first of them, silences those
//! that come of it, and is over when all that failed is well again.
//!
//! Pure: events, the objects that each depends on, and the time in; what to tell out. Nothing here is
//! Flux's, which tells every event on its own.
//!
//! ```
//! use std::time::{Duration, Instant};
//! use alert_incident::{Grouping, Incidents, ObjectKey};
//!
//! let mut incidents = Incidents::new(Grouping::ByCause, Duration::ZERO);
//! let now = Instant::now();
//! let event = |kind: &str, severity: &str| -> event_api::Event {
//!     serde_json::from_value(serde_json::json!({
//!         "involvedObject": {"kind": kind, "namespace": "apps", "name": "web"},
//!         "severity": severity, "message": "it happened",
//!     })).unwrap()
//! };
//! let source = [ObjectKey::new("GitRepository", "apps", "web")];
//! assert!(incidents.take(&event("GitRepository", "error"), &[], now).is_some());
//! assert!(incidents.take(&event("Kustomization", "error"), &source, now).is_none());
//! let over = incidents.take(&event("GitRepository", "info"), &[], now).unwrap();
//! assert_eq!(over.event.reason, "IncidentResolved");
//! ```

mod budget;
mod end;
mod fingerprint;
mod incident;
mod incidents;
mod kept;
mod news;
mod object;
mod restore;
mod sight;
mod telling;
mod told;

pub use budget::Budget;
pub use incidents::{Grouping, Incidents};
pub use news::is_wait;
pub use object::ObjectKey;
pub use restore::Failure;
pub use sight::Sight;
pub use told::{IncidentId, Part, Told};
