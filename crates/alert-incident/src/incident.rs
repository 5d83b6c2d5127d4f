//! One incident.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use event_api::Event;

use crate::budget::{Budget, Place};
use crate::fingerprint::Fingerprint;
use crate::kept::{keep, shorten, weight};
use crate::object::ObjectKey;

/// Failures that have one cause.
#[derive(Debug)]
pub(crate) struct Incident {
    /// A short name, the same in all that is told of it.
    pub(crate) name: String,
    /// What opened it, as much of it as is kept.
    pub(crate) first: Event,
    /// When the last object came to it.
    pub(crate) latest: Option<jiff::Timestamp>,
    pub(crate) text: Fingerprint,
    pub(crate) began: Instant,
    pub(crate) state: State,
    /// When there is something to tell of it.
    pub(crate) due: Option<Instant>,
    pub(crate) members: HashMap<ObjectKey, Member>,
    /// All that ever belonged to it.
    concerned: BTreeSet<ObjectKey>,
    /// Those that nobody was told of.
    fresh: BTreeSet<ObjectKey>,
    /// All that its members depend on.
    pub(crate) awaited: BTreeSet<ObjectKey>,
    /// What all that takes in memory.
    place: Place,
}

/// Who knows of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nobody, until it has lasted long enough.
    Held,
    /// Those whom it concerns.
    Told,
    /// They should, but the message did not arrive.
    Unheard,
}

/// An object that is not well because of an incident.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) role: Role,
    /// What of its failures decides [what ends them](crate::news::ends).
    pub(crate) kind: &'static str,
    /// What the object depends on, nearest first.
    pub(crate) causes: Vec<ObjectKey>,
    pub(crate) heard: Instant,
    /// When it failed last, by the clock of its controller.
    pub(crate) said: Option<jiff::Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The incident lasts until it is well.
    Root,
    /// It waits for another member, and need not say so when it has ended.
    Dependent,
}

impl Incident {
    /// One that nobody knows of, if there is memory for it.
    pub(crate) fn new(
        first: &Event,
        text: Fingerprint,
        began: Instant,
        budget: &Arc<Budget>,
    ) -> Option<Self> {
        let first = keep(first)?;
        Some(Self {
            place: Place::of(budget, weight(&first))?,
            name: format!("{}-{}", first.involved_object.name, text.short()),
            latest: first.timestamp,
            first,
            text,
            began,
            state: State::Held,
            due: None,
            members: HashMap::new(),
            concerned: BTreeSet::new(),
            fresh: BTreeSet::new(),
            awaited: BTreeSet::new(),
        })
    }

    /// Has it be about another event from now on.
    pub(crate) fn be_about(&mut self, event: &Event) {
        let Some(kept) = keep(event) else { return };
        if self.place.grow(weight(&kept)) {
            self.place.shrink(weight(&self.first));
            self.first = kept;
        }
    }

    /// Makes room for a member, if there is any, and says so.
    pub(crate) fn affords(&mut self, object: &ObjectKey, member: &Member) -> bool {
        let new = |known: &BTreeSet<ObjectKey>, key: &ObjectKey| {
            if known.contains(key) { 0 } else { key.weight() }
        };
        let causes = member.causes.iter().map(|cause| new(&self.awaited, cause));
        let lasting = new(&self.concerned, object) + causes.sum::<usize>();
        self.place.grow(lasting + member.weight(object))
    }

    pub(crate) fn join(&mut self, object: ObjectKey, member: Member) {
        self.awaited.extend(member.causes.iter().cloned());
        if self.concerned.insert(object.clone()) {
            self.fresh.insert(object.clone());
        }
        self.members.insert(object, member);
    }

    pub(crate) fn leave(&mut self, object: &ObjectKey) {
        if let Some(member) = self.members.remove(object) {
            self.place.shrink(member.weight(object));
        }
        self.fresh.remove(object);
    }

    /// Its members, each with its place, when it is over.
    pub(crate) fn left(&mut self) -> Vec<(ObjectKey, Place)> {
        let members = self.members.drain();
        members.map(|(object, _)| (object.clone(), self.place.split(object.weight()))).collect()
    }

    /// Makes one of two incidents that turned out to have one cause.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.fresh.extend(other.concerned.difference(&self.concerned).cloned());
        self.members.extend(other.members);
        self.concerned.extend(other.concerned);
        self.awaited.extend(other.awaited);
        self.place.merge(other.place);
    }

    pub(crate) fn is_over(&self) -> bool {
        self.members.values().all(|member| member.role == Role::Dependent)
    }

    /// All objects that it concerned.
    pub(crate) const fn concerned(&self) -> &BTreeSet<ObjectKey> {
        &self.concerned
    }

    /// Those that nobody was told of.
    pub(crate) const fn fresh(&self) -> &BTreeSet<ObjectKey> {
        &self.fresh
    }

    /// Everybody was told of all that it concerns.
    pub(crate) fn mark_told(&mut self) {
        self.state = State::Told;
        self.fresh.clear();
        let before = weight(&self.first);
        shorten(&mut self.first);
        self.place.shrink(before.saturating_sub(weight(&self.first)));
    }
}

impl Member {
    fn weight(&self, object: &ObjectKey) -> usize {
        self.causes.iter().map(ObjectKey::weight).sum::<usize>() + object.weight()
    }
}
