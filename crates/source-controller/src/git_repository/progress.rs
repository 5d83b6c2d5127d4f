//! What an attempt has reached, kept on every path out of it.

use crd_types::{Artifact, source::GitRepository};
use reconcile_loop::events::Event;

use super::requested_at;

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

/// What an attempt is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It has begun.
    Begun,
    /// It has begun with a changed object.
    NewGeneration {
        /// The generation that was reconciled last.
        observed: i64,
        /// The one at hand.
        current: i64,
    },
    /// There is no artifact yet.
    Building,
    /// There is no artifact any more.
    Disappeared,
    /// The repository has something new.
    NewRevision(String),
}

/// What is claimed of `ArtifactOutdated`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outdated {
    /// What the last attempt claimed.
    AsBefore,
    /// Nothing.
    Cleared,
    /// That the repository has this revision.
    By(String),
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
        self.step = Step::NewRevision(revision.to_owned());
        if self.artifact.is_some() {
            self.outdated = Outdated::By(revision.to_owned());
        }
    }

    /// The revision that is advertised.
    pub(crate) fn revision_of_artifact(&self) -> Option<&String> {
        self.artifact.as_ref().map(|artifact| &artifact.revision)
    }
}

impl Step {
    /// The message of `Reconciling`.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Begun => "reconciliation in progress".to_owned(),
            Self::NewGeneration { observed, current } => {
                format!("processing object: new generation {observed} -> {current}")
            }
            Self::Building => "building artifact".to_owned(),
            Self::Disappeared => "building artifact: disappeared from storage".to_owned(),
            Self::NewRevision(revision) => {
                format!("building artifact: {}", new_revision(revision))
            }
        }
    }

    /// Whether what is advertised is not what it should be, so that the object cannot be ready.
    pub(crate) fn is_drift(&self) -> bool {
        match self {
            Self::Begun | Self::NewGeneration { .. } => false,
            Self::Building | Self::Disappeared | Self::NewRevision(_) => true,
        }
    }
}

/// How a new revision is told.
pub(crate) fn new_revision(revision: &str) -> String {
    format!("new upstream revision '{revision}'")
}
