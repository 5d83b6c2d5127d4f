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
    pub(crate) fn new(first: &Event, text: Fingerprint, began: Instant, state: State) -> Self {
        Self {
            name: format!("{}-{}", first.involved_object.name, text.short()),
            first: first.clone(),
            latest: first.timestamp,
            text,
            began,
            state,
            due: None,
            members: HashMap::new(),
            concerned: BTreeSet::new(),
            fresh: BTreeSet::new(),
            awaited: BTreeSet::new(),
        }
    }

    pub(crate) fn join(&mut self, object: ObjectKey, member: Member) {
        self.awaited.extend(member.causes.iter().cloned());
        if self.concerned.insert(object.clone()) {
            self.fresh.insert(object.clone());
        }
        self.members.insert(object, member);
    }

    pub(crate) fn leave(&mut self, object: &ObjectKey) {
        self.members.remove(object);
        self.fresh.remove(object);
    }

    /// Makes one of two incidents that turned out to have one cause.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.fresh.extend(other.concerned.difference(&self.concerned).cloned());
        self.members.extend(other.members);
        self.concerned.extend(other.concerned);
        self.awaited.extend(other.awaited);
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
    }
}
