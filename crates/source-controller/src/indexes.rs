//! Indexes of Helm repositories in memory, so that many charts of one repository read it once.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use helm_chart::index::Index;

/// Most bytes of all indexes together, whatever number of them is allowed.
const MAX_BYTES: usize = 32 << 20;

/// Indexes by the path of their artifact. Holds none unless it is asked to.
#[derive(Debug)]
pub(crate) struct Indexes {
    settings: Settings,
    cached: Mutex<HashMap<String, Cached>>,
}

/// How many are held for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) max_count: usize,
    pub(crate) ttl: Duration,
    pub(crate) purge_interval: Duration,
}

#[derive(Clone, Debug)]
struct Cached {
    index: Arc<Index>,
    expires: Instant,
}

impl Indexes {
    /// An empty one.
    pub(crate) fn new(settings: Settings) -> Self {
        Self { settings, cached: Mutex::default() }
    }

    /// Whether anything is ever held.
    pub(crate) fn is_on(&self) -> bool {
        self.settings.max_count > 0
    }

    /// The index, if it is held.
    pub(crate) fn get(&self, path: &str) -> Option<Arc<Index>> {
        let cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let found = cached.get(path).filter(|it| it.expires > Instant::now())?;
        Some(Arc::clone(&found.index))
    }

    /// Holds an index, if there is room once the old ones are gone.
    ///
    /// Flux: a full cache takes nothing in until something in it is over.
    pub(crate) fn insert(&self, path: &str, index: Arc<Index>) {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        cached.retain(|_, it| it.expires > now);
        let bytes: usize = cached.values().map(|it| it.index.weight_bytes()).sum();
        if cached.len() < self.settings.max_count && bytes + index.weight_bytes() <= MAX_BYTES {
            let expires = now + self.settings.ttl;
            cached.insert(path.to_owned(), Cached { index, expires });
        }
    }

    /// Holds on to an index that was found to be current.
    pub(crate) fn extend(&self, path: &str) {
        let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = cached.get_mut(path) {
            found.expires = Instant::now() + self.settings.ttl;
        }
    }

    /// Lets go of what is over, from time to time, until the process ends.
    pub(crate) async fn purge(&self) -> Infallible {
        if !self.is_on() || self.settings.purge_interval.is_zero() {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(self.settings.purge_interval).await;
            let now = Instant::now();
            let mut cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
            cached.retain(|_, it| it.expires > now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indexes(max_count: usize, ttl: Duration) -> Indexes {
        Indexes::new(Settings { max_count, ttl, purge_interval: Duration::ZERO })
    }

    #[test]
    fn no_more_is_held_than_allowed() {
        let held = indexes(1, Duration::from_hours(1));
        held.insert("a", Arc::default());
        held.insert("b", Arc::default());
        assert!(held.get("a").is_some() && held.get("b").is_none());
        let off = indexes(0, Duration::from_hours(1));
        off.insert("a", Arc::default());
        assert!(off.get("a").is_none() && !off.is_on());
    }

    #[test]
    fn nothing_is_held_for_longer_than_its_time() {
        let held = indexes(1, Duration::ZERO);
        held.insert("a", Arc::default());
        assert!(held.get("a").is_none());
        held.insert("b", Arc::default());
        assert!(held.cached.lock().unwrap().contains_key("b"));
    }
}
