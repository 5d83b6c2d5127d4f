//! What an attempt has reached, kept on every path out of it.

use crd_types::Artifact;
use reconcile_loop::events::Event;

use super::{Source, SourceStatus};

/// What an attempt has reached. Starts as the last attempt left it, so that one that halts early
/// forgets nothing.
#[derive(Clone, Debug)]
pub(crate) struct Progress<S> {
    /// What the attempt is at, as `Reconciling` tells it.
    pub(crate) step: Step,
    /// Whether somebody waits for this attempt: the object is new or changed, or it was asked for.
    pub(crate) is_news: bool,
    /// The status so far, but for its conditions. The artifact in it is whole in the storage.
    pub(crate) status: S,
    /// Whether upstream was read.
    pub(crate) fetched: bool,
    /// What is claimed of the artifact's age.
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
    /// Upstream has something new, in these words.
    News(String),
}

/// What is claimed of `ArtifactOutdated`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outdated {
    /// What the last attempt claimed.
    AsBefore,
    /// Nothing.
    Cleared,
    /// That upstream has something new.
    By {
        /// The reason to tell.
        reason: &'static str,
        /// What is new.
        message: String,
    },
}

impl<S: SourceStatus> Progress<S> {
    /// Where an attempt starts.
    pub(crate) fn resume<K: Source<Status = S>>(object: &K) -> Self {
        let mut status = object.status().cloned().unwrap_or_default();
        let common = status.common();
        let observed = common.observed_generation.unwrap_or_default();
        let is_requested = object.requested_at() != common.last_handled_reconcile_at.as_ref();
        let current = object.meta().generation.unwrap_or_default();
        let step = if observed == current {
            Step::Begun
        } else {
            Step::NewGeneration { observed, current }
        };
        Self {
            step,
            is_news: observed != current || is_requested,
            status,
            fetched: false,
            outdated: Outdated::AsBefore,
            events: Vec::new(),
        }
    }

    /// Notes that upstream has something new.
    pub(crate) fn news(&mut self, reason: &'static str, message: String) {
        self.step = Step::News(message.clone());
        if self.artifact().is_some() {
            self.outdated = Outdated::By { reason, message };
        }
    }

    /// The artifact that is whole in the storage.
    pub(crate) fn artifact(&mut self) -> Option<&Artifact> {
        self.status.common().artifact.as_ref()
    }

    /// Whether the artifact has this revision.
    pub(crate) fn has(&mut self, revision: &str) -> bool {
        self.artifact().is_some_and(|artifact| artifact.revision == revision)
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
            Self::News(message) => format!("building artifact: {message}"),
        }
    }

    /// Whether what is advertised is not what it should be, so that the object cannot be ready.
    pub(crate) fn is_drift(&self) -> bool {
        match self {
            Self::Begun | Self::NewGeneration { .. } => false,
            Self::Building | Self::Disappeared | Self::News(_) => true,
        }
    }
}
