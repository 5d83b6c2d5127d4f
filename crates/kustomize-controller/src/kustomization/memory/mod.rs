//! What this process remembers of a Kustomization between two runs. Losing it costs a full run.

mod deletion;
mod proof;
#[cfg(test)]
mod tests;
mod wait;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use cluster_apply::Doomed;
use crd_types::kustomize::Kustomization;
use kube::runtime::reflector::ObjectRef;
use tokio::task::AbortHandle;

use self::proof::Verified;
use self::wait::Wait;

pub(crate) use self::deletion::Termination;
pub(crate) use self::proof::Basis;
pub(super) use self::proof::PROOFS_IN_A_ROW;
pub(crate) use self::wait::{Outcome, WaitId, Waiting};

/// What is remembered of all Kustomizations.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<HashMap<ObjectRef<Kustomization>, Remembered>>);

#[derive(Debug, Default)]
struct Remembered {
    verified: Option<Verified>,
    wait: Option<Wait>,
    termination: Option<Termination>,
    /// What a person has confirmed to be deleted, and by which word.
    confirmed: Option<(String, Vec<Doomed>)>,
    /// Since when deleted objects hold up others, and who waits for them.
    leaving: Option<(Instant, AbortHandle)>,
    /// Whether its dependencies are not known to be ready by their expressions.
    expects: bool,
    /// Until when health checks with this basis may go on, however often they start anew.
    deadline: Option<(Basis, Instant)>,
}

impl Memory {
    /// Something moved: the next run is a full one, and what waits starts anew.
    pub(crate) fn doubt(&self, key: &ObjectRef<Kustomization>) {
        self.with(key, |remembered| {
            remembered.verified = None;
            remembered.end_wait();
        });
    }

    /// Notes whether it waits for dependencies that are ready by expressions.
    pub(crate) fn expect(&self, key: &ObjectRef<Kustomization>, expects: bool) {
        self.with(key, |remembered| remembered.expects = expects);
    }

    /// Whether it waits for dependencies that are ready by expressions.
    pub(crate) fn expects(&self, key: &ObjectRef<Kustomization>) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(key).is_some_and(|remembered| remembered.expects)
    }

    /// The object is gone.
    pub(crate) fn forget(&self, key: &ObjectRef<Kustomization>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut remembered) = all.remove(key) {
            remembered.end_wait();
            remembered.end_leaving();
        }
    }

    fn with<T>(
        &self,
        key: &ObjectRef<Kustomization>,
        change: impl FnOnce(&mut Remembered) -> T,
    ) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry(key.clone()).or_default())
    }
}
