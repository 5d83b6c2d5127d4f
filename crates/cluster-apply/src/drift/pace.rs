//! How often one object may call its owner.
//!
//! Where two controllers fight for a field, each correction is a move to the other. The first move
//! is told at once, the next ones at growing distances, so that a fight costs little.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use manifest::ObjectId;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::records::Moved;

/// The first and the longest distance between two calls for one object.
const DISTANCE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_mins(1));
/// How long an object must be left in peace to count as new.
const PEACE: Duration = Duration::from_mins(5);

/// Passes on what is moved, at its pace, until nobody sends or listens any more.
pub(super) async fn paced(
    mut moved: mpsc::UnboundedReceiver<Moved>,
    told: mpsc::UnboundedSender<Moved>,
) {
    let mut pace = Pace::default();
    loop {
        let due = pace.next_due();
        tokio::select! {
            next = moved.recv() => match next {
                Some(moved) => pace.take_in(moved, Instant::now()),
                None => return,
            },
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
        }
        for moved in pace.due(Instant::now()) {
            if told.send(moved).is_err() {
                return;
            }
        }
    }
}

/// What has been told when, and what is to be told.
#[derive(Debug, Default)]
struct Pace {
    restless: HashMap<ObjectId, Restless>,
    /// By when it is due, then in the order in which it came.
    waiting: BTreeMap<(Instant, u64), Moved>,
    came: u64,
}

#[derive(Debug)]
struct Restless {
    /// When it was told last, or will be told next.
    told: Instant,
    distance: Duration,
    times: u32,
    is_waiting: bool,
}

impl Pace {
    fn take_in(&mut self, mut moved: Moved, now: Instant) {
        if self.restless.len() > 1000 {
            self.restless.retain(|_, known| known.told + PEACE > now);
        }
        let known = self.restless.entry(moved.object.clone()).or_insert(Restless {
            told: now,
            distance: Duration::ZERO,
            times: 0,
            is_waiting: false,
        });
        if known.is_waiting {
            return; // its owner will look at it anyway
        }
        if known.told + PEACE < now {
            (known.distance, known.times) = (Duration::ZERO, 0);
        }
        known.told = (known.told + known.distance).max(now);
        known.distance = (known.distance * 2).clamp(DISTANCE.0, DISTANCE.1);
        known.times = known.times.saturating_add(1);
        known.is_waiting = true;
        moved.times = known.times;
        self.came += 1;
        self.waiting.insert((known.told, self.came), moved);
    }

    fn next_due(&self) -> Option<Instant> {
        self.waiting.keys().next().map(|(due, _)| *due)
    }

    /// Takes what is to be told by now.
    fn due(&mut self, now: Instant) -> Vec<Moved> {
        let later = self.waiting.split_off(&(now, u64::MAX));
        let due: Vec<Moved> = std::mem::replace(&mut self.waiting, later).into_values().collect();
        for moved in &due {
            if let Some(known) = self.restless.get_mut(&moved.object) {
                known.is_waiting = false;
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::Owner;

    fn moved(name: &str) -> Moved {
        Moved {
            owner: Owner { namespace: "shop".to_owned(), name: "app".to_owned() },
            object: ObjectId {
                group: String::new(),
                kind: "ConfigMap".to_owned(),
                namespace: "shop".to_owned(),
                name: name.to_owned(),
            },
            deleted: false,
            times: 1,
        }
    }

    #[test]
    fn a_fight_is_told_at_growing_distances() {
        let begin = Instant::now();
        let mut pace = Pace::default();
        let mut told = Vec::new();
        // A second writer flips the field ten times a second, for two minutes.
        for tick in 0..1200 {
            let now = begin + Duration::from_millis(100 * tick);
            pace.take_in(moved("a"), now);
            told.extend(pace.due(now).into_iter().map(|moved| (tick, moved.times)));
        }
        assert_eq!(told, [(0, 1), (5, 2), (15, 3), (35, 4), (75, 5), (155, 6), (315, 7), (635, 8)]);
    }

    #[test]
    fn other_objects_are_not_held_up_and_peace_is_forgiven() {
        let begin = Instant::now();
        let mut pace = Pace::default();
        for name in ["a", "a", "b"] {
            pace.take_in(moved(name), begin);
        }
        assert_eq!(pace.due(begin).len(), 2);
        pace.take_in(moved("a"), begin);
        assert!(pace.due(begin).is_empty());
        assert_eq!(pace.next_due(), Some(begin + DISTANCE.0));
        assert_eq!(pace.due(begin + DISTANCE.0).len(), 1);
        let later = begin + Duration::from_secs(400);
        pace.take_in(moved("a"), later);
        assert_eq!(pace.due(later)[0].times, 1);
    }
}
