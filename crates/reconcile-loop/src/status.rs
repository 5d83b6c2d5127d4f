//! Writes what a controller says about its objects: status and finalizers.

use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex, PoisonError};

use crd_types::metadata::FINALIZER;
use kube::api::{Patch, PatchParams};
use kube::core::Status;
use kube::core::object::HasStatus;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, Client, Resource, ResourceExt as _};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::election::Leadership;
use crate::mirror::Mirrored;

/// What is asked of a kind so that the frame can serve it.
pub trait FluxKind: Mirrored + HasStatus<Status: Serialize + Debug> {}

impl<K: Mirrored + HasStatus<Status: Serialize + Debug>> FluxKind for K {}

/// What a write did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// There was nothing to say.
    Unchanged,
    /// The object has moved.
    Written,
}

/// The one writer of a kind's status and finalizers.
pub struct Writer<K: FluxKind> {
    client: Client,
    manager: &'static str,
    leadership: Leadership,
    /// Objects as our own writes left them, for as long as the watch has not caught up.
    ahead: Mutex<HashMap<ObjectRef<K>, Arc<K>>>,
}

impl<K: FluxKind> fmt::Debug for Writer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("manager", &self.manager).finish_non_exhaustive()
    }
}

impl<K: FluxKind> Writer<K> {
    /// Writes as the given field manager.
    pub fn new(client: Client, manager: &'static str) -> Self {
        let leadership = Leadership::alone();
        Self { client, manager, leadership, ahead: Mutex::default() }
    }

    /// Writes only while this process leads.
    #[must_use]
    pub fn fenced(self, leadership: Leadership) -> Self {
        Self { leadership, ..self }
    }

    /// A process that was stopped and goes on after another took over must not write.
    fn may_write(&self) -> Result<(), kube::Error> {
        if self.leadership.held() {
            return Ok(());
        }
        let message = "no longer the leader: nothing is written";
        Err(kube::Error::Api(Box::new(Status::failure(message, "Fenced").with_code(403))))
    }

    /// The newest known state of an object: what the watch says, unless our own write is newer.
    ///
    /// Without this, a reconciliation that follows at once would start from the status before the
    /// last write, and so forget an inventory.
    pub fn newest(&self, watched: Arc<K>) -> Arc<K> {
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let key = ObjectRef::from_obj(&*watched);
        match ahead.get(&key) {
            Some(ours) if ours.uid() == watched.uid() && version(&**ours) > version(&*watched) => {
                Arc::clone(ours)
            }
            _ => {
                ahead.remove(&key);
                watched
            }
        }
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, key: &ObjectRef<K>) {
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Makes the status of `object` say `next`.
    ///
    /// Equal writes are skipped because each one bumps `resourceVersion` and wakes every watch. May
    /// be repeated; cancelled at its only `.await`, it was either written whole or not at all.
    ///
    /// Flux: a JSON merge patch rather than a server-side apply, so that managed fields look the
    /// same before and after a take-over.
    ///
    /// # Errors
    /// If the API server refuses. An object that is gone is no error.
    pub async fn status(
        &self,
        object: &mut Arc<K>,
        next: &K::Status,
    ) -> Result<Write, kube::Error> {
        let old = object.status().map_or(Value::Null, plain);
        let patch = merge_patch(&old, &plain(next));
        if patch.as_object().is_none_or(Map::is_empty) {
            return Ok(Write::Unchanged);
        }
        self.may_write()?;
        let body = Patch::Merge(json!({ "status": patch }));
        let api = self.api(object);
        let params = PatchParams::apply(self.manager);
        match api.patch_status(&object.name_any(), &params, &body).await {
            Ok(written) => self.keep(object, written),
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(Write::Unchanged),
            Err(error) => return Err(error),
        }
        Ok(Write::Written)
    }

    /// Adds our finalizer, if it is not there yet.
    ///
    /// # Errors
    /// If the API server refuses, or somebody else changed the object meanwhile.
    pub(crate) async fn add_finalizer(&self, object: &mut Arc<K>) -> Result<Write, kube::Error> {
        let mut finalizers = object.finalizers().to_vec();
        if finalizers.iter().any(|finalizer| finalizer == FINALIZER) {
            return Ok(Write::Unchanged);
        }
        finalizers.push(FINALIZER.to_owned());
        self.finalizers(object, &finalizers).await
    }

    /// Takes our finalizer away, which lets a deleted object go.
    ///
    /// # Errors
    /// If the API server refuses, or somebody else changed the object meanwhile.
    pub async fn remove_finalizer(&self, object: &mut Arc<K>) -> Result<Write, kube::Error> {
        let mut finalizers = object.finalizers().to_vec();
        let before = finalizers.len();
        finalizers.retain(|finalizer| finalizer != FINALIZER);
        if finalizers.len() == before {
            return Ok(Write::Unchanged);
        }
        self.finalizers(object, &finalizers).await
    }

    async fn finalizers(
        &self,
        object: &mut Arc<K>,
        finalizers: &[String],
    ) -> Result<Write, kube::Error> {
        self.may_write()?;
        // The list is replaced whole, so it must be the list that we saw.
        let seen = object.resource_version();
        let body = json!({"metadata": {"finalizers": finalizers, "resourceVersion": seen}});
        let params = PatchParams::apply(self.manager);
        let api = self.api(object);
        match api.patch(&object.name_any(), &params, &Patch::Merge(body)).await {
            Ok(written) => self.keep(object, written),
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(Write::Unchanged),
            Err(error) => return Err(error),
        }
        Ok(Write::Written)
    }

    fn keep(&self, object: &mut Arc<K>, mut written: K) {
        written.managed_fields_mut().clear();
        if written.meta().deletion_timestamp.is_some() && written.finalizers().is_empty() {
            // It is gone with this write, and nobody would tell us to forget it.
            return;
        }
        *object = Arc::new(written);
        let key = ObjectRef::from_obj(&**object);
        self.ahead.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(object));
    }

    fn api(&self, object: &K) -> Api<K> {
        Api::namespaced(self.client.clone(), &object.namespace().unwrap_or_default())
    }
}

/// The version of an object, which grows with every write to the cluster.
fn version<K: Resource>(object: &K) -> u64 {
    object.meta().resource_version.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// A status as JSON. A status of ours always has a JSON form.
fn plain<S: Serialize>(status: &S) -> Value {
    serde_json::to_value(status).unwrap_or(Value::Null)
}

/// The JSON merge patch (RFC 7386) that turns `old` into `new`.
pub fn merge_patch(old: &Value, new: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return new.clone() };
    let mut patch = Map::new();
    for (key, value) in new {
        match old.get(key) {
            Some(before) if before == value => {}
            Some(before) => {
                patch.insert(key.clone(), merge_patch(before, value));
            }
            None => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    Value::Object(patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_says_only_what_changed() {
        let old = json!({"a": 1, "b": {"c": 2, "d": 3}, "e": [1], "gone": true});
        let new = json!({"a": 1, "b": {"c": 2, "d": 4}, "e": [1, 2], "new": "x"});
        assert_eq!(
            merge_patch(&old, &new),
            json!({"b": {"d": 4}, "e": [1, 2], "gone": null, "new": "x"})
        );
        assert_eq!(merge_patch(&new, &new), json!({}));
        assert_eq!(merge_patch(&Value::Null, &new), new);
    }
}
