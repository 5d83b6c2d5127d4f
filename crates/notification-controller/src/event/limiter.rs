//! Which events were told already.
//!
//! A process that has taken an event in answers the same one with 429 for an interval, whose windows
//! begin with the first.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use event_api::{Event, key};
use sha2::{Digest as _, Sha256};

use super::metadata::own;

/// Limit: events that are remembered, about 35 MiB of them; one more, and the older half is forgotten.
/// A forgotten one is told again, which is better than one that is not told. Each half is what a hash
/// map of a power of two takes before it grows.
const REMEMBERED: usize = 2 * ((1 << 19) / 8 * 7);

/// What an event is known by. Half of a digest is as good as all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct EventKey([u8; 16]);

impl EventKey {
    /// Flux: neither severity nor reason tells two events apart.
    pub(crate) fn of(event: &Event) -> Self {
        let about = &event.involved_object;
        let mut digest = Sha256::new();
        for (name, value) in [
            ("event/name=", about.name.as_str()),
            ("/namespace=", &about.namespace),
            ("/kind=", &about.kind),
            ("/message=", &event.message),
        ] {
            digest.update(name);
            digest.update(value);
        }
        for name in [key::ORIGIN_REVISION, key::REVISION, key::TOKEN] {
            if let Some(value) = own(event, name) {
                digest.update(format!("/{name}="));
                digest.update(value);
            }
        }
        let digest = digest.finalize();
        let mut half = [0; 16];
        half.copy_from_slice(&digest[..16]);
        Self(half)
    }
}

/// What to do with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Whether it is new.
    pub(crate) is_new: bool,
    /// How long until it is new again.
    pub(crate) resets_in: Duration,
}

/// Remembers events for an interval.
#[derive(Debug)]
pub(crate) struct Limiter {
    interval: Duration,
    began: Instant,
    seen: Mutex<Seen>,
}

/// Two generations: what is asked for moves into the new one, and the old one is forgotten whole.
#[derive(Debug)]
struct Seen {
    new: HashMap<EventKey, Windows>,
    old: HashMap<EventKey, Windows>,
    turned: Instant,
}

/// Small, as there are very many.
#[derive(Clone, Copy, Debug)]
struct Windows {
    /// Nanoseconds from the beginning of the limiter to the first event.
    first: u64,
    /// The window in which it was taken last.
    taken: u32,
}

impl Limiter {
    pub(crate) fn new(interval: Duration, now: Instant) -> Self {
        // Flux: none is a second.
        let interval = if interval.is_zero() { Duration::from_secs(1) } else { interval };
        let seen = Seen { new: HashMap::new(), old: HashMap::new(), turned: now };
        Self { interval, began: now, seen: Mutex::new(seen) }
    }

    /// Takes an event, if it is new.
    pub(crate) fn take(&self, key: EventKey, now: Instant) -> Taken {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = now.duration_since(seen.turned) >= 2 * self.interval;
        if is_old || seen.new.len() >= REMEMBERED / 2 {
            seen.old = std::mem::take(&mut seen.new);
            seen.turned = now;
        }
        let known = seen.new.get(&key).or_else(|| seen.old.get(&key)).copied();
        let (now, length) = (nanos(now.duration_since(self.began)), nanos(self.interval));
        let first = known.map_or(now, |windows| windows.first);
        let age = now.saturating_sub(first);
        let window = u32::try_from(age / length).unwrap_or(u32::MAX);
        let is_new = known.is_none_or(|windows| windows.taken < window);
        let taken = known.map_or(window, |windows| windows.taken.max(window));
        seen.new.insert(key, Windows { first, taken });
        Taken { is_new, resets_in: Duration::from_nanos(length - age % length) }
    }
}

/// Centuries fit.
fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_event_is_new_once_in_each_window() {
        let start = Instant::now();
        let limiter = Limiter::new(Duration::from_mins(5), start);
        let at = |seconds| {
            let taken = limiter.take(EventKey([1; 16]), start + Duration::from_secs(seconds));
            (taken.is_new, taken.resets_in.as_secs())
        };
        assert_eq!(at(0), (true, 300));
        assert_eq!(at(10), (false, 290));
        assert_eq!(at(540), (true, 60));
        // The windows are those of the first.
        assert_eq!(at(599), (false, 1));
        assert_eq!(at(601), (true, 299));
        // Forgotten, and so the first again.
        assert_eq!(at(3000), (true, 300));
    }

    #[test]
    fn the_old_are_forgotten_when_there_are_too_many() {
        let start = Instant::now();
        let limiter = Limiter::new(Duration::from_mins(5), start);
        for n in 0..REMEMBERED + REMEMBERED / 2 {
            let mut key = [0; 16];
            key[..8].copy_from_slice(&n.to_le_bytes());
            assert!(limiter.take(EventKey(key), start).is_new);
        }
        let seen = limiter.seen.lock().unwrap();
        assert!(seen.new.len() + seen.old.len() <= REMEMBERED);
        assert_eq!(size_of::<(EventKey, Windows)>(), 32);
        assert!(seen.old.capacity() <= REMEMBERED / 2);
    }

    #[test]
    fn revisions_and_tokens_tell_events_apart_and_severities_do_not() {
        let key = |more: serde_json::Value| {
            let mut event = json!({
                "involvedObject": {"kind": "K", "name": "n", "namespace": "s", "apiVersion": "g/v1"},
                "message": "m",
            });
            event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            EventKey::of(&serde_json::from_value(event).unwrap())
        };
        let plain = key(json!({}));
        assert_eq!(plain, key(json!({"severity": "error", "reason": "R"})));
        for differs in [
            json!({"message": "other"}),
            json!({"metadata": {"g/revision": "r"}}),
            json!({"metadata": {"g/token": "r"}}),
            json!({"metadata": {"g/originRevision": "r"}}),
        ] {
            assert_ne!(plain, key(differs));
        }
    }
}
