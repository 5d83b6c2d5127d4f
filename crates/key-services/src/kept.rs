//! Tokens that are kept as long as they are good for most of their life.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use tokio::sync::Mutex as Turn;

use crate::identity::Secret;

/// How many tokens are kept, and how long.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many; none are kept if it is zero.
    pub tokens: usize,
    /// How long at most, however long they are good for.
    pub longest: Duration,
}

/// A token that says by itself who may do something.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "what cannot be printed cannot leak")]
pub struct Bearer {
    /// The token.
    pub token: Secret,
    /// The name of the App that it is of, if that was asked for.
    pub slug: String,
    /// Whether it was there already.
    pub was_kept: bool,
}

/// What is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tokens that are kept.
    pub kept: usize,
    /// Tokens that others took the place of.
    pub evicted: u64,
}

/// What a token was asked for with, without what is secret of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; SHA256_OUTPUT_LEN]);

/// Tokens by what they were asked for with. Those that were used least recently go first.
pub(crate) struct Kept {
    limits: Limits,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    /// Counts uses.
    clock: u64,
    evicted: u64,
    by_key: HashMap<Key, Slot>,
}

struct Slot {
    used: u64,
    /// Who asks for the token holds it, so that the others wait for one answer.
    token: Arc<Turn<Option<Good>>>,
}

/// A token, and until when it is used: by both clocks, as the machine may sleep and the time be set.
struct Good {
    bearer: Bearer,
    until: Instant,
    until_day: SystemTime,
}

impl Key {
    /// Of texts, the borders between which count.
    pub(crate) fn of(parts: &[&str]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in parts {
            context.update(&(part.len() as u64).to_le_bytes());
            context.update(part.as_bytes());
        }
        let mut key = [0; SHA256_OUTPUT_LEN];
        key.copy_from_slice(context.finish().as_ref());
        Self(key)
    }
}

impl Kept {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, slots: Mutex::default() }
    }

    /// The token for `key`, or the one that `ask` gets and how long it is good for. A failure is not
    /// kept. Cancelled at its `.await`, nothing is.
    pub(crate) async fn get_or<E>(
        &self,
        key: Key,
        ask: impl Future<Output = Result<(Bearer, Option<Duration>), E>>,
    ) -> Result<Bearer, E> {
        if self.limits.tokens == 0 {
            return ask.await.map(|(bearer, _)| bearer);
        }
        let slot = self.slot(key);
        let mut kept = slot.lock().await;
        let (now, today) = (Instant::now(), SystemTime::now());
        let good = kept.as_ref().filter(|good| now < good.until && today < good.until_day);
        if let Some(good) = good {
            return Ok(Bearer { was_kept: true, ..good.bearer.clone() });
        }
        *kept = None;
        let (bearer, life) = ask.await.inspect_err(|_| {
            // Who waits for the same asks in turn; whoever comes then begins anew.
            self.slots().by_key.remove(&key);
        })?;
        // Four fifths, as the kubelet has it.
        let life = life.map(|life| (life / 5 * 4).min(self.limits.longest));
        *kept = life.and_then(|life| {
            let (until, until_day) = (now.checked_add(life)?, today.checked_add(life)?);
            Some(Good { bearer: bearer.clone(), until, until_day })
        });
        Ok(bearer)
    }

    pub(crate) fn counts(&self) -> Counts {
        let slots = self.slots();
        Counts { kept: slots.by_key.len(), evicted: slots.evicted }
    }

    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, key: Key) -> Arc<Turn<Option<Good>>> {
        let mut slots = self.slots();
        slots.clock += 1;
        let used = slots.clock;
        if slots.by_key.len() >= self.limits.tokens && !slots.by_key.contains_key(&key) {
            let oldest = slots.by_key.iter().min_by_key(|(_, slot)| slot.used);
            if let Some(oldest) = oldest.map(|(key, _)| *key) {
                slots.by_key.remove(&oldest);
                slots.evicted += 1;
            }
        }
        let slot = slots.by_key.entry(key);
        let slot = slot.or_insert_with(|| Slot { used, token: Arc::default() });
        slot.used = used;
        Arc::clone(&slot.token)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    /// Asks for the token of `key`, which is good for `life`; says how often it was asked for.
    async fn ask(kept: &Kept, key: &str, life: Option<Duration>, asked: &AtomicUsize) -> usize {
        let answer = async {
            asked.fetch_add(1, Ordering::SeqCst);
            tokio::task::yield_now().await;
            let token = Secret::new("t".to_owned());
            Ok::<_, Infallible>((Bearer { token, slug: String::new(), was_kept: false }, life))
        };
        kept.get_or(Key::of(&[key]), answer).await.unwrap();
        asked.load(Ordering::SeqCst)
    }

    #[tokio::test]
    async fn a_token_is_asked_for_once_until_it_is_old_or_forgotten() {
        let kept = Kept::new(Limits { tokens: 2, longest: HOUR });
        let asked = AtomicUsize::new(0);
        let (one, two) =
            tokio::join!(ask(&kept, "a", Some(HOUR), &asked), ask(&kept, "a", Some(HOUR), &asked));
        assert_eq!((one, two), (1, 1));
        assert_eq!(ask(&kept, "b", Some(HOUR), &asked).await, 2);
        assert_eq!(ask(&kept, "a", Some(HOUR), &asked).await, 2);
        // The third takes the place of the one that was used least recently.
        assert_eq!(ask(&kept, "c", Some(HOUR), &asked).await, 3);
        assert_eq!(ask(&kept, "a", Some(HOUR), &asked).await, 3);
        assert_eq!(ask(&kept, "b", Some(HOUR), &asked).await, 4);
        assert_eq!(kept.counts(), Counts { kept: 2, evicted: 2 });
        for life in [None, Some(Duration::ZERO), Some(Duration::MAX)] {
            let before = ask(&kept, "d", life, &asked).await;
            let again = ask(&kept, "d", life, &asked).await;
            assert_eq!(again - before, usize::from(life != Some(Duration::MAX)), "{life:?}");
        }
        let none = Kept::new(Limits { tokens: 0, longest: HOUR });
        let before = ask(&none, "a", Some(HOUR), &asked).await;
        assert_eq!(ask(&none, "a", Some(HOUR), &asked).await, before + 1);
    }

    #[tokio::test]
    async fn a_failure_is_asked_again() {
        let kept = Kept::new(Limits { tokens: 1, longest: HOUR });
        let failed = kept.get_or(Key::of(&["a"]), async { Err(()) }).await;
        assert!(failed.is_err());
        assert_eq!(kept.counts(), Counts::default());
        assert_eq!(ask(&kept, "a", Some(HOUR), &AtomicUsize::new(0)).await, 1);
    }

    #[test]
    fn keys_differ_by_the_borders_of_their_parts() {
        assert!(Key::of(&["ab", "c"]) != Key::of(&["a", "bc"]));
    }
}
