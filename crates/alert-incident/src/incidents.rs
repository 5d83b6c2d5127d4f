//! The incidents of one alert: which event opens one, belongs to one, ends one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use event_api::Event;

use crate::budget::{Budget, Place};
use crate::fingerprint::Fingerprint;
use crate::incident::{Incident, Member, Role, State};
use crate::news::{self, News};
use crate::object::ObjectKey;
use crate::telling::{self, Ending};
use crate::told::{IncidentId, Part, Told};

/// Limit: objects that are remembered as not well; events of further ones are told as they are.
const MEMBERS: usize = 50_000;
/// How long an object counts as failed of which nothing is heard: it may be gone, and nobody says so.
pub(crate) const SILENCE: Duration = Duration::from_hours(24);
/// How long objects are gathered before it is told that an incident concerns more of them.
const GATHER: Duration = Duration::from_secs(30);
/// What makes failures one incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// One that another one waits for, and failures that say the same of different objects.
    ByCause,
    /// Nothing does: each object is on its own, as in Flux.
    ByObject,
}

/// The incidents of an alert that are open, and what they silence.
#[derive(Debug)]
pub struct Incidents {
    pub(crate) grouping: Grouping,
    pub(crate) hold: Duration,
    /// By age.
    pub(crate) open: BTreeMap<u64, Incident>,
    next: u64,
    /// The incident of each object that is not well.
    pub(crate) of: HashMap<ObjectKey, u64>,
    /// Incidents with members that depend on an object.
    pub(crate) awaiting: HashMap<ObjectKey, BTreeSet<u64>>,
    pub(crate) saying: HashMap<Fingerprint, u64>,
    /// What is due when.
    pub(crate) agenda: BTreeSet<(Instant, u64)>,
    /// Objects whose incident is over and that have not said that they are well.
    pub(crate) recovering: HashMap<ObjectKey, (Instant, Place)>,
    budget: Arc<Budget>,
    pub(crate) swept: Option<Instant>,
}

impl Incidents {
    /// None yet. With `hold`, a failure is told only if it lasts that long.
    pub fn new(grouping: Grouping, hold: Duration) -> Self {
        Self {
            grouping,
            hold,
            open: BTreeMap::new(),
            next: 0,
            of: HashMap::new(),
            awaiting: HashMap::new(),
            saying: HashMap::new(),
            agenda: BTreeSet::new(),
            recovering: HashMap::new(),
            budget: Arc::default(),
            swept: None,
        }
    }

    /// The same within a budget that others have a part in. When nothing of it is left, failures that
    /// would have to be remembered are told as they are.
    #[must_use]
    pub fn within(self, budget: Arc<Budget>) -> Self {
        Self { budget, ..self }
    }

    /// What all it remembers has to fit in.
    pub const fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// Whether it matters what the object of an event depends on; if not, it may be said to depend on
    /// nothing.
    pub fn asks_for_causes(event: &Event) -> bool {
        News::of(event) != News::Done
    }

    /// Takes in an event of an object that depends on `causes`, nearest first, and returns what is to be
    /// told in its place: itself, the opening or the end of an incident, or nothing.
    pub fn take(&mut self, event: &Event, causes: &[ObjectKey], now: Instant) -> Option<Told> {
        let object = ObjectKey::of(event);
        match News::of(event) {
            News::Failed => self.failed(object, event, causes, now),
            News::Waiting => self.waiting(object, event, causes, now),
            News::Done if news::ends(event, self.kind_of(&object)) => {
                self.well(&object, event, now)
            }
            News::Done => self.step(&object, event),
        }
    }

