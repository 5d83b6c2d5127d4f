//! How objects are found to be of which nothing was heard for a while. Not every recovery is told, and not
//! everybody hears of it.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::incidents::Incidents;
use crate::object::ObjectKey;
use crate::telling::Ending;
use crate::told::Told;

/// How long an object says nothing before it is to be looked at.
const QUIET: Duration = Duration::from_mins(2);

/// How an object is found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Ready since then, by the clock of its controller.
    Ready(Timestamp),
    /// Not ready.
    Unwell,
    /// It is no more.
    Gone,
}

impl Incidents {
    /// The objects that are not well for all that is known, and of which nothing was heard for a while.
    pub fn silent(&self, now: Instant) -> impl Iterator<Item = &ObjectKey> {
        let members = self.open.values().flat_map(|incident| &incident.members);
        members
            .filter(move |(_, member)| now.duration_since(member.heard) >= QUIET)
            .map(|(object, _)| object)
    }

    /// Takes in how such an object is, and returns what is to be told: the end of an incident, or nothing.
    ///
    /// Limit: what failed although its object was ready all the time, such as drift that is not put right,
    /// is well only when its controller says so.
    pub fn see(&mut self, object: &ObjectKey, sight: Sight, now: Instant) -> Option<Told> {
        let id = *self.of.get(object)?;
        let member = self.open.get_mut(&id)?.members.get_mut(object)?;
        if now.duration_since(member.heard) < QUIET {
            return None;
        }
        let ending = match sight {
            Sight::Unwell => {
                member.heard = now;
                return None;
            }
            Sight::Ready(since) if member.said.is_some_and(|said| since < said) => return None,
            Sight::Ready(since) => Ending { event: None, at: Some(since), what: "well again" },
            Sight::Gone => Ending { event: None, at: None, what: "gone" },
        };
        self.leave(id, object, ending, now)
    }
}
