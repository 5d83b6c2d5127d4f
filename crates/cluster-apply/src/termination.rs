//! Waiting until deleted objects are really gone: by watches, never by looking again and again.

use std::collections::{BTreeMap, HashMap};
use std::pin::{Pin, pin};
use std::time::Duration;

use futures::stream::{SelectAll, Stream, StreamExt as _};
use manifest::{Gvk, ObjectId};
use serde_json::Value;
use tokio::time::{Instant, sleep_until, timeout};

use crate::api::ApiError;
use crate::cluster::TenantClient;
use crate::discovery::DiscoveryError;
use crate::prune::Stale;
use crate::watch::{Sight, Trouble, Watched, watch};

/// How long an object that is to be made anew may take to go.
const GONE_TIMEOUT: Duration = Duration::from_mins(1);

/// Up to how many objects of one kind and namespace are watched by name, each by itself. More of
/// them share one watch of the whole namespace.
const MAX_BY_NAME: usize = 2;

/// Objects that did not go in time.
#[derive(Debug, thiserror::Error)]
#[error("timeout waiting for termination of: [{}]", names(.remaining))]
pub struct TerminationError {
    /// What is still there.
    pub remaining: Vec<ObjectId>,
}

fn names(ids: &[ObjectId]) -> String {
    ids.iter().map(ObjectId::to_string).collect::<Vec<_>>().join(", ")
}

type Sights = Pin<Box<dyn Stream<Item = (usize, Sight)> + Send>>;

/// Waits until deleted objects are really gone.
///
/// # Errors
/// If some are still there after `limit`.
pub async fn wait_for_termination(
    tenant: &TenantClient,
    deleted: &[Stale],
    limit: Duration,
) -> Result<(), TerminationError> {
    let deadline = Instant::now() + limit;
    let mut groups = Group::of(deleted);
    let mut sights = SelectAll::<Sights>::new();
    for (number, group) in groups.iter().enumerate() {
        let watched = watch(tenant.clone(), group.watched());
        sights.push(watched.map(move |sight| (number, sight)).boxed());
    }
    while groups.iter().any(|group| !group.left.is_empty()) {
        tokio::select! {
            next = sights.next() => {
                // Watches do not end by themselves.
                let Some((number, sight)) = next else { continue };
                if let Some(group) = groups.get_mut(number) {
                    group.take_in(&sight);
                }
            }
            () = sleep_until(deadline) => {
                let left = |group: &Group, id: &ObjectId| {
                    group.left.get(&id.name).is_some_and(|left| left.id == *id)
                };
                let mut remaining: Vec<ObjectId> =
                    deleted.iter().map(|stale| stale.id.clone()).collect();
                remaining.retain(|id| groups.iter().any(|group| left(group, id)));
                return Err(TerminationError { remaining });
            }
        }
    }
    Ok(())
}

/// Objects of one kind and namespace, which one watch is about.
struct Group {
    gvk: Gvk,
    /// What is not known to be gone, by name.
    left: HashMap<String, Left>,
}

struct Left {
    id: ObjectId,
    /// Whether the list that comes in has it.
    is_listed: bool,
}

impl Group {
    fn of(deleted: &[Stale]) -> Vec<Self> {
        let mut alike: BTreeMap<(Gvk, &str), Vec<&ObjectId>> = BTreeMap::new();
        for Stale { id, version } in deleted {
            let gvk =
                Gvk { group: id.group.clone(), version: version.clone(), kind: id.kind.clone() };
            alike.entry((gvk, &id.namespace)).or_default().push(id);
        }
        let mut groups = Vec::new();
        for ((gvk, _), ids) in alike {
            let size = if ids.len() <= MAX_BY_NAME { 1 } else { ids.len() };
            for ids in ids.chunks(size) {
                let left = |id: &&ObjectId| {
                    (id.name.clone(), Left { id: (*id).clone(), is_listed: false })
                };
                groups.push(Self { gvk: gvk.clone(), left: ids.iter().map(left).collect() });
            }
        }
        groups
    }

    fn watched(&self) -> Watched {
        let mut ids = self.left.values().map(|left| &left.id);
        let watched = match (ids.next(), ids.next()) {
            (Some(id), None) => Watched::one(self.gvk.clone(), id),
            (first, _) => Watched {
                namespace: first.map(|id| id.namespace.clone()).unwrap_or_default(),
                ..Watched::all(self.gvk.clone())
            },
        };
        Watched { metadata_only: true, ..watched }
    }

