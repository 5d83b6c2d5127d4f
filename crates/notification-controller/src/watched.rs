//! Objects as a watch last saw them, for those who serve rather than reconcile.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::{StreamExt as _, future};
use k8s_openapi::NamespaceResourceScope;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::reflector::{self, Store};
use kube::runtime::watcher::Config;
use kube::{Api, Resource, ResourceExt as _};
use reconcile_loop::controller::watch_error;
use reconcile_loop::program::Runtime;
use reconcile_loop::watch::watch;
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
        let (store, writer) = reflector::store();
        let client = runtime.client.clone();
        let api = match runtime.flags.watched_namespace() {
            Some(namespace) => Api::namespaced(client, namespace),
            None => Api::all(client),
        };
        let changes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&changes);
        let events = watch::<K>(api, Config::default())
            .default_backoff()
            .modify(|object| object.managed_fields_mut().clear())
            .reflect(writer)
            .for_each(move |event| {
                match event {
                    // The store has it by now.
                    Ok(_) => drop(counted.fetch_add(1, Ordering::Release)),
                    Err(error) => {
                        let (kind, error) = (K::kind(&()), watch_error(&error));
                        tracing::error!(error, %kind, "the watch broke off");
                    }
                }
                future::ready(())
            });
        tokio::spawn(events);
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
