//! How an action ended.

use std::sync::Arc;

use helm_release::Record;

use crate::error::ActionError;
use crate::logs::Logs;

/// How an action ended. What was written counts, whether it went well or not: snapshots are made of
/// it, and a failure that wrote nothing does not count as a try.
#[derive(Debug)]
pub struct Attempt {
    /// Each record that was written to storage, in its last form, in the order of versions. The
    /// last one is the release.
    pub written: Vec<Arc<Record>>,
    /// The versions that were deleted from storage.
    pub purged: Vec<i64>,
    /// What Helm would have logged: the tail of it goes into events of failures.
    pub logs: Logs,
    /// How it ended.
    pub result: Result<(), ActionError>,
}

impl Attempt {
    /// The newest record that was written.
    pub fn release(&self) -> Option<&Arc<Record>> {
        self.written.last()
    }

    /// Whether anything was written to storage.
    pub fn has_written(&self) -> bool {
        !self.written.is_empty() || !self.purged.is_empty()
    }
}
