//! What every controller does alike, once: flags, logs, metrics, probes, leader election, the
//! loop over the objects of a kind, finalizers, status writes, events.
//!
//! A controller is a [`program::run`] around one [`controller::Controller`] for each kind, whose
//! [`controller::Reconciler`] holds what the kind is about.

pub mod conditions;
mod confined;
pub mod controller;
pub mod dependents;
pub mod election;
pub mod events;
pub mod flags;
pub mod logging;
pub mod metrics;
pub mod mirror;
pub mod program;
pub mod progress;
pub mod redact;
pub mod references;
pub mod requeue;
pub mod serve;
pub mod status;
pub mod watch;
mod wishes;

pub use error_chain::chain;
