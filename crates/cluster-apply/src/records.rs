//! What was last verified of each object of a cluster, beside what the watch last saw of it.
//!
//! The applier settles an object after each write or comparison; the watch observes it. Whoever
//! comes second judges: if what was seen is newer than what was verified and differs from it,
//! somebody else moved the object, and its owner is told. Our own echoes are equal, in whichever
//! order answer and event arrive.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use manifest::{GroupKind, ObjectId};
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use crate::compare::content_digest;
use crate::managed_fields::fingerprint_of;
use crate::settings::Settings;

/// How many objects are remembered per cluster. Beyond that nothing new is, which only costs
/// requests: what is not remembered is compared anew.
const MAX_OBJECTS: usize = 200_000;

/// The namespace and name of the object (a Kustomization, a HelmRelease) that owns others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// An object that somebody else changed or deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Who owns it, by its labels.
    pub owner: Owner,
    /// The object.
    pub object: ObjectId,
    /// Whether it is gone or about to go.
    pub deleted: bool,
    /// How many times in a row it was moved, with little peace in between: five or more are a
    /// fight.
    pub times: u32,
}

/// What was last verified of each object of a cluster, beside what the watch last saw of it.
#[derive(Debug)]
pub struct LiveRecords {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    objects: HashMap<ObjectId, Entry>,
    moved: Option<mpsc::UnboundedSender<Moved>>,
}

#[derive(Debug, Default)]
struct Entry {
    verified: Option<Verified>,
    seen: Option<Seen>,
    /// How many writes of ours are under way: until they end, nothing is judged.
    writing: u16,
    /// Whether several owners want the object, each in its own way.
    contested: bool,
}

/// What we know an object to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verified {
    /// It is left alone, whatever it is.
    Exempt,
    /// It was as it should be in this state.
    State {
        /// The resource version; 0 if it is no number.
        version: u64,
        /// Of labels, annotations and content.
        content: u64,
        /// Of who owns which fields.
        fingerprint: u64,
        /// Of the owner who wants it so.
        owner: u64,
    },
}

/// What the watch last saw of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) version: u64,
    pub(crate) fingerprint: u64,
    pub(crate) deleting: bool,
    pub(crate) owner: Arc<Owner>,
}

/// A write under way. Ends when dropped, whatever came of it.
#[derive(Debug)]
pub(crate) struct Writing {
    records: Arc<LiveRecords>,
    id: ObjectId,
}

impl Verified {
    /// The state of an object as the API server answered it.
    pub(crate) fn state(live: &Map<String, Value>, owner: &Owner, settings: &Settings) -> Self {
        Self::State {
            version: resource_version(live),
            content: content_digest(live),
            fingerprint: fingerprint_of(live, settings),
            owner: owner.digest(),
        }
    }

    const fn owner(self) -> Option<u64> {
        match self {
            Self::State { owner, .. } => Some(owner),
            Self::Exempt => None,
        }
    }
}

/// The resource version as a number, to tell newer from older; 0 if it is none.
///
/// Kubernetes calls it opaque, but it is the revision of etcd, and since 1.35 it may be compared.
pub(crate) fn resource_version(object: &Map<String, Value>) -> u64 {
    let metadata = object.get("metadata");
    let version = metadata.and_then(|m| m.get("resourceVersion")).and_then(Value::as_str);
    version.and_then(|version| version.parse().ok()).unwrap_or_default()
}

impl Owner {
    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

impl LiveRecords {
    pub(crate) fn new() -> Self {
        Self { known: Mutex::default() }
    }

