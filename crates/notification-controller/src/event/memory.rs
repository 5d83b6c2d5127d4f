//! What alerts remember that tell incidents rather than events, and what is due of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use alert_incident::{Failure, IncidentId, Incidents, ObjectKey, Part, Told};
use event_api::Event;
use tokio::sync::Notify;

use super::tale::{Chapter, Tale};
use crate::alert::rules::{Rule, Rules};
use crate::context::Context;

/// How often is looked for what has aged, if nothing is due.
const LOOK: Duration = Duration::from_mins(10);

/// The open incidents of all alerts that have any.
///
/// Limit: they are in memory only. A new process finds those again whose objects are not well yet.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    of: Mutex<HashMap<AlertName, Remembered>>,
    /// Held from what is told until it is handed over: nobody hears of an end before its beginning.
    order: Mutex<()>,
    /// There may be something that is due earlier than what was known to be.
    changed: Notify,
}

type AlertName = (String, String);

#[derive(Debug)]
struct Remembered {
    rule: Arc<Rule>,
    incidents: Incidents,
    /// Of those that are open and were told.
    tales: HashMap<IncidentId, Arc<Tale>>,
}

impl Memory {
    /// To be held until what is to be told is handed over.
    pub(super) fn in_order(&self) -> MutexGuard<'_, ()> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an alert tells in the place of an event: itself, the beginning or the end of an incident,
    /// or nothing.
    pub(super) fn take(
        &self,
        rule: &Arc<Rule>,
        event: &Event,
        causes: &[ObjectKey],
        now: Instant,
    ) -> Option<(Event, Option<Chapter>)> {
        self.change(rule, |remembered| {
            let told = remembered.incidents.take(event, causes, now)?;
            Some(remembered.chapter(told))
        })
    }

    /// Takes in what failed before this process began.
    pub(super) fn restore(&self, rule: &Arc<Rule>, failures: Vec<Failure>, now: Instant) {
        self.change(rule, |remembered| remembered.incidents.restore(failures, now));
    }

    /// A chapter did not arrive. Openings are told again with the next failure.
    pub(super) fn unheard(&self, rule: &Arc<Rule>, chapter: &Chapter) {
        let Part::Opening(id) = chapter.part else { return };
        if let Some(remembered) = self.lock().get_mut(&rule.name())
            && remembered.tales.get(&id).is_some_and(|tale| Arc::ptr_eq(tale, &chapter.tale))
        {
            remembered.incidents.unheard(id);
        }
    }

    fn change<T>(&self, rule: &Arc<Rule>, change: impl FnOnce(&mut Remembered) -> T) -> T {
        let mut of = self.lock();
        let remembered = of.entry(rule.name()).or_insert_with(|| Remembered::of(rule));
        if !Arc::ptr_eq(&remembered.rule, rule) {
            remembered.adopt(rule);
        }
        let before = remembered.incidents.next_due();
        let result = change(remembered);
        let due = remembered.incidents.next_due();
        drop(of);
        if due.is_some_and(|due| before.is_none_or(|before| due < before)) {
            self.changed.notify_one();
        }
        result
    }