    fn take_in(&mut self, sight: &Sight) {
        match sight {
            Sight::Restart => self.left.values_mut().for_each(|left| left.is_listed = false),
            Sight::There(object) => {
                if let Some(left) = self.left.get_mut(name(object)) {
                    left.is_listed = true;
                }
            }
            Sight::Listed => self.left.retain(|_, left| left.is_listed),
            Sight::Gone(object) => {
                self.left.remove(name(object));
            }
            // The kind is gone and all its objects with it.
            Sight::Trouble(Trouble::Kind(DiscoveryError::NoMatch(_))) => self.left.clear(),
            Sight::Following | Sight::Trouble(_) => {}
        }
    }
}

fn name(object: &Value) -> &str {
    object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
}

/// Waits until the object with this uid is gone.
pub(crate) async fn wait_until_gone(
    tenant: &TenantClient,
    gvk: Gvk,
    id: &ObjectId,
    uid: &str,
) -> Result<(), ApiError> {
    let is_another =
        |live: &Value| live.pointer("/metadata/uid").and_then(Value::as_str) != Some(uid);
    timeout(GONE_TIMEOUT, watch_until_gone(tenant, gvk, id, is_another))
        .await
        .map_err(|_elapsed| ApiError::TimedOut(GONE_TIMEOUT))
}

/// Watches one object until it is gone, or is not the one that was meant.
async fn watch_until_gone(
    tenant: &TenantClient,
    gvk: Gvk,
    id: &ObjectId,
    is_another: impl Fn(&Value) -> bool,
) {
    let mut group = Group::of(&[Stale { id: id.clone(), version: gvk.version.clone() }]).pop();
    let Some(group) = &mut group else { return };
    let mut sights = pin!(watch(tenant.clone(), group.watched()));
    while let Some(sight) = sights.next().await {
        if matches!(&sight, Sight::There(live) if is_another(live)) {
            return;
        }
        group.take_in(&sight);
        if group.left.is_empty() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stale(id: &str) -> Stale {
        Stale { id: ObjectId::from_inventory_id(id).unwrap(), version: "v1".to_owned() }
    }

    fn object(name: &str) -> Value {
        json!({"metadata": {"name": name}})
    }

    #[test]
    fn many_of_a_kind_and_namespace_share_a_watch() {
        let deleted = [
            "shop_a__ConfigMap",
            "shop_b__ConfigMap",
            "shop_c__ConfigMap",
            "shop_a__Secret",
            "shop_b__Secret",
            "_shop__Namespace",
        ];
        let watched: Vec<(String, String, String)> = Group::of(&deleted.map(stale))
            .iter()
            .map(Group::watched)
            .map(|watched| (watched.gvk.kind, watched.namespace, watched.fields))
            .collect();
        let by_name = |kind: &str, namespace: &str, name: &str| {
            (kind.to_owned(), namespace.to_owned(), format!("metadata.name={name}"))
        };
        assert_eq!(
            watched,
            [
                ("ConfigMap".to_owned(), "shop".to_owned(), String::new()),
                by_name("Namespace", "", "shop"),
                by_name("Secret", "shop", "a"),
                by_name("Secret", "shop", "b"),
            ]
        );
    }

    #[test]
    fn what_a_list_lacks_is_gone_and_what_a_watch_sees_go() {
        let deleted = ["shop_a__ConfigMap", "shop_b__ConfigMap", "shop_c__ConfigMap"];
        let mut groups = Group::of(&deleted.map(stale));
        let mut take_in = |sight: Sight| {
            groups[0].take_in(&sight);
            let mut left: Vec<String> = groups[0].left.keys().cloned().collect();
            left.sort();
            left.concat()
        };
        assert_eq!(take_in(Sight::Restart), "abc");
        take_in(Sight::There(object("a")));
        take_in(Sight::There(object("b")));
        take_in(Sight::There(object("other")));
        assert_eq!(take_in(Sight::Listed), "ab");
        assert_eq!(take_in(Sight::Gone(object("b"))), "a");
        // A list that is begun anew counts by itself.
        take_in(Sight::Restart);
        assert_eq!(take_in(Sight::Listed), "");
    }
}