    /// How many objects are remembered.
    pub fn len(&self) -> usize {
        self.lock().objects.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets what was verified of these objects, so that they are compared anew.
    pub fn forget(&self, ids: &[ObjectId]) {
        let mut known = self.lock();
        for id in ids {
            let Some(entry) = known.objects.get_mut(id) else { continue };
            entry.verified = None;
            entry.contested = false;
            if entry.seen.is_none() && entry.writing == 0 {
                known.objects.remove(id);
            }
        }
    }

    /// Whether each of these objects was last seen by the watch exactly as it was last verified.
    /// Only means something while the watches of their kinds are in order.
    pub(crate) fn unmoved(&self, ids: &[ObjectId], is_watched: impl Fn(&ObjectId) -> bool) -> bool {
        let known = self.lock();
        ids.iter().all(|id| match known.objects.get(id) {
            Some(Entry { verified: Some(Verified::Exempt), .. }) => true,
            Some(entry) => entry.is_unmoved() && is_watched(id),
            None => false,
        })
    }

    /// What was last verified of an object.
    pub(crate) fn verified(&self, id: &ObjectId) -> Option<Verified> {
        self.lock().objects.get(id)?.verified
    }

    /// Begins a write: until the guard is dropped, what the watch sees of the object is not judged.
    pub(crate) fn begin_write(self: &Arc<Self>, id: &ObjectId) -> Writing {
        if let Some(entry) = self.lock().entry(id) {
            entry.writing = entry.writing.saturating_add(1);
        }
        Writing { records: Arc::clone(self), id: id.clone() }
    }

    /// Records what an object was found or made to be.
    pub(crate) fn settle(&self, id: &ObjectId, verified: Verified) {
        let mut known = self.lock();
        let Some(entry) = known.entry(id) else { return };
        let before = entry.verified.and_then(Verified::owner);
        entry.contested |= before.zip(verified.owner()).is_some_and(|(old, new)| old != new);
        entry.verified = Some(verified);
        known.judge(id);
    }

    /// Sends what is moved by others from now on into this channel.
    pub(crate) fn report_to(&self, moved: mpsc::UnboundedSender<Moved>) {
        self.lock().moved = Some(moved);
    }

    /// Takes in what the watch saw.
    pub(crate) fn observe(&self, id: &ObjectId, seen: Seen) {
        let mut known = self.lock();
        let Some(entry) = known.entry(id) else { return };
        entry.seen = Some(seen);
        known.judge(id);
    }

    /// Takes in that a list of all objects of a kind did not hold those that were seen before.
    pub(crate) fn observe_only(&self, kind: &GroupKind, listed: &HashSet<ObjectId>) {
        let is_lost = |(id, entry): &(&ObjectId, &Entry)| {
            entry.seen.is_some() && !listed.contains(*id) && id.group_kind() == *kind
        };
        let lost: Vec<ObjectId> =
            self.lock().objects.iter().filter(is_lost).map(|(id, _)| id.clone()).collect();
        for id in &lost {
            self.observe_gone(id);
        }
    }

    /// Takes in that the watch saw an object go, or lose the labels of its owner.
    pub(crate) fn observe_gone(&self, id: &ObjectId) {
        let mut known = self.lock();
        let Some(entry) = known.objects.remove(id) else { return };
        if entry.writing > 0 {
            // We delete it ourselves, to make it anew: keep count of the write, forget the rest.
            let rest = Entry { writing: entry.writing, ..Entry::default() };
            known.objects.insert(id.clone(), rest);
        } else if let (Some(Verified::State { .. }), Some(seen)) = (entry.verified, entry.seen) {
            known.tell(Moved {
                owner: (*seen.owner).clone(),
                object: id.clone(),
                deleted: true,
                times: 1,
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// The entry of an object, made if there is room.
    fn entry(&mut self, id: &ObjectId) -> Option<&mut Entry> {
        if !self.objects.contains_key(id) {
            if self.objects.len() >= MAX_OBJECTS {
                return None;
            }
            self.objects.insert(id.clone(), Entry::default());
        }
        self.objects.get_mut(id)
    }

    /// Tells the owner if somebody else moved the object, once per move.
    fn judge(&mut self, id: &ObjectId) {
        let Some(entry) = self.objects.get_mut(id) else { return };
        let Some(moved) = entry.judge(id) else { return };
        self.tell(moved);
    }

    fn tell(&self, moved: Moved) {
        if let Some(channel) = &self.moved {
            // An error only means that nobody listens any more: the controller is shutting down.
            channel.send(moved).unwrap_or_default();
        }
    }
}

impl Entry {
    fn is_unmoved(&self) -> bool {
        match (self.verified, &self.seen) {
            (Some(Verified::State { fingerprint, .. }), Some(seen)) => {
                self.writing == 0
                    && !self.contested
                    && !seen.deleting
                    && seen.fingerprint == fingerprint
            }
            _ => false,
        }
    }

    fn judge(&mut self, id: &ObjectId) -> Option<Moved> {
        let (Some(Verified::State { version, fingerprint, .. }), Some(seen)) =
            (self.verified, &self.seen)
        else {
            return None;
        };
        let older = seen.version <= version;
        if self.writing > 0 || older || (seen.fingerprint == fingerprint && !seen.deleting) {
            return None;
        }
        // Forgotten, so that one move is told once and the next comparison is a real one.
        self.verified = None;
        Some(Moved {
            owner: (*seen.owner).clone(),
            object: id.clone(),
            deleted: seen.deleting,
            times: 1,
        })
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let mut known = self.records.lock();
        if let Some(entry) = known.objects.get_mut(&self.id) {
            entry.writing = entry.writing.saturating_sub(1);
        }
        known.judge(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        records: Arc<LiveRecords>,
        id: ObjectId,
        moved: mpsc::UnboundedReceiver<Moved>,
    }

    fn bench() -> Bench {
        let (sender, moved) = mpsc::unbounded_channel();
        let records = Arc::new(LiveRecords::new());
        records.report_to(sender);
        Bench { records, id: ObjectId::from_inventory_id("shop_a__ConfigMap").unwrap(), moved }
    }

    const fn state(version: u64, fingerprint: u64) -> Verified {
        Verified::State { version, content: 0, fingerprint, owner: 1 }
    }

    fn seen(version: u64, fingerprint: u64) -> Seen {
        let owner = Owner { namespace: "shop".to_owned(), name: "app".to_owned() };
        Seen { version, fingerprint, deleting: false, owner: Arc::new(owner) }
    }

    #[test]
    fn our_own_write_is_no_move_whichever_comes_first() {
        let Bench { records, id, mut moved } = bench();
        records.settle(&id, state(1, 10));
        records.observe(&id, seen(1, 10));
        // The event comes before the answer.
        let writing = records.begin_write(&id);
        records.observe(&id, seen(2, 20));
        records.settle(&id, state(2, 20));
        drop(writing);
        // The answer comes before the event.
        let writing = records.begin_write(&id);
        records.settle(&id, state(3, 30));
        drop(writing);
        assert!(
            !records.unmoved(std::slice::from_ref(&id), |_| true),
            "the watch has not seen it yet"
        );
        records.observe(&id, seen(3, 30));
        assert!(records.unmoved(std::slice::from_ref(&id), |_| true));
        assert!(moved.try_recv().is_err());
    }

    #[test]
    fn a_move_by_others_is_told_once() {
        let Bench { records, id, mut moved } = bench();
        records.settle(&id, state(1, 10));
        records.observe(&id, seen(1, 10));
        records.observe(&id, seen(2, 10)); // status
        assert!(moved.try_recv().is_err());
        records.observe(&id, seen(3, 11));
        records.observe(&id, seen(4, 12));
        let told = moved.try_recv().unwrap();
        assert_eq!((told.owner.name.as_str(), told.deleted), ("app", false));
        assert!(moved.try_recv().is_err());
        assert!(!records.unmoved(&[id], |_| true));
    }

    #[test]
    fn a_move_during_our_write_is_told_after_it() {
        let Bench { records, id, mut moved } = bench();
        let writing = records.begin_write(&id);
        records.observe(&id, seen(5, 50)); // somebody wrote after our write at 4
        records.settle(&id, state(4, 40));
        assert!(moved.try_recv().is_err());
        drop(writing);
        assert!(moved.try_recv().is_ok());
    }

    #[test]
    fn what_two_owners_want_is_never_at_rest_until_one_gives_up() {
        let Bench { records, id, .. } = bench();
        let is_unmoved = || records.unmoved(std::slice::from_ref(&id), |_| true);
        records.settle(&id, state(1, 10));
        records.observe(&id, seen(1, 10));
        assert!(is_unmoved());
        let other = Verified::State { version: 1, content: 0, fingerprint: 10, owner: 2 };
        records.settle(&id, other);
        assert!(!is_unmoved());
        records.forget(std::slice::from_ref(&id)); // the first one prunes it
        records.settle(&id, other);
        assert!(is_unmoved());
    }

    #[test]
    fn deletion_is_told_unless_it_is_ours() {
        let Bench { records, id, mut moved } = bench();
        records.settle(&id, state(1, 10));
        records.observe(&id, seen(1, 10));
        records.observe_gone(&id);
        assert!(moved.try_recv().unwrap().deleted);
        records.settle(&id, state(1, 10));
        records.observe(&id, seen(1, 10));
        records.forget(std::slice::from_ref(&id));
        records.observe_gone(&id);
        assert!(moved.try_recv().is_err());
        assert!(records.is_empty());
    }

    #[test]
    fn what_was_never_verified_is_nobodys_loss() {
        let Bench { records, id, mut moved } = bench();
        records.observe(&id, seen(1, 10));
        records.observe(&id, seen(2, 11));
        records.observe_gone(&id);
        assert!(moved.try_recv().is_err());
    }
}
