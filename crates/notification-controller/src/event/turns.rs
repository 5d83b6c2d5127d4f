//! The order of events of one object, where some of them have to wait for the API server.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alert_incident::ObjectKey;
use event_api::Event;
use tokio::sync::oneshot;

/// Who comes last of the events of an object that wait.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    last: HashMap<ObjectKey, (u64, oneshot::Receiver<()>)>,
    count: u64,
}

/// The place of an event among those of its object. Dropped, the next one's turn comes.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Turns,
    object: ObjectKey,
    number: u64,
    before: Option<oneshot::Receiver<()>>,
    _ends: oneshot::Sender<()>,
}

impl Turns {
    /// Whether there is an event of the same object before this one.
    pub(super) fn are_taken(&self, event: &Event) -> bool {
        let waiting = self.lock();
        !waiting.last.is_empty() && waiting.last.contains_key(&ObjectKey::of(event))
    }

    /// A place behind all events of the object up to now.
    pub(super) fn take(&self, event: &Event) -> Turn {
        let (ends, ended) = oneshot::channel();
        let object = ObjectKey::of(event);
        let mut waiting = self.lock();
        let number = waiting.count;
        waiting.count += 1;
        let before = waiting.last.insert(object.clone(), (number, ended)).map(|(_, ended)| ended);
        drop(waiting);
        Turn { turns: self.clone(), object, number, before, _ends: ends }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Comes back when all before it are gone.
    pub(super) async fn comes(&mut self) {
        if let Some(before) = &mut self.before {
            // It never sends anything: it goes.
            drop(before.await);
        }
        self.before = None;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut waiting = self.turns.lock();
        if waiting.last.get(&self.object).is_some_and(|(last, _)| *last == self.number) {
            waiting.last.remove(&self.object);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn turns_come_in_order_and_leave_nothing_behind() {
        let event = |name: &str| {
            serde_json::from_value(json!({"involvedObject": {"kind": "K", "name": name}})).unwrap()
        };
        let turns = Turns::default();
        assert!(!turns.are_taken(&event("a")));
        let (mut first, mut second) = (turns.take(&event("a")), turns.take(&event("a")));
        let mut third = turns.take(&event("a"));
        assert!(turns.are_taken(&event("a")) && !turns.are_taken(&event("b")));
        turns.take(&event("b")).comes().await;
        first.comes().await;
        assert_eq!(second.comes().now_or_never(), None, "the first is not gone");
        drop(first);
        second.comes().await;
        drop(second);
        third.comes().await;
        assert!(turns.are_taken(&event("a")));
        drop(third);
        assert!(!turns.are_taken(&event("a")) && turns.lock().last.is_empty());
    }
}
