//! Watches what objects refer to, such as Secrets and `ConfigMaps`, so that a change counts at once.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt as _, future};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::PartialObjectMeta;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::Event;
use kube::{Api, Resource, ResourceExt as _};

use crate::confined::answered;
use crate::program::Runtime;
use crate::watch::{lasting, watch_error};

/// A kind that objects take input from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InputKind {
    /// `ConfigMap`.
    ConfigMap,
    /// `Secret`.
    Secret,
}

impl InputKind {
    /// Reads the kind of a reference.
    pub fn parse(kind: &str) -> Option<Self> {
        match kind {
            "ConfigMap" => Some(Self::ConfigMap),
            "Secret" => Some(Self::Secret),
            _ => None,
        }
    }

    /// The kind as an object writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }
}

/// Watches the kinds that objects take input from, each from the first object on that does.
#[derive(Debug, Default)]
pub struct InputWatch {
    config_maps: AtomicBool,
    secrets: AtomicBool,
}

impl InputWatch {
    /// Makes sure that these kinds are watched; costs nothing if they are. For `changed`, which
    /// hears the kind, the namespace and the name, see [`watch_references`].
    pub fn cover(
        &self,
        kinds: impl IntoIterator<Item = InputKind>,
        runtime: &Runtime,
        changed: impl Fn(InputKind, &str, &str) + Clone + Send + 'static,
    ) {
        for kind in kinds {
            let begun = match kind {
                InputKind::ConfigMap => &self.config_maps,
                InputKind::Secret => &self.secrets,
            };
            if begun.swap(true, Ordering::Relaxed) {
                continue;
            }
            let changed = changed.clone();
            let changed = move |namespace: &str, name: &str| changed(kind, namespace, name);
            match kind {
                InputKind::ConfigMap => watch_references::<ConfigMap>(runtime, changed),
                InputKind::Secret => watch_references::<Secret>(runtime, changed),
            }
        }
    }
}

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
    let api: Api<PartialObjectMeta<K>> = runtime.api();
    let (metrics, controller) = (runtime.metrics.clone(), runtime.name);
    let mut listed = false;
    let events =
        lasting(api, runtime.flags.watch_config()).default_backoff().for_each(move |event| {
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
