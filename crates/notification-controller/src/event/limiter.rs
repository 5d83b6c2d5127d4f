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

/// Limit: events that are remembered; one more, and the older half is forgotten. A forgotten one is
/// told again, which is better than one that is not told.
const REMEMBERED: usize = 1 << 20;

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
    seen: Mutex<Seen>,
}

/// Two generations: what is asked for moves into the new one, and the old one is forgotten whole.
#[derive(Debug)]
struct Seen {
    new: HashMap<EventKey, Windows>,
    old: HashMap<EventKey, Windows>,
    turned: Instant,
}

#[derive(Clone, Copy, Debug)]
struct Windows {
    first: Instant,
    /// The window in which it was taken last.
    taken: u128,
}

impl Limiter {
    pub(crate) fn new(interval: Duration, now: Instant) -> Self {
        // Flux: none is a second.
        let interval = if interval.is_zero() { Duration::from_secs(1) } else { interval };
        let seen = Seen { new: HashMap::new(), old: HashMap::new(), turned: now };
        Self { interval, seen: Mutex::new(seen) }
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
        let first = known.map_or(now, |windows| windows.first);
        let length = self.interval.as_nanos();
        let age = now.duration_since(first).as_nanos();
        let window = age / length;
        let is_new = known.is_none_or(|windows| windows.taken < window);
        let taken = if is_new { window } else { known.map_or(window, |windows| windows.taken) };
        seen.new.insert(key, Windows { first, taken });
        let left = u64::try_from((window + 1) * length - age).unwrap_or(u64::MAX);
        Taken { is_new, resets_in: Duration::from_nanos(left) }
    }
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
