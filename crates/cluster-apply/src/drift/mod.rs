//! Shared watches of the metadata of applied objects, which tell when somebody else moves one.

mod pace;

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use manifest::{GroupKind, Gvk, ObjectId};
use serde_json::{Map, Value};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::cluster::{Cluster, TenantClient};
use crate::managed_fields::fingerprint_of;
use crate::records::{Moved, Owner, Seen, resource_version};
use crate::watch::{Sight, Watched, watch};

/// How long a kind is left alone after a panic: what caused it may be there still.
const AFTER_PANIC: Duration = Duration::from_secs(30);

/// Shared watches of the metadata of applied objects: one per kind in use, whoever owns the
/// objects. They run with the controller's own rights and end when this is dropped.
///
/// What is kept of an object is its name and three numbers: see [`crate::LiveRecords`].
#[derive(Debug)]
pub struct InventoryWatch {
    cluster: Arc<Cluster>,
    kinds: Mutex<HashMap<GroupKind, KindWatch>>,
    pace: AbortHandle,
}

/// The watch of one kind.
#[derive(Debug)]
struct KindWatch {
    /// Whether all changes are seen at present.
    is_following: Arc<AtomicBool>,
    task: AbortHandle,
}

impl InventoryWatch {
    /// Watches nothing yet. What is moved by others comes out of the channel, once per move: until
    /// the object is verified again, further moves are not told. An object that is moved again and
    /// again is told at growing distances, up to a minute.
    ///
    /// Must be called within a tokio runtime.
    pub fn start(cluster: Arc<Cluster>) -> (Self, mpsc::UnboundedReceiver<Moved>) {
        let (sender, moved) = mpsc::unbounded_channel();
        let (teller, told) = mpsc::unbounded_channel();
        cluster.records.report_to(sender);
        let pace = tokio::spawn(pace::paced(moved, teller)).abort_handle();
        (Self { cluster, kinds: Mutex::default(), pace }, told)
    }

    /// Watches these kinds, too. Costs nothing if they are watched already. Must be called within
    /// a tokio runtime.
    pub fn cover(&self, kinds: impl IntoIterator<Item = Gvk>) {
        let mut watched = self.kinds();
        for gvk in kinds {
            watched
                .entry(gvk.group_kind())
                .or_insert_with(|| KindWatch::start(Arc::clone(&self.cluster), gvk));
        }
    }

    /// Whether none of these objects moved since each was last verified (applied, or found as it
    /// should be). False if that is not known: their kinds are not watched, or the watch is broken.
    pub fn unmoved(&self, inventory: &[ObjectId]) -> bool {
        let kinds = self.kinds();
        self.cluster.records.unmoved(inventory, |id| {
            kinds
                .get(&id.group_kind())
                .is_some_and(|kind| kind.is_following.load(Ordering::Acquire))
        })
    }

