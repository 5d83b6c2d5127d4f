//! The resources of a build in their order, found by identity without searching.

use std::collections::HashMap;

use crate::identity::{IdKey, ResId};
use crate::resource::{Behavior, Resource};

/// Resources in order. No two have the same identity.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resources {
    list: Vec<Resource>,
    /// Where each identity is; absent after a change that may have moved one.
    index: Option<Index>,
}

#[derive(Clone, Debug, Default)]
struct Index {
    /// By the identity that a resource has now.
    current: HashMap<IdKey, Vec<usize>>,
    /// By every identity that it has or had.
    any: HashMap<IdKey, Vec<usize>>,
    /// By every name that it has or had.
    names: HashMap<String, Vec<usize>>,
}

/// Why a resource could not be added or found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResourcesError {
    /// The identity is taken.
    #[error("may not add resource with an already registered id: {id}")]
    AlreadyRegistered {
        /// The identity.
        id: String,
    },
    /// A generator merges into or replaces what is not there.
    #[error("id {id} does not exist; cannot merge or replace")]
    NothingToMerge {
        /// The identity.
        id: String,
    },
    /// A generator makes what is there already.
    #[error(
        "id {id} exists; can not use behavior: '{behavior}', behavior must be merge or replace"
    )]
    Exists {
        /// The identity.
        id: String,
        /// What the generator wanted.
        behavior: &'static str,
    },
    /// A generator's result fits several resources.
    #[error("found multiple objects {objects} that could accept merge of {id}")]
    SeveralToMerge {
        /// The resources.
        objects: String,
        /// The identity.
        id: String,
    },
    /// A patch has no target.
    #[error("no matches for Id {id}; failed to find unique target for patch {id}")]
    NoTarget {
        /// The patch.
        id: String,
    },
    /// A patch has several targets.
    #[error("multiple matches for Id {id}; failed to find unique target for patch {id}")]
    SeveralTargets {
        /// The patch.
        id: String,
    },
}

impl Index {
    fn of(list: &[Resource]) -> Self {
        let mut index = Self::default();
        for (place, resource) in list.iter().enumerate() {
            index.insert(place, resource);
        }
        index
    }

    fn insert(&mut self, place: usize, resource: &Resource) {
        let key = resource.id().key();
        self.current.entry(key.clone()).or_default().push(place);
        let mut add = |key| {
            let places = self.any.entry(key).or_default();
            if places.last() != Some(&place) {
                places.push(place);
            }
        };
        for previous in resource.previous_ids() {
            add(previous.key());
        }
        add(key);
        let previous = resource.notes.previous.iter().map(|previous| previous.name.clone());
        for name in previous.chain([resource.name()]) {
            let places = self.names.entry(name).or_default();
            if places.last() != Some(&place) {
                places.push(place);
            }
        }
    }
}

impl Resources {
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Resource> {
        self.list.iter()
    }

    pub(crate) fn get(&self, place: usize) -> Option<&Resource> {
        self.list.get(place)
    }

    /// The resources, to change in any way.
    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Resource> {
        self.index = None;
        self.list.iter_mut()
    }

    /// One resource, to change in any way but its identity.
    pub(crate) fn body_mut(&mut self, place: usize) -> Option<&mut Resource> {
        self.list.get_mut(place)
    }

    /// One resource, to change in any way.
    pub(crate) fn get_mut(&mut self, place: usize) -> Option<&mut Resource> {
        self.index = None;
        self.list.get_mut(place)
    }

