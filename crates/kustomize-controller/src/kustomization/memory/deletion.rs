//! Deletions under way: what was confirmed, what is waited for.

use std::collections::HashSet;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use cluster_apply::Doomed;
use crd_types::kustomize::Kustomization;
use kube::runtime::reflector::ObjectRef;
use manifest::ObjectId;
use tokio::task::AbortHandle;

use super::{Memory, Remembered};

/// What is known about objects that are to be gone before their Kustomization is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Termination {
    /// They are waited for.
    UnderWay,
    /// The wait ended.
    Ended {
        /// Whether all of them are gone.
        all_gone: bool,
    },
}

impl Memory {
    /// A person has confirmed that these objects are to be deleted.
    pub(crate) fn confirm(&self, key: &ObjectRef<Kustomization>, word: &str, all: Vec<Doomed>) {
        self.with(key, |remembered| {
            remembered.confirmed = Some((word.to_owned(), all));
        });
    }

    /// Whether all of these are among the objects that were confirmed by this word: deletions that
    /// fail, or take several turns, are not asked for again.
    pub(crate) fn has_confirmed(
        &self,
        key: &ObjectRef<Kustomization>,
        word: &str,
        doomed: &[Doomed],
    ) -> bool {
        self.with(key, |remembered| {
            let confirmed = remembered.confirmed.as_ref().filter(|(said, _)| said == word);
            confirmed.is_some_and(|(_, all)| {
                let all: HashSet<_> = all.iter().map(identity).collect();
                doomed.iter().all(|doomed| all.contains(&identity(doomed)))
            })
        })
    }

    /// Deleted objects hold up others, and `task` waits for them. Answers for how long by now.
    pub(crate) fn leaving(&self, key: &ObjectRef<Kustomization>, task: AbortHandle) -> Duration {
        self.with(key, |remembered| {
            let since = match remembered.leaving.take() {
                Some((since, former)) => {
                    former.abort();
                    since
                }
                None => Instant::now(),
            };
            remembered.leaving = Some((since, task));
            since.elapsed()
        })
    }

    /// No deleted objects hold up others.
    pub(crate) fn left(&self, key: &ObjectRef<Kustomization>) {
        self.with(key, Remembered::end_leaving);
    }

    /// How far the termination of an object's inventory is, if it was begun.
    pub(crate) fn termination(&self, key: &ObjectRef<Kustomization>) -> Option<Termination> {
        self.with(key, |remembered| remembered.termination)
    }

    /// The termination of an object's inventory began.
    pub(crate) fn begin_termination(&self, key: &ObjectRef<Kustomization>) {
        self.with(key, |remembered| remembered.termination = Some(Termination::UnderWay));
    }

    /// One stage of the inventory is gone; the next one has its turn.
    pub(crate) fn next_termination(&self, key: &ObjectRef<Kustomization>) {
        self.with(key, |remembered| remembered.termination = None);
    }

    /// The termination of an object's inventory ended. Of no effect if the object is gone already:
    /// the next one of its name must not inherit this.
    pub(crate) fn end_termination(&self, key: &ObjectRef<Kustomization>, all_gone: bool) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(remembered) = all.get_mut(key)
            && remembered.termination == Some(Termination::UnderWay)
        {
            remembered.termination = Some(Termination::Ended { all_gone });
        }
    }
}

impl Remembered {
    pub(super) fn end_leaving(&mut self) {
        if let Some((_, task)) = self.leaving.take() {
            task.abort();
        }
    }
}

/// What tells an object from another one of the same name.
fn identity(doomed: &Doomed) -> (&ObjectId, Option<&str>) {
    (&doomed.stale.id, doomed.uid.as_deref())
}
