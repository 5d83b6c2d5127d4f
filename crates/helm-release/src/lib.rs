//! Helm's records of releases, Flux's digests of them, and what to do next with a release.
//!
//! A [`Record`] is what Helm stores about one revision of a release; [`encode`] and [`decode`] are
//! its form in a Secret, the same that `helm` reads and writes. [`snapshot`] and [`digest`] make of
//! it what Flux keeps in `status.history`. [`observe`] names the state that a release is in, and
//! [`decide`] what follows from it: both are functions of values and touch nothing.

mod chart;
mod decide;
mod digest;
mod encode;
mod intent;
mod observe;
mod record;
mod size;
mod snapshot;

pub use chart::{ChartRecord, FileRecord};
pub use decide::{Counters, Decision, ReleaseAction, Remedy, Strategy, Terminal, decide};
pub use digest::{common_metadata_digest, config_digest, digest, post_renderers_digest};
pub use encode::{DecodeError, LABELS, SECRET_TYPE, decode, encode, labels, secret_name};
pub use intent::{ANNOTATION as INTENT_ANNOTATION, Intent, IntentAction};
pub use observe::{Desired, Drift, OutOfSync, State, TestPolicy, UnknownStatus, observe};
pub use record::{
    HookEvent, HookPhase, HookRecord, HookRun, Info, Record, SSA, Status, hook_record,
};
pub use size::{MAX_RECORD_BYTES, TooLarge, check_room, check_size};
pub use snapshot::{
    NotOurs, SNAPSHOT_VERSION, has_been_tested, has_failed_tests, is_superseded_since, snapshot,
    snapshot_of_tests, truncated, verify,
};
