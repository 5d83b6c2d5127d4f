//! Objects as a watch last saw them, for those who serve rather than reconcile.
//!
//! The loops of the same kinds have watches of their own, which live as long as this process leads,
//! want only some of the objects, and queue what they see: a store that both share would have to give
//! up one of these. Two watches of some dozens of objects cost less than that.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use kube::runtime::reflector::Store;
use kube::runtime::watcher::Event;
use reconcile_loop::mirror::{Mirrored, mirror};
use reconcile_loop::program::Runtime;

/// All objects of a kind. A process that does not lead has them too: it serves all the same.
#[derive(Debug)]
pub(crate) struct Watched<K: Mirrored> {
    store: Store<K>,
    changes: Arc<AtomicU64>,
}

impl<K: Mirrored> Watched<K> {
    /// Watches until the process ends. `seen` hears what the watch saw once the objects are known.
    pub(crate) fn start(
        runtime: &Runtime,
        mut seen: impl FnMut(&Event<K>) + Send + 'static,
    ) -> Self {
        let changes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&changes);
        let store = mirror(runtime, move |event| {
            counted.fetch_add(1, Ordering::Release);
            seen(event);
        });
        Self { store, changes }
    }

    /// A number that grows with every change.
    pub(crate) fn version(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// The objects.
    pub(crate) const fn store(&self) -> &Store<K> {
        &self.store
    }

    /// Comes back when all objects have been seen once.
    pub(crate) async fn complete(&self) {
        // Fails only when the watch is gone, with the process.
        drop(self.store.wait_until_ready().await);
    }
}

/// What is made of all objects of a kind, and made anew when one has changed.
#[derive(Debug, Default)]
pub(crate) struct Derived<T>(RwLock<(u64, Arc<T>)>);

impl<T> Derived<T> {
    /// As the objects are now.
    pub(crate) fn of<K: Mirrored>(
        &self,
        watched: &Watched<K>,
        make: impl FnOnce(Vec<Arc<K>>) -> T,
    ) -> Arc<T> {
        // What changes from here on has it made once more.
        let version = watched.version();
        let (of, known) = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        if of == version {
            return known;
        }
        let fresh = Arc::new(make(watched.store().state()));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = (version, Arc::clone(&fresh));
        fresh
    }
}
