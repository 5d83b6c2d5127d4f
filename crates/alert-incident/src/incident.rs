//! One incident.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use event_api::Event;

use crate::fingerprint::Fingerprint;
use crate::object::ObjectKey;

/// Failures that have one cause.
#[derive(Debug)]
pub(crate) struct Incident {
    /// A short name, the same in all that is told of it.
    pub(crate) name: String,
    /// What opened it.
    pub(crate) first: Event,
    pub(crate) text: Fingerprint,
    pub(crate) began: Instant,
    pub(crate) told: bool,
    pub(crate) members: HashMap<ObjectKey, Member>,
    /// All that ever belonged to it.
    concerned: BTreeSet<ObjectKey>,
    /// All that those depend on.
    pub(crate) awaited: BTreeSet<ObjectKey>,
}

/// An object that is not well because of an incident.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) role: Role,
    /// What the object depends on, nearest first.
    pub(crate) causes: Vec<ObjectKey>,
    pub(crate) heard: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The incident lasts until it is well.
    Root,
    /// It waits for another member, and need not say so when it has ended.
    Dependent,
}

impl Incident {
    pub(crate) fn new(first: &Event, text: Fingerprint, began: Instant, told: bool) -> Self {
        let name = format!("{}-{}", first.involved_object.name, text.short());
        let first = first.clone();
        let (members, concerned, awaited) = (HashMap::new(), BTreeSet::new(), BTreeSet::new());
        Self { name, first, text, began, told, members, concerned, awaited }
    }

    pub(crate) fn join(&mut self, object: ObjectKey, member: Member) {
        self.awaited.extend(member.causes.iter().cloned());
        self.concerned.insert(object.clone());
        self.members.insert(object, member);
    }

    /// Makes one of two incidents that turned out to have one cause.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.members.extend(other.members);
        self.concerned.extend(other.concerned);
        self.awaited.extend(other.awaited);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.members.values().all(|member| member.role == Role::Dependent)
    }

    /// How many objects it concerned.
    pub(crate) fn concerned(&self) -> usize {
        self.concerned.len()
    }

    /// Some of those.
    pub(crate) fn named(&self, most: usize) -> impl Iterator<Item = &ObjectKey> {
        self.concerned.iter().take(most)
    }
}