    fn kinds(&self) -> MutexGuard<'_, HashMap<GroupKind, KindWatch>> {
        self.kinds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for InventoryWatch {
    fn drop(&mut self) {
        self.pace.abort();
    }
}

impl KindWatch {
    fn start(cluster: Arc<Cluster>, gvk: Gvk) -> Self {
        let is_following = Arc::new(AtomicBool::new(false));
        let (kind, following) = (gvk.kind.clone(), Arc::clone(&is_following));
        let follow = move || follow(Arc::clone(&cluster), gvk.clone(), Arc::clone(&following));
        let task = tokio::spawn(supervised(kind, Arc::clone(&is_following), follow)).abort_handle();
        Self { is_following, task }
    }
}

impl Drop for KindWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Follows a kind, and begins anew where that panics. In between nothing is known of its objects: a
/// watch that nobody listens to would else prove for ever that none of them moved.
async fn supervised<F: Future<Output = ()>>(
    kind: String,
    is_following: Arc<AtomicBool>,
    follow: impl Fn() -> F,
) {
    while AssertUnwindSafe(follow()).catch_unwind().await.is_err() {
        is_following.store(false, Ordering::Release);
        tracing::error!(kind, "watching for drift panicked, it begins anew in a while");
        tokio::time::sleep(AFTER_PANIC).await;
    }
}

/// Follows all objects of a kind that have an owner.
async fn follow(cluster: Arc<Cluster>, gvk: Gvk, is_following: Arc<AtomicBool>) {
    let records = Arc::clone(&cluster.records);
    let mut eye = Eye::new(&cluster, gvk.group_kind());
    let owned = format!("{}/name", cluster.settings.key_prefix);
    let what = Watched { labels: owned, metadata_only: true, ..Watched::all(gvk) };
    let mut sights = pin!(watch(TenantClient::as_controller(cluster), what));
    let mut listed = HashSet::new();
    let mut is_listing = false;
    while let Some(sight) = sights.next().await {
        match sight {
            Sight::Restart => {
                is_following.store(false, Ordering::Release);
                is_listing = true;
                listed.clear();
            }
            Sight::There(object) => {
                let Some((id, seen)) = eye.seen(&object) else { continue };
                records.observe(&id, seen);
                if is_listing {
                    listed.insert(id);
                }
            }
            Sight::Listed => {
                is_listing = false;
                records.observe_only(&eye.kind, &std::mem::take(&mut listed));
            }
            Sight::Following => is_following.store(true, Ordering::Release),
            Sight::Gone(object) => {
                if let Some((id, _)) = eye.seen(&object) {
                    records.observe_gone(&id);
                }
            }
            Sight::Trouble(trouble) => {
                is_following.store(false, Ordering::Release);
                tracing::debug!(kind = %eye.kind.kind, error = %crate::chain(&trouble), "drift is not watched for now");
            }
        }
    }
}

/// Reads what a watch shows of an object.
struct Eye {
    kind: GroupKind,
    cluster: Arc<Cluster>,
    name_label: String,
    namespace_label: String,
    /// Each owner once, as many objects share one.
    owners: HashSet<Arc<Owner>>,
}

impl Eye {
    fn new(cluster: &Arc<Cluster>, kind: GroupKind) -> Self {
        let label = |name| format!("{}/{name}", cluster.settings.key_prefix);
        Self {
            kind,
            name_label: label("name"),
            namespace_label: label("namespace"),
            cluster: Arc::clone(cluster),
            owners: HashSet::new(),
        }
    }

    fn seen(&mut self, object: &Value) -> Option<(ObjectId, Seen)> {
        let object = object.as_object()?;
        let metadata = object.get("metadata")?.as_object()?;
        let id = ObjectId {
            group: self.kind.group.clone(),
            kind: self.kind.kind.clone(),
            namespace: text(metadata, "namespace").to_owned(),
            name: text(metadata, "name").to_owned(),
        };
        let labels = metadata.get("labels").and_then(Value::as_object);
        let label = |key: &str| labels.map_or("", |labels| text(labels, key)).to_owned();
        let owner =
            Owner { namespace: label(&self.namespace_label), name: label(&self.name_label) };
        let seen = Seen {
            version: resource_version(object),
            fingerprint: fingerprint_of(object, &self.cluster.settings),
            deleting: metadata.contains_key("deletionTimestamp"),
            owner: self.once(owner),
        };
        Some((id, seen))
    }

    fn once(&mut self, owner: Owner) -> Arc<Owner> {
        if let Some(known) = self.owners.get(&owner) {
            return Arc::clone(known);
        }
        let owner = Arc::new(owner);
        self.owners.insert(Arc::clone(&owner));
        owner
    }
}

fn text<'a>(fields: &'a Map<String, Value>, key: &str) -> &'a str {
    fields.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_panic_proves_nothing_and_the_watch_begins_anew() {
        let is_following = Arc::new(AtomicBool::new(false));
        let (begun, proofs) = (AtomicU32::new(0), Mutex::new(Vec::new()));
        let follow = async || {
            proofs.lock().unwrap().push(is_following.swap(true, Ordering::AcqRel));
            assert_eq!(begun.fetch_add(1, Ordering::AcqRel), 1, "no such luck");
        };
        supervised("ConfigMap".to_owned(), Arc::clone(&is_following), &follow).await;
        assert_eq!(*proofs.lock().unwrap(), [false, false]);
    }
}
