//! Indexes of Helm repositories in memory, so that many charts of one repository read it once.

use std::{
    collections::HashMap,
    convert::Infallible,
    io::Read,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use helm_chart::index::{Index, IndexError, Keep};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
};
use reconcile_loop::metrics::Metrics;

/// Most bytes of all indexes together, whatever number of them is allowed; and of one that is read.
const MAX_BYTES: usize = 32 << 20;

/// Indexes by the path of their artifact. Holds none unless it is asked to.
#[derive(Debug)]
pub(crate) struct Indexes {
    settings: Settings,
    cached: Mutex<HashMap<String, Cached>>,
    events: Family<EventLabels, Counter>,
}

/// What was asked for, and whether it was held.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EventLabels {
    event_type: &'static str,
    name: String,
    namespace: String,
}

const HIT: &str = "cache_hit";
const MISS: &str = "cache_miss";

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
    /// An empty one, which tells `metrics` how often it was of use.
    pub(crate) fn new(settings: Settings, metrics: &Metrics) -> Self {
        let events = Family::default();
        metrics.with_registry(|registry| {
            let help = "Total number of cache retrieval events for a Gitops Toolkit resource";
            registry.register("gotk_cache_events", help, Family::clone(&events));
        });
        Self { settings, cached: Mutex::default(), events }
    }

    /// The index of a HelmRepository (its namespace and name); read, and held from then on, if it was
    /// not held. None if nothing is held at all, or the index is too large for it.
    ///
    /// # Errors
    /// If what `open` opens is no index.
    pub(crate) fn get_or_read<R: Read>(
        &self,
        path: &str,
        repository: &(String, String),
        open: impl FnOnce() -> Result<R, IndexError>,
    ) -> Result<Option<Arc<Index>>, IndexError> {
        if !self.is_on() {
            return Ok(None);
        }
        if let Some(index) = self.get(path) {
            self.events.get_or_create(&event(HIT, repository)).inc();
            return Ok(Some(index));
        }
        self.events.get_or_create(&event(MISS, repository)).inc();
        match Index::read_json(open()?, Keep::Within(MAX_BYTES)) {
            Ok(index) => {
                let index = Arc::new(index);
                self.insert(path, Arc::clone(&index));
                Ok(Some(index))
            }
            Err(IndexError::TooHeavy { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Forgets what was counted of a HelmRepository that is gone.
    pub(crate) fn forget(&self, repository: &(String, String)) {
        for kind in [HIT, MISS] {
            self.events.remove(&event(kind, repository));
        }
    }

    /// Whether anything is ever held.
    fn is_on(&self) -> bool {
        self.settings.max_count > 0
    }

    /// The index, if it is held.
    fn get(&self, path: &str) -> Option<Arc<Index>> {
        let cached = self.cached.lock().unwrap_or_else(PoisonError::into_inner);
        let found = cached.get(path).filter(|it| it.expires > Instant::now())?;
        Some(Arc::clone(&found.index))
    }

    /// Holds an index, if there is room once the old ones are gone.
    ///
    /// Flux: a full cache takes nothing in until something in it is over.
    fn insert(&self, path: &str, index: Arc<Index>) {
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

fn event(kind: &'static str, (namespace, name): &(String, String)) -> EventLabels {
    EventLabels { event_type: kind, name: name.clone(), namespace: namespace.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indexes(max_count: usize, ttl: Duration) -> Indexes {
        let settings = Settings { max_count, ttl, purge_interval: Duration::ZERO };
        Indexes::new(settings, &Metrics::default())
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

    #[test]
    fn it_is_counted_how_often_that_helped() {
        let metrics = Metrics::default();
        let settings =
            Settings { max_count: 1, ttl: Duration::from_hours(1), purge_interval: Duration::ZERO };
        let held = Indexes::new(settings, &metrics);
        let repository = ("ns".to_owned(), "charts".to_owned());
        let read = || {
            let text = r#"{"apiVersion":"v1","entries":{}}"#;
            held.get_or_read("a", &repository, || Ok(text.as_bytes())).unwrap()
        };
        assert!(read().is_some() && read().is_some() && read().is_some());
        for line in [
            "gotk_cache_events_total{event_type=\"cache_hit\",name=\"charts\",namespace=\"ns\"} 2",
            "gotk_cache_events_total{event_type=\"cache_miss\",name=\"charts\",namespace=\"ns\"} 1",
        ] {
            assert!(metrics.text().contains(line), "{}", metrics.text());
        }
        held.forget(&repository);
        assert!(!metrics.text().contains("charts"));
    }

    #[test]
    fn an_index_that_is_too_large_is_not_held_at_any_moment() {
        let text = format!(
            r#"{{"apiVersion":"v1","entries":{{"a":[{{"name":"a","version":"1.0.0","urls":["{}"]}}]}}}}"#,
            "x".repeat(MAX_BYTES)
        );
        let held = indexes(1, Duration::from_hours(1));
        let repository = (String::new(), String::new());
        let read = held.get_or_read("a", &repository, || Ok(text.as_bytes())).unwrap();
        assert!(read.is_none() && held.get("a").is_none());
    }
}