    /// What is due, with the alerts that tell it, and when something is due next. Alerts that are no
    /// more, or no longer remember, are forgotten.
    fn due(&self, current: impl Fn(&AlertName) -> Option<Arc<Rule>>, now: Instant) -> Due {
        let mut due = Due { told: Vec::new(), next: None };
        self.lock().retain(|name, remembered| {
            let Some(rule) = current(name).filter(|rule| rule.options.has_memory()) else {
                return false;
            };
            remembered.adopt(&rule);
            for told in remembered.incidents.due(now) {
                let (event, chapter) = remembered.chapter(told);
                due.told.push((Arc::clone(&rule), event, chapter));
            }
            let Remembered { incidents, tales, .. } = remembered;
            tales.retain(|id, _| incidents.is_open(*id));
            let next = remembered.incidents.next_due();
            due.next = due.next.into_iter().chain(next).min();
            true
        });
        due
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AlertName, Remembered>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    fn of(rule: &Arc<Rule>) -> Self {
        let (incidents, tales) = (rule.options.incidents(), HashMap::new());
        Self { rule: Arc::clone(rule), incidents, tales }
    }

    /// Goes on under a rule that was compiled anew.
    fn adopt(&mut self, rule: &Arc<Rule>) {
        if self.rule.options.remembers_like(&rule.options) {
            self.rule = Arc::clone(rule);
        } else {
            *self = Self::of(rule);
        }
    }

    /// What is told, and which chapter of a tale that is.
    fn chapter(&mut self, told: Told) -> (Event, Option<Chapter>) {
        let tale = match told.part {
            Part::Alone => return (told.event, None),
            Part::Opening(id) | Part::News(id) => Arc::clone(self.tales.entry(id).or_default()),
            Part::End(id) => self.tales.remove(&id).unwrap_or_default(),
        };
        (told.event, Some(Chapter { tale, part: told.part }))
    }
}

#[derive(Debug)]
struct Due {
    told: Vec<(Arc<Rule>, Event, Option<Chapter>)>,
    next: Option<Instant>,
}

/// Tells what has lasted long enough, until the process ends.
pub(crate) async fn tell_what_is_due(ctx: Arc<Context>) {
    loop {
        let rules = ctx.alerts.current();
        let next = tell_due(&ctx, &rules, Instant::now());
        tokio::select! {
            () = tokio::time::sleep_until(next.into()) => {}
            () = ctx.memory.changed.notified() => {}
            () = ctx.runtime.shutdown() => return,
        }
    }
}

/// Tells what is due, and says when to look again.
fn tell_due(ctx: &Arc<Context>, rules: &Rules, now: Instant) -> Instant {
    let order = ctx.memory.in_order();
    let due = ctx.memory.due(|name| rules.of_alert(&name.0, &name.1), now);
    for (rule, event, chapter) in due.told {
        let bytes = event.to_json().len();
        super::notify(ctx, &Arc::new(event), &rule, chapter.as_ref(), bytes);
    }
    drop(order);
    due.next.map_or(now + LOOK, |next| next.min(now + LOOK))
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use serde_json::json;

    use super::*;

    fn rule(annotations: &serde_json::Value) -> Arc<Rule> {
        let alert = json!({
            "metadata": {"name": "a", "namespace": "apps", "annotations": annotations},
            "spec": {"providerRef": {"name": "p"}, "eventSources": []},
        });
        Arc::new(Rule::compile(Arc::new(serde_json::from_value(alert).unwrap())))
    }

    fn event(name: &str, severity: &str) -> Event {
        let about = json!({"kind": "K", "namespace": "apps", "name": name});
        let event = json!({"involvedObject": about, "severity": severity, "message": "no host"});
        serde_json::from_value(event).unwrap()
    }

    #[test]
    fn whoever_tells_what_is_due_is_woken_only_for_what_is_due_earlier() {
        let (memory, now) = (Memory::default(), Instant::now());
        let patient = rule(&json!({"ferroflux.dev/for": "2m"}));
        for (name, severity, is_woken) in [
            ("a", "error", true),
            ("b", "error", false),
            ("a", "info", false),
            ("b", "info", false),
        ] {
            memory.take(&patient, &event(name, severity), &[], now);
            let woken = memory.changed.notified().now_or_never().is_some();
            assert_eq!(woken, is_woken, "{name} {severity}");
        }
    }

    #[test]
    fn the_chapters_of_an_incident_belong_to_one_tale() {
        let (memory, now) = (Memory::default(), Instant::now());
        let rule = rule(&json!({"ferroflux.dev/incidents": "true"}));
        let take = |name, severity| {
            let told = memory.take(&rule, &event(name, severity), &[], now);
            told.map(|(_, chapter)| chapter)
        };
        let opening = take("a", "error").flatten().unwrap();
        memory.unheard(&rule, &opening);
        let again = take("b", "error").flatten().unwrap();
        assert!(Arc::ptr_eq(&opening.tale, &again.tale), "told again");
        assert!(take("a", "info").is_none());
        let end = take("b", "info").flatten().unwrap();
        assert!(Arc::ptr_eq(&opening.tale, &end.tale));
        // Another incident with the same words is another tale.
        let next = take("a", "error").flatten().unwrap();
        assert!(!Arc::ptr_eq(&opening.tale, &next.tale));
        memory.unheard(&rule, &opening);
        assert!(take("a", "error").is_none(), "it was told");
        assert!(take("b", "info").is_some_and(|chapter| chapter.is_none()), "of no tale");
    }
}
