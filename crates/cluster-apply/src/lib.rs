//! Objects planned and applied to a cluster: dry run, staged apply, prune, wait.
//!
//! The way of an object: [`apply`] prepares it, plans its stage by dry run, writes what differs and
//! waits where the next stage needs it; [`HealthWait`] follows it until it is healthy;
//! [`InventoryWatch`] tells when somebody else moves it; [`prune`] deletes it when it is not wanted
//! any more. All of it is done as somebody: a [`TenantClient`].
//!
//! # Cost
//! A new or changed object costs two requests: a dry run and a write. An unchanged one costs one
//! dry run, or none where the watch shows that nothing moved ([`InventoryWatch::unmoved`]). The
//! live object is read only if the dry run leaves a doubt.

mod api;
mod apply;
mod budget;
mod change_set;
mod cluster;
mod compare;
mod controls;
mod discovery;
mod drift;
mod error;
mod execute;
mod federation;
mod health;
mod ignore;
mod kubeconfig;
mod managed_fields;
mod objects;
mod plan;
mod prepare;
mod prune;
mod prune_in_order;
mod records;
mod recreate;
mod redact;
mod settings;
mod stage;
mod termination;
mod undeclared;
mod watch;

pub use api::{ApiError, Cause, Details, NameError, Refusal};
pub use apply::{ApplyOptions, apply};
pub use change_set::{Action, Change, ChangeSet};
pub use cluster::{Cluster, Clusters, IdentityError, TenantClient};
pub use discovery::{DiscoveryError, Resource};
pub use drift::InventoryWatch;
pub use error::{ApplyError, ApplyFailure, DryRunError};
pub use error_chain::chain;
pub use federation::{FederationError, Identities, TokenError};
pub use health::{HealthError, HealthEvaluator, HealthStatus, HealthTarget, HealthWait, Unhealthy};
pub use ignore::IgnoredFields;
pub use kubeconfig::{KubeconfigError, Trust};
pub use objects::{PatchFormat, ServerSide};
pub use prune::{Doomed, PruneError, Pruned, Stale, doomed, prune};
pub use prune_in_order::{PrunedInOrder, prune_in_order};
pub use records::{LiveRecords, Moved, Owner};
pub use settings::{Cleanup, Fence, Operation, Settings, StaleManager};
pub use termination::{TerminationError, wait_for_termination};
