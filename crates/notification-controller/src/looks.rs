//! What was just looked at: a flood of requests or events must not be one of questions to the API
//! server.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long what was seen is good enough.
const KEPT: Duration = Duration::from_secs(1);
/// Limit: answers that are kept; one more, and everything is looked at again.
const MOST: usize = 64;

/// What was seen, or why nothing could be.
type Seen<V> = Result<Arc<V>, Arc<str>>;
type Look<V> = Arc<tokio::sync::Mutex<Option<(Instant, Seen<V>)>>>;

/// Things as they were within the last second.
#[derive(Debug)]
pub(crate) struct Looks<K, V>(Mutex<HashMap<K, Look<V>>>);

impl<K, V> Default for Looks<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Clone + Eq + Hash, V> Looks<K, V> {
    /// Looks at a thing, or waits for somebody who is about to look at the same one.
    ///
    /// # Errors
    /// What `look` said, or said to somebody else within the last second.
    pub(crate) async fn look(
        &self,
        key: &K,
        look: impl Future<Output = Result<V, String>>,
    ) -> Seen<V> {
        let known = self.of(key);
        let mut known = known.lock().await;
        if let Some((at, seen)) = &*known
            && at.elapsed() < KEPT
        {
            return seen.clone();
        }
        let began = Instant::now();
        let seen = look.await.map(Arc::new).map_err(Arc::from);
        // What is seen is as old as the question. A failure is news: whoever waited has it.
        let at = if seen.is_ok() { began } else { Instant::now() };
        *known = Some((at, seen.clone()));
        seen
    }

    fn of(&self, key: &K) -> Look<V> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !all.contains_key(key) && all.len() >= MOST {
            all.clear();
        }
        Arc::clone(all.entry(key.clone()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn many_who_look_at_one_thing_ask_once() {
        let asked = AtomicUsize::new(0);
        for answer in [Ok(7), Err("it is gone".to_owned())] {
            let looks = Looks::default();
            let look = || async {
                asked.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                answer.clone()
            };
            let seen = futures::future::join_all((0..100).map(|_| looks.look(&"a", look()))).await;
            let wanted = answer.clone().map(Arc::new).map_err(Arc::from);
            assert!(seen.iter().all(|seen| *seen == wanted));
            assert_eq!(asked.swap(0, Ordering::Relaxed), 1);
            drop(looks.look(&"b", look()).await);
            assert_eq!(asked.swap(0, Ordering::Relaxed), 1);
        }
    }
}
