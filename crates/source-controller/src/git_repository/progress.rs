//! What an attempt has reached, kept on every path out of it.

use crd_types::{Artifact, reasons, source::GitRepository};
use reconcile_loop::events::Event;

use super::requested_at;
use crate::source::progress::{Outdated, Step};

/// What an attempt has reached. Starts as the last attempt left it, so that one that halts early
/// forgets nothing.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    /// What the attempt is at, as `Reconciling` tells it.
    pub(crate) step: Step,
    /// Whether somebody waits for this attempt: the object is new or changed, or it was asked for.
    pub(crate) is_news: bool,
    /// The artifact that is whole in the storage.
    pub(crate) artifact: Option<Artifact>,
    /// Whether the repository was read.
    pub(crate) fetched: bool,
    /// Whether the artifact is known to be behind.
    pub(crate) outdated: Outdated,
    /// What happened on the way.
    pub(crate) events: Vec<Event>,
}

impl Progress {
    /// Where an attempt starts.
    pub(crate) fn resume(repository: &GitRepository) -> Self {
        let status = repository.status.clone().unwrap_or_default();
        let observed = status.observed_generation.unwrap_or_default();
        let current = repository.metadata.generation.unwrap_or_default();
        let is_requested = requested_at(repository) != status.last_handled_reconcile_at.as_ref();
        let step = if observed == current {
            Step::Begun
        } else {
            Step::NewGeneration { observed, current }
        };
        Self {
            step,
            is_news: observed != current || is_requested,
            artifact: status.artifact,
            fetched: false,
            outdated: Outdated::AsBefore,
            events: Vec::new(),
        }
    }

    /// Notes that the repository has a new revision.
    pub(crate) fn news(&mut self, revision: &str) {
        let message = format!("new upstream revision '{revision}'");
        self.step = Step::News(message.clone());
        if self.artifact.is_some() {
            self.outdated = Outdated::By { reason: reasons::NEW_REVISION, message };
        }
    }

    /// The revision that is advertised.
    pub(crate) fn revision_of_artifact(&self) -> Option<&String> {
        self.artifact.as_ref().map(|artifact| &artifact.revision)
    }
}
