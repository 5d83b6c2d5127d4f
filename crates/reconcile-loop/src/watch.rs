//! Watches that one malformed object does not stop, and no forgotten version.

use std::fmt::Debug;

use futures::{Stream, StreamExt as _, future, stream};
use kube::core::DeserializeGuard;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Resource};
use serde::de::DeserializeOwned;

/// Watches the objects of a kind. An object that cannot be read as its kind is logged and left out:
/// an API server without our schema may hold such ones, and a list is read whole or not at all.
/// What was known of it before stays known.
pub fn watch<K>(
    api: Api<DeserializeGuard<K>>,
    config: watcher::Config,
) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send
where
    K: Resource<DynamicType = ()> + Clone + DeserializeOwned + Debug + Send + 'static,
{
    lasting(api, config).filter_map(|event| {
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

/// Watches objects, and lists them anew where the server has forgotten from where to go on.
///
/// kube does so when the server says it by an event (410 within the watch). Where the status says it,
/// it would ask for the same version for ever.
pub(crate) fn lasting<K>(
    api: Api<K>,
    config: watcher::Config,
) -> impl Stream<Item = Result<Event<K>, watcher::Error>> + Send
where
    K: Resource + Clone + DeserializeOwned + Debug + Send + 'static,
{
    let begin = move || watcher(api.clone(), config.clone()).boxed();
    let first = begin();
    stream::unfold((first, begin), |(mut events, begin)| async move {
        let event = events.next().await?;
        if matches!(&event, Err(error) if is_forgotten(error)) {
            events = begin();
        }
        Some((event, (events, begin)))
    })
}

fn is_forgotten(error: &watcher::Error) -> bool {
    let watcher::Error::WatchStartFailed(kube::Error::Api(status)) = error else { return false };
    status.code == 410
}

/// What went wrong with a watch, in one sentence.
pub(crate) fn watch_error(error: &watcher::Error) -> String {
    let (what, cause) = match error {
        watcher::Error::InitialListFailed(cause) => ("list", cause),
        watcher::Error::WatchStartFailed(cause) | watcher::Error::WatchFailed(cause) => {
            ("watch", cause)
        }
        watcher::Error::WatchError(status) => return format!("watch: {}", status.message),
        watcher::Error::NoResourceVersion => return "list: no resource version".to_owned(),
    };
    match cause {
        kube::Error::Api(status) => format!("{what}: {}", status.message),
        cause => format!("{what}: {cause}"),
    }
}
