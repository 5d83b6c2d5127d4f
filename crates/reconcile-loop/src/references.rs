//! Watches what objects refer to, such as Secrets and `ConfigMaps`, so that a change counts at once.

use futures::{StreamExt as _, future};
use k8s_openapi::NamespaceResourceScope;
use kube::api::PartialObjectMeta;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, Event};
use kube::{Api, Resource, ResourceExt as _};

use crate::confined::answered;
use crate::program::Runtime;
use crate::watch::{lasting, watch_error};

/// Watches the metadata of a kind in the namespaces that this controller watches, until the process
/// ends, and calls `changed` with the namespace and name of every object that was changed or deleted.
///
/// Nothing is kept: `changed` wakes who refers to the object, and they compare what they use of it.
/// After a gap in the watch everything counts as changed, because nobody knows what was missed.
///
/// A panic in `changed` loses one change.
///
/// Limit: an object that was deleted within a gap is noticed at the interval.
pub fn watch_references<K>(runtime: &Runtime, mut changed: impl FnMut(&str, &str) + Send + 'static)
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + std::fmt::Debug
        + Send
        + Sync
        + 'static,
{
    let client = runtime.client.clone();
    let api: Api<PartialObjectMeta<K>> = match runtime.flags.watched_namespace() {
        Some(namespace) => Api::namespaced(client, namespace),
        None => Api::all(client),
    };
    let (metrics, controller) = (runtime.metrics.clone(), runtime.name);
    let mut listed = false;
    let events =
        lasting(api, watcher::Config::default()).default_backoff().for_each(move |event| {
            let mut tell = |object: &PartialObjectMeta<K>| {
                let (namespace, name) = (object.namespace().unwrap_or_default(), object.name_any());
                answered(&metrics, controller, || changed(&namespace, &name));
            };
            match event {
                Ok(Event::Apply(object) | Event::Delete(object)) => tell(&object),
                Ok(Event::InitApply(object)) if listed => tell(&object),
                Ok(Event::Init | Event::InitApply(_)) => {}
                Ok(Event::InitDone) => listed = true,
                Err(error) => {
                    let (kind, error) = (K::kind(&()), watch_error(&error));
                    tracing::error!(error, %kind, "the watch broke off");
                }
            }
            future::ready(())
        });
    tokio::spawn(events);
}
