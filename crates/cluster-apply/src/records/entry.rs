//! What is known of one object, and whether somebody else moved it. Pure.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use manifest::ObjectId;
use serde_json::{Map, Value};

use super::{Moved, Owner};
use crate::compare::content_digest;
use crate::managed_fields::fingerprint_of;
use crate::settings::Settings;

/// What is known of one object.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) verified: Option<Verified>,
    pub(super) seen: Option<Seen>,
    /// How many writes of ours are under way: until they end, nothing is judged.
    pub(super) writing: u16,
    /// Whether several owners want the object, each in its own way.
    pub(super) contested: bool,
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

impl Entry {
    /// Takes in what it was found or made to be.
    pub(super) fn settle(&mut self, verified: Verified) {
        let before = self.verified.and_then(Verified::owner);
        self.contested |= before.zip(verified.owner()).is_some_and(|(old, new)| old != new);
        self.verified = Some(verified);
    }

    /// Whether the watch last saw it exactly as it was last verified.
    pub(super) fn is_unmoved(&self) -> bool {
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

    /// What to tell its owner: that somebody else moved it, once per move.
    pub(super) fn judge(&mut self, id: &ObjectId) -> Option<Moved> {
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

impl Owner {
    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
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
