//! What is known of a HelmRelease between two turns. May be lost at any time; losing it costs
//! requests, never correctness.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crd_types::helm::HelmRelease;
use kube::runtime::reflector::ObjectRef;
use reconcile_loop::requeue::Next;
use tokio::task::AbortHandle;

type Key = ObjectRef<HelmRelease>;

/// The actions under way, which hold no worker, and what became of those that ended.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<HashMap<Key, Work>>);

#[derive(Debug)]
enum Work {
    /// Goes on. Somebody may have asked for another turn meanwhile.
    UnderWay { task: Option<AbortHandle>, asked_again: bool },
    /// It ended, and wants to come back like this.
    Ended { next: Next, for_good: bool },
}

/// What a turn finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Nothing is under way.
    Free,
    /// Actions are under way; their end asks for another turn.
    Busy,
    /// Actions ended, and nothing happened meanwhile that would call for more.
    Ended(Next),
}

impl Memory {
    /// Begins a turn.
    pub(crate) fn turn(&self, key: &Key) -> Turn {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(key) {
            None => Turn::Free,
            Some(Work::UnderWay { asked_again, .. }) => {
                *asked_again = true;
                Turn::Busy
            }
            Some(Work::Ended { .. }) => match all.remove(key) {
                Some(Work::Ended { next, .. }) => Turn::Ended(next),
                _ => Turn::Free,
            },
        }
    }

    /// Actions begin.
    pub(crate) fn begin(&self, key: &Key) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(key.clone(), Work::UnderWay { task: None, asked_again: false });
    }

    /// The task that the actions run in.
    pub(crate) fn hold(&self, key: &Key, handle: AbortHandle) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Work::UnderWay { task, .. }) = all.get_mut(key) {
            *task = Some(handle);
        }
    }

    /// Actions ended. What was asked meanwhile is more than what they want.
    pub(crate) fn end(&self, key: &Key, next: Next) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.remove(key) {
            Some(Work::UnderWay { asked_again: false, .. }) => {
                all.insert(key.clone(), Work::Ended { next, for_good: false });
            }
            Some(Work::UnderWay { .. } | Work::Ended { .. }) | None => {}
        }
    }

    /// Begins a turn of an object that is being deleted: what an action before wants is of no matter.
    pub(crate) fn farewell(&self, key: &Key) -> Turn {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match all.remove(key) {
            None | Some(Work::Ended { for_good: false, .. }) => Turn::Free,
            Some(Work::Ended { next, for_good: true }) => Turn::Ended(next),
            Some(work @ Work::UnderWay { .. }) => {
                all.insert(key.clone(), work);
                Turn::Busy
            }
        }
    }

    /// The release of an object that is being deleted is gone, or was not removed.
    pub(crate) fn end_for_good(&self, key: &Key, next: Next) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.contains_key(key) {
            all.insert(key.clone(), Work::Ended { next, for_good: true });
        }
    }

    /// The object is gone.
    pub(crate) fn forget(&self, key: &Key) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Work::UnderWay { task: Some(task), .. }) = all.remove(key) {
            task.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_once_and_less_than_a_new_request() {
        let (memory, key) = (Memory::default(), Key::new("app").within("ns"));
        assert_eq!(memory.turn(&key), Turn::Free);
        memory.begin(&key);
        memory.end(&key, Next::Await);
        assert_eq!(memory.turn(&key), Turn::Ended(Next::Await));
        assert_eq!(memory.turn(&key), Turn::Free);
        memory.begin(&key);
        assert_eq!(memory.turn(&key), Turn::Busy);
        memory.end(&key, Next::Await);
        assert_eq!(memory.turn(&key), Turn::Free);
    }
}
