//! An action under way: where it writes, and what it has written.

use std::collections::BTreeMap;
use std::sync::Arc;

use helm_release::{Intent, IntentAction, Record, Status};
use jiff::Timestamp;

use crate::error::ActionError;
use crate::logs::Logs;
use crate::outcome::Attempt;
use crate::storage::Storage;
use crate::target::Target;

/// An action under way.
pub(crate) struct Run<'a> {
    pub(crate) target: &'a Target,
    pub(crate) logs: Logs,
    storage: Storage,
    written: BTreeMap<i64, Arc<Record>>,
    purged: Vec<i64>,
}

impl<'a> Run<'a> {
    pub(crate) fn new(target: &'a Target) -> Self {
        Self {
            target,
            logs: Logs::default(),
            storage: target.storage(),
            written: BTreeMap::new(),
            purged: Vec::new(),
        }
    }

    /// Stores a new revision.
    pub(crate) async fn create(&mut self, record: &Record) -> Result<(), ActionError> {
        self.storage.create(record).await?;
        self.written.insert(record.version, Arc::new(record.clone()));
        Ok(())
    }

    /// Stores a revision again.
    pub(crate) async fn update(&mut self, record: &Record) -> Result<(), ActionError> {
        self.storage.update(record).await?;
        self.written.insert(record.version, Arc::new(record.clone()));
        Ok(())
    }

    /// Deletes a revision.
    pub(crate) async fn purge(&mut self, version: i64) -> Result<(), ActionError> {
        self.storage.delete(version).await?;
        self.purged.push(version);
        Ok(())
    }

    /// Marks another revision as superseded.
    pub(crate) async fn supersede(&mut self, record: &Record) -> Result<(), ActionError> {
        let mut record = record.clone();
        record.info.status = Status::Superseded;
        self.update(&record).await
    }

    pub(crate) fn end(self, result: Result<(), ActionError>) -> Attempt {
        Attempt {
            written: self.written.into_values().collect(),
            purged: self.purged,
            logs: self.logs,
            result,
        }
    }
}

/// An intent that begins now.
pub(crate) fn intent(action: IntentAction, from: Option<i64>) -> Intent {
    Intent { action, started_at: now(), from, made_by: None, failure: None, done: false }
}

/// Marks what is being done as done.
pub(crate) fn conclude(record: &mut Record) {
    if let Some(intent) = &mut record.intent {
        intent.done = true;
        // The description of the release says why it failed, but not why its tests did.
        if intent.action != IntentAction::Test {
            intent.failure = None;
        }
    }
}

/// The present, as Helm prints it.
pub(crate) fn now() -> String {
    Timestamp::now().to_string()
}
