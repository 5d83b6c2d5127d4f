//! What one alert remembers of what it told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alert_incident::{Budget, Failure, IncidentId, Incidents, ObjectKey, Part, Sight, Told};
use event_api::Event;

use super::tale::{Chapter, Tale};
use crate::alert::rules::Rule;

/// How long an end that did not arrive waits to be told again; it doubles each time.
const AGAIN: Duration = Duration::from_mins(1);
/// How often it is.
const TRIES: u32 = 6;
/// Limit: how many of them wait for each alert.
const OWED: usize = 100;

/// What one alert remembers.
#[derive(Debug)]
pub(super) struct Remembered {
    rule: Arc<Rule>,
    incidents: Incidents,
    /// Of those that are open and were told.
    tales: HashMap<IncidentId, Arc<Tale>>,
    /// Ends that did not arrive, and when they are told again.
    owed: Vec<(Instant, Chapter)>,
}

/// What is told, and which chapter of a tale that is.
#[derive(Debug)]
pub(super) struct Telling {
    pub(super) event: Arc<Event>,
    pub(super) chapter: Option<Chapter>,
    /// Whether there was memory for what has to be remembered.
    pub(super) is_remembered: bool,
}

impl Remembered {
    pub(super) fn of(rule: &Arc<Rule>, budget: &Arc<Budget>) -> Self {
        let incidents = rule.options.incidents().within(Arc::clone(budget));
        let tales = HashMap::new();
        Self { rule: Arc::clone(rule), incidents, tales, owed: Vec::new() }
    }

    /// Goes on under a rule that may have been compiled anew.
    pub(super) fn adopt(&mut self, rule: &Arc<Rule>) {
        if Arc::ptr_eq(&self.rule, rule) {
            return;
        }
        if self.rule.options.remembers_like(&rule.options) {
            self.rule = Arc::clone(rule);
        } else {
            *self = Self::of(rule, &Arc::clone(self.incidents.budget()));
        }
    }

    /// What an event comes to.
    pub(super) fn take(
        &mut self,
        event: &Event,
        causes: &[ObjectKey],
        now: Instant,
    ) -> Option<Telling> {
        let told = self.incidents.take(event, causes, now)?;
        Some(self.telling(told))
    }

    /// Takes in what failed before this process began.
    pub(super) fn restore(&mut self, failures: Vec<Failure>, now: Instant) {
        self.incidents.restore(failures, now);
    }

    /// The objects that nobody said anything of for a while.
    pub(super) fn silent(&self, now: Instant) -> impl Iterator<Item = &ObjectKey> {
        self.incidents.silent(now)
    }

    /// How such an object was found to be.
    pub(super) fn see(
        &mut self,
        object: &ObjectKey,
        sight: Sight,
        now: Instant,
    ) -> Option<(Arc<Rule>, Telling)> {
        let told = self.incidents.see(object, sight, now)?;
        Some((Arc::clone(&self.rule), self.telling(told)))
    }

    fn telling(&mut self, told: Told) -> Telling {
        let (event, part) = (Arc::new(told.event), told.part);
        let tale = match part {
            Part::Alone => return Telling { event, chapter: None, is_remembered: true },
            Part::Unremembered => return Telling { event, chapter: None, is_remembered: false },
            Part::Opening(id) => {
                // What is over by now would pass for the end of what has just begun.
                let incidents = &self.incidents;
                self.owed.retain(|(_, end)| !incidents.is_told_like(&end.event));
                Arc::clone(self.tales.entry(id).or_default())
            }
            Part::News(id) => Arc::clone(self.tales.entry(id).or_default()),
            Part::End(id) => self.tales.remove(&id).unwrap_or_default(),
        };
        let chapter = Chapter { tale, part, event: Arc::clone(&event), tries: 0 };
        Telling { event, chapter: Some(chapter), is_remembered: true }
    }

    /// A chapter did not arrive.
    pub(super) fn unheard(&mut self, chapter: &Chapter, now: Instant) {
        match chapter.part {
            Part::Opening(id) => {
                if self.tales.get(&id).is_some_and(|tale| Arc::ptr_eq(tale, &chapter.tale)) {
                    self.incidents.unheard(id);
                }
            }
            Part::End(_) if self.incidents.is_told_like(&chapter.event) => {}
            Part::End(_) if chapter.tries < TRIES && self.owed.len() < OWED => {
                let again = Chapter { tries: chapter.tries + 1, ..chapter.clone() };
                self.owed.push((now + AGAIN * (1 << chapter.tries), again));
            }
            Part::Alone | Part::Unremembered | Part::News(_) | Part::End(_) => {}
        }
    }

    /// What is to be told now.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Telling> {
        let told = self.incidents.due(now);
        let mut due: Vec<_> = told.into_iter().map(|told| self.telling(told)).collect();
        for (_, chapter) in self.owed.extract_if(.., |(at, _)| *at <= now) {
            let event = Arc::clone(&chapter.event);
            due.push(Telling { event, chapter: Some(chapter), is_remembered: true });
        }
        self.tales.retain(|id, _| self.incidents.is_open(*id));
        due
    }

    /// When something is due next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let owed = self.owed.iter().map(|(at, _)| *at);
        owed.chain(self.incidents.next_due()).min()
    }
}
