//! What was last verified of each object of a cluster, beside what the watch last saw of it.
//!
//! The applier settles an object after each write or comparison; the watch observes it. Whoever
//! comes second judges: if what was seen is newer than what was verified and differs from it,
//! somebody else moved the object, and its owner is told. Our own echoes are equal, in whichever
//! order answer and event arrive.

mod entry;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use manifest::{GroupKind, ObjectId};
use tokio::sync::mpsc;

use self::entry::Entry;

pub(crate) use self::entry::{Seen, Verified, resource_version};

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

/// A write under way. Ends when dropped, whatever came of it.
#[derive(Debug)]
pub(crate) struct Writing {
    records: Arc<LiveRecords>,
    id: ObjectId,
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
        entry.settle(verified);
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

impl Drop for Writing {
    fn drop(&mut self) {
        let mut known = self.records.lock();
        if let Some(entry) = known.objects.get_mut(&self.id) {
            entry.writing = entry.writing.saturating_sub(1);
        }
        known.judge(&self.id);
    }
}