    /// What is to be told now: openings that have lasted long enough, and what came to others.
    pub fn due(&mut self, now: Instant) -> Vec<Told> {
        self.sweep(now);
        let mut due = Vec::new();
        while let Some((_, id)) = self.agenda.first().copied().filter(|(at, _)| *at <= now) {
            self.schedule(id, None);
            let Some(incident) = self.open.get_mut(&id) else { continue };
            match (incident.state, self.grouping) {
                (State::Held, Grouping::ByCause) => due.extend(self.tell_opening(id)),
                (State::Held, Grouping::ByObject) => {
                    due.push(Told::alone(&incident.first));
                    incident.mark_told();
                }
                (State::Told, _) if !incident.fresh().is_empty() => {
                    let part = Part::News(IncidentId(id));
                    due.push(Told { event: telling::news(incident), part });
                    incident.mark_told();
                }
                (State::Told | State::Unheard, _) => {}
            }
        }
        due
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<Instant> {
        self.agenda.first().map(|(at, _)| *at)
    }

    /// Whether an incident is open.
    pub fn is_open(&self, id: IncidentId) -> bool {
        self.open.contains_key(&id.0)
    }

    /// Whether an incident is told that a provider cannot tell from that of another message: it has the
    /// same name, or began with the same object.
    pub fn is_told_like(&self, other: &Event) -> bool {
        let is_like =
            |incident: &Incident| telling::is_like(&incident.first, &incident.name, other);
        self.open.values().any(|incident| incident.state != State::Held && is_like(incident))
    }

    /// The opening of an incident did not arrive. It is told again with the next failure that belongs
    /// to it.
    pub fn unheard(&mut self, id: IncidentId) {
        if let Some(incident) = self.open.get_mut(&id.0).filter(|it| it.state == State::Told) {
            incident.state = State::Unheard;
            self.schedule(id.0, None);
        }
    }

    fn failed(
        &mut self,
        object: ObjectKey,
        event: &Event,
        causes: &[ObjectKey],
        now: Instant,
    ) -> Option<Told> {
        self.recovering.remove(&object);
        if let Some(id) = self.of.get(&object).copied() {
            return self.failed_again(id, &object, event, now);
        }
        if self.of.len() >= MEMBERS {
            return Some(Told::unremembered(event));
        }
        let text = Fingerprint::of(event);
        let (causes_of, kind) = (causes.to_vec(), news::kind(event));
        let mut member =
            Member { role: Role::Root, kind, causes: causes_of, heard: now, said: event.timestamp };
        if self.grouping == Grouping::ByCause {
            if let Some(id) = self.failing(causes) {
                member.role = Role::Dependent;
                return self.join(id, object, member, event, now);
            }
            if let Some(id) = self.lead(&object, event) {
                return self.join(id, object, member, event, now);
            }
            if let Some(id) = self.saying.get(&text).copied() {
                return self.join(id, object, member, event, now);
            }
        }
        self.begin(object, event, text, member, now)
    }

    fn begin(
        &mut self,
        object: ObjectKey,
        event: &Event,
        text: Fingerprint,
        member: Member,
        now: Instant,
    ) -> Option<Told> {
        let incident = Incident::new(event, text, now, &self.budget);
        let Some(mut incident) = incident else { return Some(Told::unremembered(event)) };
        if !incident.affords(&object, &member) {
            return Some(Told::unremembered(event));
        }
        let id = self.next;
        self.next += 1;
        self.open.insert(id, incident);
        self.saying.insert(text, id);
        self.admit(id, object, member, event, now);
        if self.hold.is_zero() {
            return self.tell_opening(id);
        }
        self.schedule(id, Some(now + self.hold));
        None
    }

    fn failed_again(
        &mut self,
        id: u64,
        object: &ObjectKey,
        event: &Event,
        now: Instant,
    ) -> Option<Told> {
        let incident = self.open.get_mut(&id)?;
        if let Some(member) = incident.members.get_mut(object) {
            member.heard = now;
            member.said = event.timestamp;
            if event.is_error() {
                member.kind = news::later_kind(member.kind, news::kind(event));
            }
        }
        match (self.grouping, incident.state) {
            (Grouping::ByCause, State::Unheard) => self.tell_opening(id),
            (Grouping::ByCause, State::Held | State::Told) => None,
            (Grouping::ByObject, State::Told | State::Unheard) => Some(Told::alone(event)),
            (Grouping::ByObject, State::Held) => {
                incident.be_about(event);
                None
            }
        }
    }

    fn tell_opening(&mut self, id: u64) -> Option<Told> {
        let incident = self.open.get_mut(&id)?;
        let event = telling::opening(incident);
        incident.mark_told();
        Some(Told { event, part: Part::Opening(IncidentId(id)) })
    }

    fn waiting(
        &mut self,
        object: ObjectKey,
        event: &Event,
        causes: &[ObjectKey],
        now: Instant,
    ) -> Option<Told> {
        if self.grouping == Grouping::ByObject {
            return Some(Told::alone(event));
        }
        if let Some(id) = self.of.get(&object).copied() {
            return self.failed_again(id, &object, event, now);
        }
        match self.failing(causes) {
            Some(id) if self.of.len() < MEMBERS => {
                let causes = causes.to_vec();
                let member = Member {
                    role: Role::Dependent,
                    kind: "",
                    causes,
                    heard: now,
                    said: event.timestamp,
                };
                self.join(id, object, member, event, now)
            }
            _ => Some(Told::alone(event)),
        }
    }

    fn well(&mut self, object: &ObjectKey, event: &Event, now: Instant) -> Option<Told> {
        let Some(id) = self.of.get(object).copied() else {
            let is_aftermath = self.recovering.remove(object).is_some();
            return (!is_aftermath).then(|| Told::alone(event));
        };
        let ending = Ending { event: Some(event), at: event.timestamp, what: "well again" };
        self.leave(id, object, ending, now)
    }

    /// What an object does that may be as unwell as before belongs to its incident.
    fn step(&self, object: &ObjectKey, event: &Event) -> Option<Told> {
        let incident = self.of.get(object).and_then(|id| self.open.get(id));
        let is_silenced = incident
            .is_some_and(|it| self.grouping == Grouping::ByCause || it.state == State::Held);
        (!is_silenced).then(|| Told::alone(event))
    }

    fn kind_of(&self, object: &ObjectKey) -> &'static str {
        let incident = self.of.get(object).and_then(|id| self.open.get(id));
        incident.and_then(|it| it.members.get(object)).map_or("", |member| member.kind)
    }