    /// Changes one resource in any way; only a new identity costs another index.
    pub(crate) fn change<E>(
        &mut self,
        place: usize,
        change: impl FnOnce(&mut Resource) -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(resource) = self.list.get_mut(place) else { return Ok(()) };
        let before = resource.id();
        let changed = change(resource);
        if resource.id() != before {
            self.index = None;
        }
        changed
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&Resource) -> bool) {
        let before = self.list.len();
        self.list.retain(keep);
        if self.list.len() != before {
            self.index = None;
        }
    }

    /// Adds a resource.
    pub(crate) fn append(&mut self, resource: Resource) -> Result<(), ResourcesError> {
        let place = self.list.len();
        let index = self.indexed();
        let id = resource.id();
        if index.current.contains_key(&id.key()) {
            return Err(ResourcesError::AlreadyRegistered { id: id.to_string() });
        }
        index.insert(place, &resource);
        self.list.push(resource);
        Ok(())
    }

    /// Adds resources in their order.
    pub(crate) fn append_all(&mut self, more: Self) -> Result<(), ResourcesError> {
        if self.list.is_empty() {
            *self = more;
            return Ok(());
        }
        more.list.into_iter().try_for_each(|resource| self.append(resource))
    }

    /// Adds a generated resource as its behaviour says.
    pub(crate) fn absorb(&mut self, mut new: Resource) -> Result<(), ResourcesError> {
        let id = new.id();
        let behavior = new.notes.behavior.unwrap_or(Behavior::Unspecified);
        let matches = self.matching_any(&id);
        match matches[..] {
            [] if matches!(behavior, Behavior::Merge | Behavior::Replace) => {
                Err(ResourcesError::NothingToMerge { id: id.go_syntax() })
            }
            [] => self.append(new),
            [place] => {
                let Some(old) = self.list.get(place) else { return Ok(()) };
                match behavior {
                    Behavior::Replace => new.inherit(old),
                    Behavior::Merge => {
                        let origin = old.notes.origin.clone();
                        new.inherit(old);
                        crate::generator::merge_data(&mut new, old);
                        if origin.is_some() {
                            new.notes.origin = origin;
                        }
                    }
                    Behavior::Create | Behavior::Unspecified => {
                        return Err(ResourcesError::Exists {
                            id: id.go_syntax(),
                            behavior: behavior.name(),
                        });
                    }
                }
                // It has inherited the identity, so the index stays true.
                if let Some(slot) = self.list.get_mut(place) {
                    *slot = new;
                }
                Ok(())
            }
            _ => {
                let objects: Vec<String> = matches
                    .iter()
                    .filter_map(|place| self.list.get(*place))
                    .map(crate::emit::json_with_notes)
                    .collect();
                Err(ResourcesError::SeveralToMerge {
                    objects: format!("[{}]", objects.join(" ")),
                    id: id.to_string(),
                })
            }
        }
    }

    /// Where the resources are that have or had this identity.
    pub(crate) fn matching_any(&mut self, id: &ResId) -> Vec<usize> {
        self.indexed().any.get(&id.key()).cloned().unwrap_or_default()
    }

    /// Where the resources are that have or had this name; all places if none is given.
    pub(crate) fn named(&mut self, name: Option<&str>) -> Vec<usize> {
        match name {
            Some(name) => self.indexed().names.get(name).cloned().unwrap_or_default(),
            None => (0..self.list.len()).collect(),
        }
    }

    /// Where the one resource is that has or had this identity.
    pub(crate) fn target_of(&mut self, id: &ResId) -> Result<usize, ResourcesError> {
        match self.matching_any(id)[..] {
            [place] => Ok(place),
            [] => Err(ResourcesError::NoTarget { id: id.to_string() }),
            _ => Err(ResourcesError::SeveralTargets { id: id.to_string() }),
        }
    }

    /// The first identity that two resources share.
    pub(crate) fn conflict(&mut self) -> Option<Vec<usize>> {
        let index = self.indexed();
        let shared = index.current.values().filter(|places| places.len() > 1);
        shared.min_by_key(|places| places.get(1).copied()).cloned()
    }

    /// Fails if two resources share an identity.
    pub(crate) fn ensure_unique(&mut self) -> Result<(), ResourcesError> {
        let Some(places) = self.conflict() else { return Ok(()) };
        let resource = places.first().and_then(|place| self.list.get(*place));
        let id = resource.map(|resource| resource.id().to_string()).unwrap_or_default();
        Err(ResourcesError::AlreadyRegistered { id })
    }

    pub(crate) fn sort_by_cached_key<K: Ord>(&mut self, key: impl Fn(&ResId) -> K) {
        self.index = None;
        self.list.sort_by_cached_key(|resource| key(&resource.id()));
    }

    pub(crate) fn into_vec(self) -> Vec<Resource> {
        self.list
    }

    fn indexed(&mut self) -> &mut Index {
        let list = &self.list;
        self.index.get_or_insert_with(|| Index::of(list))
    }
}
