//! What is known of a HelmRelease between two turns. May be lost at any time; losing it costs
//! requests, never correctness.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crd_types::helm::HelmRelease;
use helm_release::Desired;
use kube::ResourceExt as _;
use kube::runtime::reflector::ObjectRef;
use reconcile_loop::controller::{REQUESTED_AT, Trigger};
use reconcile_loop::requeue::Next;
use tokio::task::AbortHandle;

type Key = ObjectRef<HelmRelease>;

/// What is known of all HelmReleases.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    work: Mutex<HashMap<Key, Work>>,
    /// The generation for which the HelmChart was written, and when.
    templated: Mutex<HashMap<Key, (Option<i64>, Instant)>>,
}

/// What an object itself asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wishes {
    uid: Option<String>,
    generation: Option<i64>,
    requested_at: Option<String>,
}

impl Wishes {
    pub(crate) fn of(object: &HelmRelease) -> Self {
        Self {
            uid: object.uid(),
            generation: object.metadata.generation,
            requested_at: object.annotations().get(REQUESTED_AT).cloned(),
        }
    }
}

/// What a run depends on. A run with an equal basis would do the same again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Basis {
    pub(crate) wishes: Wishes,
    pub(crate) wanted: Desired,
    pub(crate) oci_digest: Option<String>,
}

/// Actions of a release, which hold no worker.
#[derive(Debug)]
enum Work {
    /// They go on. Somebody may have asked for another turn meanwhile.
    UnderWay { basis: Basis, task: Option<AbortHandle>, asked_again: bool },
    /// They ended, and want to come back like this.
    Ended { basis: Basis, next: Next, asked_again: bool, for_good: bool },
}

/// What a turn finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing is under way.
    Free,
    /// Actions are under way; their end asks for another turn.
    Busy,
    /// Actions ended, and nobody asked for more.
    Ended(Next),
    /// Actions with this basis ended, and somebody asked for another turn meanwhile. Unless the
    /// basis has changed, it is as they want.
    Asked(Box<Basis>, Next),
}

impl Memory {
    /// Asks for a turn because something has changed. The queue makes one turn of what is asked for
    /// at once, the end of actions included, so that it must be noted that there is more than that.
    pub(crate) fn wake(&self, key: Key, trigger: &Trigger<HelmRelease>) {
        self.note(&key);
        trigger.reconcile(key);
    }

    fn note(&self, key: &Key) {
        let mut all = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Work::UnderWay { asked_again, .. } | Work::Ended { asked_again, .. }) =
            all.get_mut(key)
        {
            *asked_again = true;
        }
    }

    /// Begins a turn of an object that looks like this now.
    pub(crate) fn turn(&self, key: &Key, wishes: &Wishes) -> Turn {
        let mut all = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        match all.remove(key) {
            None => Turn::Free,
            Some(Work::UnderWay { basis, task, .. }) => {
                all.insert(key.clone(), Work::UnderWay { basis, task, asked_again: true });
                Turn::Busy
            }
            Some(Work::Ended { basis, next, asked_again: false, .. })
                if basis.wishes == *wishes =>
            {
                Turn::Ended(next)
            }
            Some(Work::Ended { basis, next, .. }) => Turn::Asked(Box::new(basis), next),
        }
    }

    /// Actions begin.
    pub(crate) fn begin(&self, key: &Key, basis: Basis) {
        let mut all = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(key.clone(), Work::UnderWay { basis, task: None, asked_again: false });
    }

    /// Whether the HelmChart was written for this generation.
    pub(crate) fn is_templated(&self, key: &Key, generation: Option<i64>) -> bool {
        let all = self.templated.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(key).is_some_and(|(written, _)| *written == generation)
    }

    /// When the HelmChart was written last.
    pub(crate) fn templated_at(&self, key: &Key) -> Option<Instant> {
        let all = self.templated.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(key).map(|(_, at)| *at)
    }

    /// The HelmChart was written for this generation.
    pub(crate) fn template(&self, key: &Key, generation: Option<i64>) {
        let mut all = self.templated.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(key.clone(), (generation, Instant::now()));
    }

    /// The task that the actions run in.
    pub(crate) fn hold(&self, key: &Key, handle: AbortHandle) {
        let mut all = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Work::UnderWay { task, .. }) = all.get_mut(key) {
            *task = Some(handle);
        }
    }

    /// Actions ended.
    pub(crate) fn end(&self, key: &Key, next: Next) {
        self.settle(key, next, false);
    }

    /// Actions ended, and the next turn knows nothing of them.
    pub(crate) fn end_anew(&self, key: &Key) {
        let mut all = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(key);
    }

    /// Begins a turn of an object that is being deleted: what an action before wants is of no matter.
    pub(crate) fn farewell(&self, key: &Key) -> Turn {
        let mut all = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        match all.remove(key) {
            None | Some(Work::Ended { for_good: false, .. }) => Turn::Free,
            Some(Work::Ended { next, for_good: true, .. }) => Turn::Ended(next),
            Some(work @ Work::UnderWay { .. }) => {
                all.insert(key.clone(), work);
                Turn::Busy
            }
        }
    }

    /// The release of an object that is being deleted is gone, or was not removed.
    pub(crate) fn end_for_good(&self, key: &Key, next: Next) {
        self.settle(key, next, true);
    }

    fn settle(&self, key: &Key, next: Next, for_good: bool) {
        let mut all = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Work::UnderWay { basis, asked_again, .. }) = all.remove(key) {
            all.insert(key.clone(), Work::Ended { basis, next, asked_again, for_good });
        }
    }

    /// The object is gone.
    pub(crate) fn forget(&self, key: &Key) {
        let mut all = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Work::UnderWay { task: Some(task), .. }) = all.remove(key) {
            task.abort();
        }
        self.templated.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_once_with_what_it_depends_on() {
        let (memory, key) = (Memory::default(), Key::new("app").within("ns"));
        let wishes = Wishes::default();
        assert_eq!(memory.turn(&key, &wishes), Turn::Free);
        memory.begin(&key, Basis::default());
        memory.end(&key, Next::Await);
        assert_eq!(memory.turn(&key, &wishes), Turn::Ended(Next::Await));
        assert_eq!(memory.turn(&key, &wishes), Turn::Free);
        memory.begin(&key, Basis::default());
        assert_eq!(memory.turn(&key, &wishes), Turn::Busy);
        memory.end(&key, Next::Await);
        assert_eq!(memory.turn(&key, &wishes), Turn::Asked(Box::default(), Next::Await));
        assert_eq!(memory.turn(&key, &wishes), Turn::Free);
    }
    #[test]
    fn a_change_at_the_end_is_not_lost() {
        let (memory, key) = (Memory::default(), Key::new("app").within("ns"));
        let changed = Wishes { generation: Some(2), ..Wishes::default() };
        memory.begin(&key, Basis::default());
        memory.end(&key, Next::Await);
        // The turn that the end asks for is also the one that the change asks for.
        assert_eq!(memory.turn(&key, &changed), Turn::Asked(Box::default(), Next::Await));
        memory.begin(&key, Basis::default());
        memory.end(&key, Next::Await);
        memory.note(&key);
        let wishes = Wishes::default();
        assert_eq!(memory.turn(&key, &wishes), Turn::Asked(Box::default(), Next::Await));
    }
}
