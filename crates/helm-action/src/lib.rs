//! Helm's actions on a cluster: install, upgrade, test, roll back, uninstall, unlock.
//!
//! An action takes a [`Target`] (whose rights, which release), what is wanted ([`Desired`]) and
//! [`Options`]. It returns an [`Attempt`]: what was written to storage, in order, and how it ended.
//! It writes no status and no events.
//!
//! # Killed at any moment
//! Before an action changes anything it writes a record with an intent ([`helm_release::Intent`]).
//! Whoever finds that record pending goes on with [`resume`]: hooks that ran are not run again,
//! objects are applied again, which changes nothing that is there already.
//!
//! All actions may be dropped at any `.await`; that is the same as being killed there.

mod action;
mod call_off;
mod error;
mod hooks;
mod leave;
mod logs;
mod options;
mod outcome;
mod release_objects;
mod render;
mod storage;
mod target;
mod wait;

pub use action::crds::{CrdsApplied, apply_crds};
pub use action::drift::{
    Correction, DriftEntry, DriftReport, DriftRules, correct_drift, find_drift,
};
pub use action::install::{check_chart, install};
pub use action::resume::resume;
pub use action::rollback::rollback;
pub use action::test::{TestFilters, TestOptions, test};
pub use action::uninstall::{Propagation, UninstallOptions, uninstall};
pub use action::unlock::unlock;
pub use action::upgrade::upgrade;
pub use call_off::CallOff;
pub use error::{ActionError, HookError, ObjectError};
pub use leave::Leave;
pub use logs::{LogLine, Logs};
pub use options::{CrdPolicy, Options, ServerSideApply, WaitStrategy};
pub use outcome::Attempt;
pub use release_objects::inventory;
pub use render::Desired;
pub use storage::{History, Storage, StorageError};
pub use target::{Origin, Target};
