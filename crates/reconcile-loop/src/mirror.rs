//! Copies of all objects of a kind, for those who look at them without reconciling them.

use std::fmt::Debug;

use futures::{StreamExt as _, future};
use k8s_openapi::NamespaceResourceScope;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::reflector::{self, Store};
use kube::runtime::watcher::Event;
use kube::{Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use crate::confined::answered;
use crate::program::Runtime;
use crate::watch::{watch, watch_error};

/// What a copy can be kept of: objects of a namespace, of a kind known when this was compiled.
pub trait Mirrored:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
}

impl<K> Mirrored for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static
{
}

/// Keeps a copy of all objects of a kind in the namespaces that this controller watches, until the
/// process ends. `seen` hears what the watch saw once the copy has it; if it panics, it has not heard
/// that one.
pub fn mirror<K: Mirrored>(
    runtime: &Runtime,
    mut seen: impl FnMut(&Event<K>) + Send + 'static,
) -> Store<K> {
    let (store, writer) = reflector::store();
    let (metrics, controller) = (runtime.metrics.clone(), runtime.name);
    let events = watch::<K>(runtime.api(), runtime.flags.watch_config())
        .default_backoff()
        .modify(|object| object.managed_fields_mut().clear())
        .reflect(writer)
        .for_each(move |event| {
            match event {
                Ok(event) => answered(&metrics, controller, || seen(&event)),
                Err(error) => {
                    let (kind, error) = (K::kind(&()), watch_error(&error));
                    tracing::error!(error, %kind, "the watch broke off");
                }
            }
            future::ready(())
        });
    tokio::spawn(events);
    store
}
