//! Which changes of an object are for its controller: what its owner wants, not what is told of it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use crd_types::metadata::REQUESTED_AT;
use futures::{Stream, StreamExt as _, stream};
use kube::core::DeserializeGuard;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::reflector::{self, ObjectRef};
use kube::runtime::watcher::Event;
use kube::{Api, ResourceExt as _};

use crate::program::Runtime;
use crate::status::FluxKind;
use crate::watch::{watch, watch_error};

/// How the annotations start by which a user tells a controller what Flux has no field for. A change
/// of one wakes its object.
pub const OWN_ANNOTATIONS: &str = "ferroflux.dev/";

/// Objects of this kind whose wishes changed: new ones, a new generation, a request, a deletion.
///
/// Writes of status and labels wake nobody.
pub(crate) fn own_changes<K: FluxKind>(
    runtime: &Runtime,
    writer: reflector::store::Writer<K>,
    gone: impl Fn(&ObjectRef<K>),
    seen: impl Fn(&ObjectRef<K>),
) -> impl Stream<Item = ObjectRef<K>> {
    let api: Api<DeserializeGuard<K>> = runtime.api();
    let config = runtime.flags.watch_config().labels(&runtime.flags.watch_label_selector);
    let mut wishes = Wishes::default();
    watch(api, config)
        .default_backoff()
        .modify(|object| object.managed_fields_mut().clear())
        .reflect(writer)
        .flat_map(move |event| {
            let changes = match event {
                Ok(event) => wishes.take(&event),
                Err(error) => {
                    let kind = K::kind(&());
                    tracing::error!(error = watch_error(&error), %kind, "the watch broke off");
                    Changes::default()
                }
            };
            changes.seen.iter().for_each(&seen);
            changes.gone.iter().for_each(&gone);
            stream::iter(changes.wanting)
        })
}

/// What every object wanted when it was last seen.
#[derive(Debug)]
struct Wishes<K: FluxKind> {
    known: HashMap<ObjectRef<K>, u64>,
    /// Those of a list that is being read.
    listed: HashMap<ObjectRef<K>, u64>,
}

/// What an event of the watch means.
#[derive(Debug)]
struct Changes<K: FluxKind> {
    /// Those that may be other than they were.
    seen: Vec<ObjectRef<K>>,
    wanting: Vec<ObjectRef<K>>,
    gone: Vec<ObjectRef<K>>,
}

impl<K: FluxKind> Default for Wishes<K> {
    fn default() -> Self {
        Self { known: HashMap::new(), listed: HashMap::new() }
    }
}

impl<K: FluxKind> Default for Changes<K> {
    fn default() -> Self {
        Self { seen: Vec::new(), wanting: Vec::new(), gone: Vec::new() }
    }
}

impl<K: FluxKind> Wishes<K> {
    /// Takes in an event. A list counts when it is complete: the store has its objects only then,
    /// and what it lacks was deleted while nobody looked.
    fn take(&mut self, event: &Event<K>) -> Changes<K> {
        let mut changes = Changes::default();
        match event {
            Event::Apply(object) => {
                let (key, wish) = (ObjectRef::from_obj(object), wish(object));
                changes.seen.push(key.clone());
                if self.known.insert(key.clone(), wish) != Some(wish) {
                    changes.wanting.push(key);
                }
            }
            Event::Delete(object) => {
                let key = ObjectRef::from_obj(object);
                self.known.remove(&key);
                changes.gone.push(key);
            }
            Event::Init => self.listed.clear(),
            Event::InitApply(object) => {
                self.listed.insert(ObjectRef::from_obj(object), wish(object));
            }
            Event::InitDone => {
                let listed = std::mem::take(&mut self.listed);
                let known = std::mem::replace(&mut self.known, listed);
                let missing = known.keys().filter(|key| !self.known.contains_key(*key));
                changes.gone.extend(missing.cloned());
                let anew = self.known.iter().filter(|(key, wish)| known.get(*key) != Some(wish));
                changes.wanting.extend(anew.map(|(key, _)| key.clone()));
                // Nobody knows what happened to them while nobody looked.
                changes.seen.extend(self.known.keys().cloned());
            }
        }
        changes
    }
}

/// A number that changes when an object wants something else than before.
fn wish<K: FluxKind>(object: &K) -> u64 {
    let mut hasher = DefaultHasher::new();
    object.uid().hash(&mut hasher);
    object.meta().generation.hash(&mut hasher);
    object.meta().deletion_timestamp.is_some().hash(&mut hasher);
    object.annotations().get(REQUESTED_AT).hash(&mut hasher);
    own_annotations(object).for_each(|said| said.hash(&mut hasher));
    hasher.finish()
}

/// What a user tells the controller by annotations that Flux does not know.
pub fn own_annotations<K: FluxKind>(object: &K) -> impl Iterator<Item = (&String, &String)> {
    object.annotations().iter().filter(|(key, _)| key.starts_with(OWN_ANNOTATIONS))
}

#[cfg(test)]
mod tests {
    use crd_types::kustomize::{Kustomization, KustomizationSpec};

    use super::*;

    fn object(name: &str, generation: i64) -> Kustomization {
        let mut object = Kustomization::new(name, KustomizationSpec::default());
        object.metadata.namespace = Some("ns".to_owned());
        object.metadata.generation = Some(generation);
        object
    }

    fn names(keys: &[ObjectRef<Kustomization>]) -> Vec<&str> {
        keys.iter().map(|key| key.name.as_str()).collect()
    }

    #[test]
    fn only_a_new_wish_wakes_an_object() {
        let mut wishes = Wishes::default();
        assert_eq!(names(&wishes.take(&Event::Apply(object("a", 1))).wanting), ["a"]);
        assert!(wishes.take(&Event::Apply(object("a", 1))).wanting.is_empty());
        assert_eq!(names(&wishes.take(&Event::Apply(object("a", 2))).wanting), ["a"]);
        let mut asks = object("a", 2);
        asks.annotations_mut().insert(format!("{OWN_ANNOTATIONS}confirm-prune"), "1".to_owned());
        let changes = wishes.take(&Event::Apply(asks));
        assert_eq!((names(&changes.wanting), names(&changes.seen)), (vec!["a"], vec!["a"]));
    }

    #[test]
    fn what_a_new_list_lacks_is_gone() {
        let mut wishes = Wishes::default();
        for event in [Event::Apply(object("a", 1)), Event::Apply(object("b", 1))] {
            wishes.take(&event);
        }
        wishes.take(&Event::Init);
        assert!(wishes.take(&Event::InitApply(object("b", 2))).wanting.is_empty());
        let changes = wishes.take(&Event::InitDone);
        assert_eq!(names(&changes.gone), ["a"]);
        assert_eq!(names(&changes.wanting), ["b"]);
    }

    #[test]
    fn after_a_gap_every_object_is_seen_once_the_store_has_it() {
        let mut wishes = Wishes::default();
        wishes.take(&Event::Apply(object("a", 1)));
        for event in [Event::Init, Event::InitApply(object("a", 1))] {
            assert!(wishes.take(&event).seen.is_empty());
        }
        let changes = wishes.take(&Event::InitDone);
        assert_eq!((names(&changes.seen), changes.wanting.len()), (vec!["a"], 0));
    }
}
