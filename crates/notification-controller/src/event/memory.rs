//! What alerts remember that tell incidents rather than events, and what is due of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use alert_incident::{Incidents, ObjectKey};
use event_api::Event;
use kube::ResourceExt as _;
use tokio::sync::Notify;

use crate::alert::rules::Rule;
use crate::context::Context;

/// The open incidents of all alerts that have any.
///
/// Limit: they are in memory only. A new process tells again of a failure that lasts, once.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    of: Mutex<HashMap<AlertName, Remembered>>,
    /// There may be something that is due earlier than what was known to be.
    changed: Notify,
}

type AlertName = (String, String);

#[derive(Debug)]
struct Remembered {
    rule: Arc<Rule>,
    incidents: Incidents,
}

impl Memory {
    /// What an alert tells in the place of an event: itself, the beginning or the end of an incident,
    /// or nothing.
    pub(super) fn take(
        &self,
        rule: &Arc<Rule>,
        event: &Event,
        causes: &[ObjectKey],
        now: Instant,
    ) -> Option<Event> {
        let mut of = self.lock();
        let remembered = of.entry(name(rule)).or_insert_with(|| Remembered::of(rule));
        if !Arc::ptr_eq(&remembered.rule, rule) {
            remembered.adopt(rule);
        }
        let told = remembered.incidents.take(event, causes, now);
        drop(of);
        self.changed.notify_one();
        told
    }

    /// What is due, with the alerts that tell it, and when something is due next. Alerts that are no
    /// more, or no longer remember, are forgotten.
    fn due(&self, current: impl Fn(&AlertName) -> Option<Arc<Rule>>, now: Instant) -> Due {
        let mut due = Due { events: Vec::new(), next: None };
        self.lock().retain(|name, remembered| {
            let Some(rule) = current(name).filter(|rule| rule.options.has_memory()) else {
                return false;
            };
            remembered.adopt(&rule);
            let events = remembered.incidents.due(now);
            due.events.extend(events.into_iter().map(|event| (Arc::clone(&rule), event)));
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
        Self { incidents: rule.options.incidents(), rule: Arc::clone(rule) }
    }

    /// Goes on under a rule that was compiled anew.
    fn adopt(&mut self, rule: &Arc<Rule>) {
        if self.rule.options.remembers_like(&rule.options) {
            self.rule = Arc::clone(rule);
        } else {
            *self = Self::of(rule);
        }
    }
}

#[derive(Debug)]
struct Due {
    events: Vec<(Arc<Rule>, Event)>,
    next: Option<Instant>,
}

fn name(rule: &Rule) -> AlertName {
    (rule.alert.namespace().unwrap_or_default(), rule.alert.name_any())
}

/// Tells what has lasted long enough, until the process ends.
pub(crate) async fn tell_what_is_due(ctx: Arc<Context>) {
    loop {
        let rules = ctx.alerts.current();
        let due = ctx.memory.due(|name| rules.of_alert(&name.0, &name.1), Instant::now());
        for (rule, event) in due.events {
            let bytes = event.to_json().len();
            super::notify(&ctx, &Arc::new(event), &rule, bytes);
        }
        let something_is_due = async {
            match due.next {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = something_is_due => {}
            () = ctx.memory.changed.notified() => {}
            () = ctx.runtime.shutdown() => return,
        }
    }
}
