//! Who waits for whom, so that a Kustomization that becomes ready wakes the others.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use crd_types::kustomize::Kustomization;
use crd_types::references::DependencyReference;
use kube::ResourceExt as _;
use kube::runtime::reflector::ObjectRef;

type Key = ObjectRef<Kustomization>;

/// The dependencies of all Kustomizations, looked up from their other end.
#[derive(Debug, Default)]
pub(crate) struct Dependents(Mutex<Index>);

#[derive(Debug, Default)]
struct Index {
    by_dependency: HashMap<Key, HashSet<Key>>,
    dependencies: HashMap<Key, Vec<Key>>,
}

impl Dependents {
    /// Notes what an object depends on now.
    pub(crate) fn set(&self, ks: &Kustomization, references: &[DependencyReference]) {
        let key = ObjectRef::from_obj(ks);
        let namespace = ks.namespace().unwrap_or_default();
        let dependencies: Vec<Key> = references
            .iter()
            .map(|reference| {
                let namespace = reference.namespace.as_deref().unwrap_or(&namespace);
                ObjectRef::new(&reference.name).within(namespace)
            })
            .collect();
        let mut index = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if index.dependencies.get(&key).map_or(&[][..], Vec::as_slice) == dependencies {
            return;
        }
        index.remove(&key);
        for dependency in &dependencies {
            index.by_dependency.entry(dependency.clone()).or_default().insert(key.clone());
        }
        if !dependencies.is_empty() {
            index.dependencies.insert(key, dependencies);
        }
    }

    /// Who depends on an object.
    pub(crate) fn of(&self, dependency: &Key) -> Vec<Key> {
        let index = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        index.by_dependency.get(dependency).into_iter().flatten().cloned().collect()
    }

    /// The path by which an object depends on itself, if it does.
    pub(crate) fn cycle(&self, start: &Key) -> Option<Vec<Key>> {
        let index = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = HashSet::new();
        let mut path = vec![(start, index.dependencies_of(start).iter())];
        while let Some((_, remaining)) = path.last_mut() {
            let Some(next) = remaining.next() else {
                path.pop();
                continue;
            };
            if next == start {
                let mut cycle: Vec<Key> = path.iter().map(|(key, _)| (*key).clone()).collect();
                cycle.push(start.clone());
                return Some(cycle);
            }
            if seen.insert(next) {
                path.push((next, index.dependencies_of(next).iter()));
            }
        }
        None
    }

    /// The object is gone. Those that depend on it still do.
    pub(crate) fn forget(&self, key: &Key) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

impl Index {
    fn dependencies_of(&self, key: &Key) -> &[Key] {
        self.dependencies.get(key).map_or(&[], Vec::as_slice)
    }

    fn remove(&mut self, key: &Key) {
        for dependency in self.dependencies.remove(key).unwrap_or_default() {
            if let Some(dependents) = self.by_dependency.get_mut(&dependency) {
                dependents.remove(key);
                if dependents.is_empty() {
                    self.by_dependency.remove(&dependency);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crd_types::kustomize::KustomizationSpec;

    use super::*;

    fn key(name: &str) -> Key {
        ObjectRef::new(name).within("ns")
    }

    fn depends(dependents: &Dependents, name: &str, on: &[&str]) {
        let mut ks = Kustomization::new(name, KustomizationSpec::default());
        ks.metadata.namespace = Some("ns".to_owned());
        let references: Vec<_> = on
            .iter()
            .map(|name| DependencyReference { name: (*name).to_owned(), ..Default::default() })
            .collect();
        dependents.set(&ks, &references);
    }

    #[test]
    fn dependents_follow_the_specification() {
        let dependents = Dependents::default();
        depends(&dependents, "b", &["a"]);
        depends(&dependents, "c", &["a", "b"]);
        assert_eq!(dependents.of(&key("a")).len(), 2);
        depends(&dependents, "c", &["b"]);
        assert_eq!(dependents.of(&key("a")), [key("b")]);
        dependents.forget(&key("b"));
        assert!(dependents.of(&key("a")).is_empty());
    }

    #[test]
    fn a_cycle_is_told_with_its_path() {
        let dependents = Dependents::default();
        depends(&dependents, "a", &["x", "b"]);
        depends(&dependents, "b", &["c"]);
        depends(&dependents, "c", &["a"]);
        let cycle = dependents.cycle(&key("b")).unwrap();
        assert_eq!(cycle, [key("b"), key("c"), key("a"), key("b")]);
        assert!(dependents.cycle(&key("x")).is_none());
    }
}
