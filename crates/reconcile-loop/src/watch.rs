//! Watches that one malformed object does not stop.

use futures::{Stream, StreamExt as _, future};
use kube::Api;
use kube::core::DeserializeGuard;
use kube::runtime::watcher::{self, Event, watcher};

use crate::status::FluxKind;

/// Watches the objects of a kind. An object that cannot be read as its kind is logged and left out:
/// an API server without our schema may hold such ones, and a list is read whole or not at all.
/// What was known of it before stays known.
pub fn watch<K: FluxKind>(
    api: Api<DeserializeGuard<K>>,
    config: watcher::Config,
) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send {
    watcher(api, config).filter_map(|event| {
        future::ready(match event {
            Ok(Event::Apply(DeserializeGuard(Ok(object)))) => Some(Ok(Event::Apply(object))),
            Ok(Event::InitApply(DeserializeGuard(Ok(object)))) => {
                Some(Ok(Event::InitApply(object)))
            }
            Ok(Event::Delete(DeserializeGuard(Ok(object)))) => Some(Ok(Event::Delete(object))),
            Ok(Event::Init) => Some(Ok(Event::Init)),
            Ok(Event::InitDone) => Some(Ok(Event::InitDone)),
            Ok(
                Event::Apply(DeserializeGuard(Err(invalid)))
                | Event::InitApply(DeserializeGuard(Err(invalid)))
                | Event::Delete(DeserializeGuard(Err(invalid))),
            ) => {
                tracing::error!(
                    error = invalid.error,
                    kind = %K::kind(&()),
                    namespace = invalid.metadata.namespace.as_deref().unwrap_or_default(),
                    name = invalid.metadata.name.as_deref().unwrap_or_default(),
                    "an object is malformed and left alone",
                );
                None
            }
            Err(error) => Some(Err(error)),
        })
    })
}
