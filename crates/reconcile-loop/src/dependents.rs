//! Who waits for whom, so that an object that becomes ready wakes the others of its kind.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use crd_types::references::DependencyReference;
use kube::runtime::reflector::ObjectRef;

use crate::status::FluxKind;

/// The dependencies of all objects of a kind, looked up from their other end.
#[derive(Debug)]
pub struct Dependents<K: FluxKind>(Mutex<Index<K>>);

#[derive(Debug)]
struct Index<K: FluxKind> {
    by_dependency: HashMap<ObjectRef<K>, HashSet<ObjectRef<K>>>,
    dependencies: HashMap<ObjectRef<K>, Vec<ObjectRef<K>>>,
}

impl<K: FluxKind> Default for Dependents<K> {
    fn default() -> Self {
        let index = Index { by_dependency: HashMap::new(), dependencies: HashMap::new() };
        Self(Mutex::new(index))
    }
}

impl<K: FluxKind> Dependents<K> {
    /// Notes what an object depends on now.
    pub fn set(&self, object: &K, references: &[DependencyReference]) {
        let key = ObjectRef::from_obj(object);
        let namespace = object.meta().namespace.clone().unwrap_or_default();
        let dependencies: Vec<ObjectRef<K>> = references
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
    pub fn of(&self, dependency: &ObjectRef<K>) -> Vec<ObjectRef<K>> {
        let index = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        index.by_dependency.get(dependency).into_iter().flatten().cloned().collect()
    }

    /// The path by which an object depends on itself, if it does.
    pub fn cycle(&self, start: &ObjectRef<K>) -> Option<Vec<ObjectRef<K>>> {
        let index = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = HashSet::new();
        let mut path = vec![(start, index.dependencies_of(start).iter())];
        while let Some((_, remaining)) = path.last_mut() {
            let Some(next) = remaining.next() else {
                path.pop();
                continue;
            };
            if next == start {
                let mut cycle: Vec<ObjectRef<K>> =
                    path.iter().map(|(key, _)| (*key).clone()).collect();
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
    pub fn forget(&self, key: &ObjectRef<K>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

impl<K: FluxKind> Index<K> {
    fn dependencies_of(&self, key: &ObjectRef<K>) -> &[ObjectRef<K>] {
        self.dependencies.get(key).map_or(&[], Vec::as_slice)
    }

    fn remove(&mut self, key: &ObjectRef<K>) {
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
    use crd_types::kustomize::{Kustomization, KustomizationSpec};

    use super::*;

    fn key(name: &str) -> ObjectRef<Kustomization> {
        ObjectRef::new(name).within("ns")
    }

    fn depends(dependents: &Dependents<Kustomization>, name: &str, on: &[&str]) {
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
