//! What a new process knows of the incidents of the one before it: the objects that are not well.

use std::time::{Duration, Instant};

use event_api::Event;

use crate::incident::{Incident, State};
use crate::incidents::{Incidents, SILENCE};
use crate::news::News;
use crate::object::ObjectKey;

/// Limit: steps from what waits to what it waits for; what is farther away is on its own.
const STEPS: usize = 16;

/// An object that was not well when a process began.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What its controller would tell of it.
    pub event: Event,
    /// What it depends on, nearest first.
    pub causes: Vec<ObjectKey>,
    /// How long it has not been well.
    pub age: Duration,
    /// Whether it was told by the process before this one.
    pub was_told: bool,
}

impl Incidents {
    /// Takes in what failed before there was anybody to hear of it. Nothing is told at once: an incident
    /// of which nobody can have heard is due as soon as it has lasted long enough.
    pub fn restore(&mut self, mut failures: Vec<Failure>, now: Instant) {
        failures.sort_by_key(|failure| std::cmp::Reverse(failure.age));
        // None is told before all are known, so that those with one cause become one.
        let hold = std::mem::replace(&mut self.hold, SILENCE);
        let mut waiting = Vec::new();
        for failure in &failures {
            match News::of(&failure.event) {
                News::Waiting => waiting.push(failure),
                News::Failed => self.recall(failure, now),
                News::Done => {}
            }
        }
        for _ in 0..STEPS {
            for failure in &waiting {
                self.recall(failure, now);
            }
            let before = waiting.len();
            waiting.retain(|failure| !self.of.contains_key(&ObjectKey::of(&failure.event)));
            if waiting.len() == before {
                break;
            }
        }
        self.hold = hold;
        for told in failures.iter().filter(|failure| failure.was_told) {
            let id = self.of.get(&ObjectKey::of(&told.event)).copied();
            let Some(incident) = id.and_then(|id| self.open.get_mut(&id)) else { continue };
            incident.mark_told();
        }
        let due =
            |incident: &Incident| (incident.state == State::Held).then(|| incident.began + hold);
        for (id, due) in self.open.iter().map(|(id, it)| (*id, due(it))).collect::<Vec<_>>() {
            self.schedule(id, due);
        }
    }

    fn recall(&mut self, failure: &Failure, now: Instant) {
        // Nothing comes of it: all is held, and whatever waits for nothing says so again.
        self.take(&failure.event, &failure.causes, now);
        let id = self.of.get(&ObjectKey::of(&failure.event));
        if let Some(incident) = id.and_then(|id| self.open.get_mut(id)) {
            let began = now.checked_sub(failure.age).unwrap_or(now);
            incident.began = incident.began.min(began);
        }
    }
}
