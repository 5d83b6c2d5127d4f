//! How incidents end: all is well, or nobody says anything any more.

use std::time::{Duration, Instant};

use crate::incident::{Incident, Member, Role, State};
use crate::incidents::{Grouping, Incidents, SILENCE};
use crate::object::ObjectKey;
use crate::telling::{self, Ending};
use crate::told::{IncidentId, Part, Told};

/// How long after its incident an object's own recovery is no news.
const AFTERMATH: Duration = Duration::from_hours(1);
/// How often is looked for what has aged.
const SWEEP: Duration = Duration::from_mins(10);

impl Incidents {
    /// An object is no longer one of those that are not well, which may end its incident.
    pub(crate) fn leave(
        &mut self,
        id: u64,
        object: &ObjectKey,
        ending: Ending<'_>,
        now: Instant,
    ) -> Option<Told> {
        self.of.remove(object);
        let incident = self.open.get_mut(&id)?;
        incident.leave(object);
        if !incident.is_over() {
            return None;
        }
        let mut incident = self.close(id)?;
        let left = incident.left().into_iter();
        self.recovering.extend(left.map(|(object, place)| (object, (now, place))));
        if incident.state == State::Held {
            return None;
        }
        match self.grouping {
            Grouping::ByCause => {
                let lasted = now.duration_since(incident.began);
                let event = telling::resolution(&incident, ending, lasted);
                Some(Told { event, part: Part::End(IncidentId(id)) })
            }
            Grouping::ByObject => ending.event.map(Told::alone),
        }
    }

    /// Takes an incident out, with all that leads to it.
    pub(crate) fn close(&mut self, id: u64) -> Option<Incident> {
        self.schedule(id, None);
        let incident = self.open.remove(&id)?;
        if self.saying.get(&incident.text) == Some(&id) {
            self.saying.remove(&incident.text);
        }
        for object in incident.members.keys() {
            self.of.remove(object);
        }
        for cause in &incident.awaited {
            let Some(ids) = self.awaiting.get_mut(cause) else { continue };
            ids.remove(&id);
            if ids.is_empty() {
                self.awaiting.remove(cause);
            }
        }
        Some(incident)
    }

    /// Forgets what has aged.
    pub(crate) fn sweep(&mut self, now: Instant) {
        if self.swept.is_some_and(|last| now.duration_since(last) < SWEEP) {
            return;
        }
        self.swept = Some(now);
        self.recovering.retain(|_, (since, _)| now.duration_since(*since) < AFTERMATH);
        let is_silent = |member: &Member| now.duration_since(member.heard) >= SILENCE;
        let ended: Vec<_> = self
            .open
            .iter()
            .filter(|(_, incident)| {
                incident.members.values().all(|it| it.role == Role::Dependent || is_silent(it))
            })
            .map(|(id, _)| *id)
            .collect();
        for id in ended {
            self.close(id);
        }
    }
}