    /// The incident of the nearest cause that is not well.
    fn failing(&self, causes: &[ObjectKey]) -> Option<u64> {
        causes.iter().find_map(|cause| self.of.get(cause)).copied()
    }

    /// The one incident of all whose members wait for an object, which is what it is about from now on.
    /// Those that have been told end as they began, on their own.
    fn lead(&mut self, object: &ObjectKey, event: &Event) -> Option<u64> {
        let mut ids = self.awaiting.get(object)?.clone();
        let id = ids.pop_first()?;
        ids.retain(|id| self.open.get(id).is_some_and(|it| it.state == State::Held));
        for other in ids {
            let Some(other) = self.close(other) else { continue };
            for member in other.members.keys() {
                self.of.insert(member.clone(), id);
            }
            for cause in &other.awaited {
                self.awaiting.entry(cause.clone()).or_default().insert(id);
            }
            self.open.get_mut(&id)?.absorb(other);
        }
        let incident = self.open.get_mut(&id)?;
        for member in incident.members.values_mut() {
            if member.causes.contains(object) {
                member.role = Role::Dependent;
            }
        }
        if incident.state == State::Held {
            incident.be_about(event);
        }
        Some(id)
    }

    fn join(
        &mut self,
        id: u64,
        object: ObjectKey,
        member: Member,
        event: &Event,
        now: Instant,
    ) -> Option<Told> {
        if !self.open.get_mut(&id)?.affords(&object, &member) {
            return Some(Told::unremembered(event));
        }
        self.admit(id, object, member, event, now)
    }

    fn admit(
        &mut self,
        id: u64,
        object: ObjectKey,
        member: Member,
        event: &Event,
        now: Instant,
    ) -> Option<Told> {
        let incident = self.open.get_mut(&id)?;
        for cause in &member.causes {
            self.awaiting.entry(cause.clone()).or_default().insert(id);
        }
        self.of.insert(object.clone(), id);
        incident.join(object, member);
        incident.latest = event.timestamp;
        match incident.state {
            State::Unheard => return self.tell_opening(id),
            State::Told if incident.due.is_none() && !incident.fresh().is_empty() => {
                self.schedule(id, Some(now + GATHER));
            }
            State::Held | State::Told => {}
        }
        None
    }

    /// Puts an incident on the agenda, or takes it off.
    pub(crate) fn schedule(&mut self, id: u64, due: Option<Instant>) {
        let Some(incident) = self.open.get_mut(&id) else { return };
        if let Some(before) = std::mem::replace(&mut incident.due, due) {
            self.agenda.remove(&(before, id));
        }
        if let Some(due) = due {
            self.agenda.insert((due, id));
        }
    }
}
