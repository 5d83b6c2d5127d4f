//! What alerts remember that tell incidents rather than events, and what is due of it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use alert_incident::{Budget, Failure, ObjectKey, Sight};
use event_api::Event;
use tokio::sync::Notify;

use super::remembered::{Remembered, Telling};
use super::tale::Chapter;
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
    budget: Arc<Budget>,
    /// Held from what is told until it is handed over: nobody hears of an end before its beginning.
    order: Mutex<()>,
    /// There may be something that is due earlier than what was known to be.
    changed: Notify,
}

type AlertName = (String, String);

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
    ) -> Option<Telling> {
        self.change(rule, |remembered| remembered.take(event, causes, now))
    }

    /// Takes in what failed before this process began.
    pub(super) fn restore(&self, rule: &Arc<Rule>, failures: Vec<Failure>, now: Instant) {
        self.change(rule, |remembered| remembered.restore(failures, now));
    }

    /// The objects that are not well for all that alerts know, and that nobody said anything of for a while.
    pub(super) fn silent(&self, now: Instant) -> BTreeSet<ObjectKey> {
        self.lock().values().flat_map(|remembered| remembered.silent(now)).cloned().collect()
    }

    /// Has all alerts know how such an object is, and says what they tell.
    pub(super) fn see(
        &self,
        object: &ObjectKey,
        sight: Sight,
        now: Instant,
    ) -> Vec<(Arc<Rule>, Telling)> {
        let mut of = self.lock();
        of.values_mut().filter_map(|remembered| remembered.see(object, sight, now)).collect()
    }

    /// A chapter did not arrive. Openings are told again with the next failure, ends after a while.
    pub(super) fn unheard(&self, rule: &Arc<Rule>, chapter: &Chapter, now: Instant) {
        if let Some(remembered) = self.lock().get_mut(&rule.name()) {
            remembered.unheard(chapter, now);
            self.changed.notify_one();
        }
    }

    fn change<T>(&self, rule: &Arc<Rule>, change: impl FnOnce(&mut Remembered) -> T) -> T {
        let mut of = self.lock();
        let remembered =
            of.entry(rule.name()).or_insert_with(|| Remembered::of(rule, &self.budget));
        remembered.adopt(rule);
        let before = remembered.next_due();
        let result = change(remembered);
        let due = remembered.next_due();
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
            let told = remembered.due(now).into_iter();
            due.told.extend(told.map(|telling| (Arc::clone(&rule), telling)));
            let next = remembered.next_due();
            due.next = due.next.into_iter().chain(next).min();
            true
        });
        due
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AlertName, Remembered>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Due {
    told: Vec<(Arc<Rule>, Telling)>,
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
    for (rule, telling) in due.told {
        let bytes = telling.event.to_json().len();
        super::notify(ctx, &telling.event, &rule, telling.chapter.as_ref(), bytes);
    }
    drop(order);
    due.next.map_or(now + LOOK, |next| next.min(now + LOOK))
}

#[cfg(test)]
mod tests {
    use crd_types::notification::AlertSpec;
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
            told.map(|telling| telling.chapter)
        };
        let opening = take("a", "error").flatten().unwrap();
        // Providers are told its name, whatever else they are told.
        let event_metadata = [("env".to_owned(), "lab".to_owned())].into();
        let spec = AlertSpec { event_metadata, ..AlertSpec::default() };
        let (metadata, _) = super::super::metadata::combined(&opening.event, &spec);
        assert!(metadata["incident"].starts_with("a-") && metadata["env"] == "lab");
        memory.unheard(&rule, &opening, now);
        let again = take("b", "error").flatten().unwrap();
        assert!(Arc::ptr_eq(&opening.tale, &again.tale), "told again");
        assert!(take("a", "info").is_none());
        let end = take("b", "info").flatten().unwrap();
        assert!(Arc::ptr_eq(&opening.tale, &end.tale));
        // Another incident with the same words is another tale.
        let next = take("a", "error").flatten().unwrap();
        assert!(!Arc::ptr_eq(&opening.tale, &next.tale));
        memory.unheard(&rule, &opening, now);
        assert!(take("a", "error").is_none(), "it was told");
        assert!(take("b", "info").is_some_and(|chapter| chapter.is_none()), "of no tale");
    }

    #[test]
    fn an_end_that_does_not_arrive_ends_no_later_incident() {
        let rule = rule(&json!({"ferroflux.dev/incidents": "true"}));
        for opened_before_it_is_known in [false, true] {
            let (memory, now) = (Memory::default(), Instant::now());
            let take = |name, severity| {
                memory.take(&rule, &event(name, severity), &[], now).unwrap().chapter.unwrap()
            };
            take("a", "error");
            let of_a = take("a", "info");
            take("b", "error");
            let of_b = take("b", "info");
            if opened_before_it_is_known {
                take("a", "error");
            }
            memory.unheard(&rule, &of_a, now);
            memory.unheard(&rule, &of_b, now);
            if !opened_before_it_is_known {
                take("a", "error");
            }
            let later = now + Duration::from_hours(1);
            let told = memory.due(|_| Some(Arc::clone(&rule)), later).told.into_iter();
            let told: Vec<_> =
                told.map(|(_, end)| end.event.involved_object.name.clone()).collect();
            assert_eq!(told, ["b"], "{opened_before_it_is_known}");
        }
    }

    #[test]
    fn an_end_that_does_not_arrive_is_told_again_for_an_hour() {
        let (memory, began) = (Memory::default(), Instant::now());
        let rule = rule(&json!({"ferroflux.dev/incidents": "true"}));
        memory.take(&rule, &event("a", "error"), &[], began);
        let end = memory.take(&rule, &event("a", "info"), &[], began).unwrap();
        let mut chapter = end.chapter.unwrap();
        let mut now = began;
        for minutes in [1, 2, 4, 8, 16, 32] {
            memory.unheard(&rule, &chapter, now);
            let due = memory.due(|_| Some(Arc::clone(&rule)), now);
            assert_eq!(due.next, Some(now + Duration::from_mins(minutes)));
            now = due.next.unwrap();
            let mut told = memory.due(|_| Some(Arc::clone(&rule)), now).told;
            let (_, telling) = told.pop().unwrap();
            assert_eq!((telling.event.reason.as_str(), told.len()), ("IncidentResolved", 0));
            chapter = telling.chapter.unwrap();
        }
        memory.unheard(&rule, &chapter, now);
        assert_eq!(memory.due(|_| Some(Arc::clone(&rule)), now).next, None);
    }
}
