//! Objects as a watch last saw them, for those who serve rather than reconcile.
//!
//! The loops of the same kinds have watches of their own, which live as long as this process leads,
//! want only some of the objects, and queue what they see: a store that both share would have to give
//! up one of these. Two watches of some dozens of objects cost less than that.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use k8s_openapi::NamespaceResourceScope;
use kube::Resource;
use kube::runtime::reflector::Store;
use reconcile_loop::mirror::mirror;
use reconcile_loop::program::Runtime;
use serde::de::DeserializeOwned;

/// All objects of a kind. A process that does not lead has them too: it serves all the same.
#[derive(Debug)]
pub(crate) struct Watched<K>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    store: Store<K>,
    changes: Arc<AtomicU64>,
}

impl<K> Watched<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static,
    K::DynamicType: Eq + Hash,
{
    /// Watches until the process ends.
    pub(crate) fn start(runtime: &Runtime) -> Self {
        let changes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&changes);
        let store = mirror(runtime, move |_| {
            counted.fetch_add(1, Ordering::Release);
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
    pub(crate) fn of<K>(&self, watched: &Watched<K>, make: impl FnOnce(Vec<Arc<K>>) -> T) -> Arc<T>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned
            + Send
            + Sync
            + 'static,
    {
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
