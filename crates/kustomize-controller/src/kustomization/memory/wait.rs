//! Health checks under way.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crd_types::kustomize::Kustomization;
use kube::runtime::reflector::ObjectRef;
use tokio::task::AbortHandle;

use super::super::progress::Progress;
use super::{Basis, Memory, Remembered};

/// Health checks under way, outside of any worker.
#[derive(Debug)]
pub(super) struct Wait {
    basis: Basis,
    progress: Progress,
    outcome: Option<Outcome>,
    id: WaitId,
    task: AbortHandle,
}

/// Tells waits apart that have the same basis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WaitId(u64);

impl WaitId {
    /// One that no other wait of this process has.
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// How health checks ended: after how long, and what is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) after: Duration,
    pub(crate) failure: Option<String>,
}

/// What is known about health checks under way.
#[derive(Debug)]
pub(crate) enum Waiting {
    /// There are none for this basis.
    No,
    /// They go on.
    UnderWay,
    /// They ended; this is where the run stood when they began.
    Ended(Box<Progress>, Outcome),
}

impl Memory {
    /// How long health checks with this basis may still take: all of the timeout if they are the
    /// first ones. Objects that others keep moving must not put the end off for ever.
    pub(crate) fn patience(
        &self,
        key: &ObjectRef<Kustomization>,
        basis: &Basis,
        timeout: Duration,
    ) -> Duration {
        self.with(key, |remembered| match &remembered.deadline {
            Some((of, deadline)) if of == basis => deadline.duration_since(Instant::now()),
            _ => {
                remembered.deadline = Some((basis.clone(), Instant::now() + timeout));
                timeout
            }
        })
    }

    /// Health checks began.
    pub(crate) fn wait(
        &self,
        key: &ObjectRef<Kustomization>,
        basis: Basis,
        progress: Progress,
        id: WaitId,
        task: AbortHandle,
    ) {
        self.with(key, |remembered| {
            remembered.end_wait();
            remembered.wait = Some(Wait { basis, progress, outcome: None, id, task });
        });
    }

    /// Health checks ended. Of no effect if others have begun since.
    pub(crate) fn waited(&self, key: &ObjectRef<Kustomization>, id: WaitId, outcome: Outcome) {
        self.with(key, |remembered| {
            if let Some(wait) = remembered.wait.as_mut().filter(|wait| wait.id == id) {
                wait.outcome = Some(outcome);
            }
        });
    }

    /// Where the run stood when the health checks under way began.
    pub(crate) fn waiting_progress(&self, key: &ObjectRef<Kustomization>) -> Option<Progress> {
        self.with(key, |remembered| remembered.wait.as_ref().map(|wait| wait.progress.clone()))
    }

    /// What became of health checks with this basis. Those with another one are called off: what
    /// they wait for is not wanted any more.
    pub(crate) fn waiting(&self, key: &ObjectRef<Kustomization>, basis: &Basis) -> Waiting {
        self.with(key, |remembered| match remembered.wait.take() {
            Some(Wait { basis: of, progress, outcome: Some(outcome), .. }) if of == *basis => {
                remembered.deadline = None;
                Waiting::Ended(Box::new(progress), outcome)
            }
            Some(wait) if wait.basis == *basis => {
                remembered.wait = Some(wait);
                Waiting::UnderWay
            }
            superseded => {
                remembered.wait = superseded;
                remembered.end_wait();
                Waiting::No
            }
        })
    }
}

impl Remembered {
    pub(super) fn end_wait(&mut self) {
        if let Some(wait) = self.wait.take() {
            wait.task.abort();
        }
    }
}
