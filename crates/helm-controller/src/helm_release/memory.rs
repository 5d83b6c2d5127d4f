//! What is known of a HelmRelease between two turns. May be lost at any time; losing it costs
//! requests, never correctness.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crd_types::helm::HelmRelease;
use crd_types::metadata::REQUESTED_AT;
use helm_action::CallOff;
use helm_release::Desired;
use kube::ResourceExt as _;
use kube::runtime::reflector::ObjectRef;
use reconcile_loop::controller::Trigger;
use reconcile_loop::requeue::Next;
use tokio::sync::watch;
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

/// What changed, so that something else may be wanted than what is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause {
    pub(crate) kind: &'static str,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Cause {
    fn itself(key: &Key) -> Self {
        let namespace = key.namespace.clone().unwrap_or_default();
        Self { kind: "HelmRelease", namespace, name: key.name.clone() }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.kind, self.namespace, self.name)
    }
}

/// Actions of a release, which hold no worker.
#[derive(Debug)]
enum Work {
    /// They go on. Somebody may have asked for another turn meanwhile.
    UnderWay(UnderWay),
    /// They ended, and want to come back like this.
    Ended { basis: Basis, next: Next, asked_again: bool, for_good: bool },
}

/// Actions that go on.
#[derive(Debug)]
struct UnderWay {
    basis: Basis,
    task: Option<AbortHandle>,
    asked_again: bool,
    /// What first made them not worth waiting for.
    cause: Option<Cause>,
    call_off: watch::Sender<bool>,
}

impl UnderWay {
    fn call_off(&mut self, cause: Cause) {
        if self.cause.is_none() {
            self.cause = Some(cause);
            self.call_off.send_replace(true);
        }
    }
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
        self.note(&key, |_| None);
        trigger.reconcile(key);
    }

    /// As [`Self::wake`], because of what `cause` says, if it is other than actions under way have it.
    pub(crate) fn wake_by(
        &self,
        key: Key,
        cause: impl FnOnce(&Basis) -> Option<Cause>,
        trigger: &Trigger<HelmRelease>,
    ) {
        self.note(&key, cause);
        trigger.reconcile(key);
    }

    fn note(&self, key: &Key, cause: impl FnOnce(&Basis) -> Option<Cause>) {
        let mut all = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(key) {
            Some(Work::UnderWay(work)) => {
                work.asked_again = true;
                if let Some(cause) = cause(&work.basis) {
                    work.call_off(cause);
                }
            }
            Some(Work::Ended { asked_again, .. }) => *asked_again = true,
            None => {}
        }
    }

    /// Begins a turn of an object that looks like this now.
    pub(crate) fn turn(&self, key: &Key, wishes: &Wishes) -> Turn {
        let mut all = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        match all.remove(key) {
            None => Turn::Free,
            Some(Work::UnderWay(mut work)) => {
                work.asked_again = true;
                if work.basis.wishes != *wishes {
                    work.call_off(Cause::itself(key));
                }
                all.insert(key.clone(), Work::UnderWay(work));
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

    /// Actions begin. Answers how their waits end early.
    pub(crate) fn begin(&self, key: &Key, basis: Basis) -> CallOff {
        let (call_off, told) = watch::channel(false);
        let work = UnderWay { basis, task: None, asked_again: false, cause: None, call_off };
        let mut all = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(key.clone(), Work::UnderWay(work));
        CallOff::by(told)
    }

    /// Why the waits of actions under way end early.
    pub(crate) fn cause(&self, key: &Key) -> Option<Cause> {
        let all = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        match all.get(key) {
            Some(Work::UnderWay(work)) => work.cause.clone(),
            _ => None,
        }
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
        if let Some(Work::UnderWay(work)) = all.get_mut(key) {
            work.task = Some(handle);
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
            Some(Work::UnderWay(mut work)) => {
                work.call_off(Cause::itself(key));
                all.insert(key.clone(), Work::UnderWay(work));
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
        if let Some(Work::UnderWay(UnderWay { basis, asked_again, .. })) = all.remove(key) {
            all.insert(key.clone(), Work::Ended { basis, next, asked_again, for_good });
        }
    }

    /// The object is gone.
    pub(crate) fn forget(&self, key: &Key) {
        let mut all = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Work::UnderWay(UnderWay { task: Some(task), .. })) = all.remove(key) {
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
    fn the_first_change_of_what_is_wanted_calls_off() {
        let (memory, key) = (Memory::default(), Key::new("app").within("ns"));
        let wishes = Wishes::default();
        memory.begin(&key, Basis::default());
        memory.note(&key, |_| None);
        assert_eq!(memory.turn(&key, &wishes), Turn::Busy);
        assert_eq!(memory.cause(&key), None);
        let changed = Wishes { generation: Some(2), ..Wishes::default() };
        assert_eq!(memory.turn(&key, &changed), Turn::Busy);
        let secret = Cause { kind: "Secret", namespace: "ns".to_owned(), name: "login".to_owned() };
        memory.note(&key, |_| Some(secret));
        let cause = memory.cause(&key).map(|cause| cause.to_string());
        assert_eq!(cause.as_deref(), Some("HelmRelease/ns/app"));
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
        memory.note(&key, |_| None);
        let wishes = Wishes::default();
        assert_eq!(memory.turn(&key, &wishes), Turn::Asked(Box::default(), Next::Await));
    }
}
