//! Deletion of what is not wanted any more.

use futures::StreamExt as _;
use manifest::{Gvk, Object, ObjectId, kind_rank};
use serde_json::Value;

use crate::api::ApiError;
use crate::chain;
use crate::change_set::{Action, Change, ChangeSet};
use crate::cluster::TenantClient;
use crate::controls::Controls;
use crate::discovery::DiscoveryError;
use crate::plan::uid;
use crate::records::Owner;
use crate::stage::sort_key;

/// An object that is not wanted any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// The object.
    pub id: ObjectId,
    /// The version it was applied under, without the group.
    pub version: String,
}

/// An object that [`prune`] would really delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doomed {
    /// The object.
    pub stale: Stale,
    /// What tells it from another one of the same name; none if it could not be looked at.
    pub uid: Option<String>,
}

/// What became of the objects that were not wanted any more.
#[derive(Debug, Default)]
pub struct Pruned {
    /// What was deleted or skipped, in the order of deletion.
    pub done: ChangeSet,
    /// What could not be deleted: it stays in the inventory.
    pub failed: Vec<PruneError>,
}

/// Why an object could not be deleted.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// Whether it may be deleted could not be found out.
    #[error("{} query failed", .stale.id)]
    Query {
        /// The object.
        stale: Stale,
        /// What went wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The API server would not delete it.
    #[error("{} delete failed", .stale.id)]
    Delete {
        /// The object.
        stale: Stale,
        /// What the API server said.
        #[source]
        source: ApiError,
    },
}

impl Pruned {
    fn take_in(&mut self, stale: Stale, end: Result<Action, Refused>) {
        match end {
            Ok(action) => {
                let Stale { id, version } = stale;
                self.done.entries.push(Change { id, version, action, live: None });
            }
            Err(Refused::Query(source)) => self.failed.push(PruneError::Query { stale, source }),
            Err(Refused::Delete(source)) => self.failed.push(PruneError::Delete { stale, source }),
        }
    }

    /// What was deleted, which may not mean that it is gone.
    pub fn deleted(&self) -> Vec<Stale> {
        let deleted = self.done.entries.iter().filter(|entry| entry.action == Action::Deleted);
        let stale = |entry: &Change| Stale { id: entry.id.clone(), version: entry.version.clone() };
        deleted.map(stale).collect()
    }

    /// The errors as Flux puts them into a condition: `delete failed, errors: <e1>;<e2>;`. None if
    /// nothing failed.
    pub fn failure(&self) -> Option<String> {
        if self.failed.is_empty() {
            return None;
        }
        let errors: String = self.failed.iter().map(|error| chain(error) + ";").collect();
        Some(format!("delete failed, errors: {errors}"))
    }
}

impl PruneError {
    /// The object that is still there.
    pub const fn stale(&self) -> &Stale {
        match self {
            Self::Query { stale, .. } | Self::Delete { stale, .. } => stale,
        }
    }
}

/// Deletes objects in the reverse order of application, in the background: only those that still
/// carry the labels of their owner and do not ask to be kept. Objects of kinds that need not wait
/// for each other are deleted several at a time.
pub async fn prune(tenant: &TenantClient, owner: &Owner, mut stale: Vec<Stale>) -> Pruned {
    stale.sort_by_cached_key(|Stale { id, .. }| {
        std::cmp::Reverse(sort_key(&id.group, &id.kind, &id.namespace, &id.name))
    });
    let mut pruned = Pruned::default();
    let concurrency = tenant.settings().concurrency.max(1);
    for alike in stale.chunk_by(|a, b| kind_rank(&a.id.kind) == kind_rank(&b.id.kind)) {
        let mut ends = futures::stream::iter(alike.to_vec())
            .map(|stale| async move {
                let end = prune_one(tenant, owner, &stale).await;
                (stale, end)
            })
            .buffered(concurrency);
        while let Some((stale, end)) = ends.next().await {
            pruned.take_in(stale, end);
        }
    }
    pruned
}

enum Refused {
    Query(Box<dyn std::error::Error + Send + Sync>),
    Delete(ApiError),
}

async fn prune_one(tenant: &TenantClient, owner: &Owner, stale: &Stale) -> Result<Action, Refused> {
    let found = look(tenant, owner, stale).await?;
    // What is deleted by us, or left behind for good, is not ours to watch.
    tenant.records().forget(std::slice::from_ref(&stale.id));
    match found {
        Found::Nothing => Ok(Action::Deleted),
        Found::NotOurs => Ok(Action::Skipped),
        Found::Ours { path, uid, .. } => match tenant.delete(&path, uid.as_deref()).await {
            Err(error) if !error.is_not_found() => Err(Refused::Delete(error)),
            _ => Ok(Action::Deleted),
        },
    }
}

/// What is there of an object that is not wanted any more.
enum Found {
    Nothing,
    /// Another owner's, or one that asks to be kept.
    NotOurs,
    Ours {
        path: String,
        uid: Option<String>,
        is_terminating: bool,
    },
}

/// How far on its way out an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Gone,
    /// It was deleted, and something holds it still.
    Leaving,
    /// It is there, or could not be looked at.
    Present,
}

/// Looks whether an object may be deleted.
async fn look(
    tenant: &TenantClient,
    owner: &Owner,
    Stale { id, version }: &Stale,
) -> Result<Found, Refused> {
    let query = |error: ApiError| Refused::Query(Box::new(error));
    let gvk = Gvk { group: id.group.clone(), version: version.clone(), kind: id.kind.clone() };
    let resource = match tenant.resource_of_any_version(&gvk).await {
        Ok(resource) => resource,
        // The kind is gone and all its objects with it.
        Err(DiscoveryError::NoMatch(_)) => return Ok(Found::Nothing),
        Err(error) => return Err(Refused::Query(Box::new(error))),
    };
    let path = resource.path(&id.namespace, &id.name).map_err(|e| query(e.into()))?;
    let Some(live) = tenant.get::<Value>(&path).await.map_err(query)? else {
        return Ok(Found::Nothing);
    };
    let Ok(live) = Object::new(live.body) else { return Ok(Found::NotOurs) };
    let controls = Controls { prefix: &tenant.settings().key_prefix };
    if !controls.is_owned_by(&live, owner) || controls.skips_prune(&live) {
        return Ok(Found::NotOurs);
    }
    let deleted_at = live.metadata().and_then(|metadata| metadata.get("deletionTimestamp"));
    let is_terminating = deleted_at.is_some();
    Ok(Found::Ours { path, uid: uid(&live).map(str::to_owned), is_terminating })
}

/// Finds out which objects [`prune`] would really delete: those that are there, are still of this
/// owner, and do not ask to be kept. One that cannot be looked at counts as one that would be.
/// Writes nothing.
pub async fn doomed(tenant: &TenantClient, owner: &Owner, stale: &[Stale]) -> Vec<Doomed> {
    let looks = looks(tenant, owner, stale.to_vec()).await.into_iter();
    let doomed = looks.filter_map(|(stale, found)| match found {
        Ok(Found::Ours { uid, .. }) => Some(Doomed { stale, uid }),
        Err(_) => Some(Doomed { stale, uid: None }),
        Ok(Found::Nothing | Found::NotOurs) => None,
    });
    doomed.collect()
}

/// How far on their way out objects are.
pub(crate) async fn ways(
    tenant: &TenantClient,
    owner: &Owner,
    stale: Vec<Stale>,
) -> Vec<(Stale, Way)> {
    let way = |found| match found {
        Ok(Found::Nothing) => Way::Gone,
        Ok(Found::Ours { is_terminating: true, .. }) => Way::Leaving,
        Ok(Found::Ours { .. } | Found::NotOurs) | Err(_) => Way::Present,
    };
    let looks = looks(tenant, owner, stale).await.into_iter();
    looks.map(|(stale, found)| (stale, way(found))).collect()
}

async fn looks(
    tenant: &TenantClient,
    owner: &Owner,
    stale: Vec<Stale>,
) -> Vec<(Stale, Result<Found, Refused>)> {
    futures::stream::iter(stale)
        .map(|stale| async move {
            let found = look(tenant, owner, &stale).await;
            (stale, found)
        })
        .buffered(tenant.settings().concurrency.max(1))
        .collect()
        .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Refusal;

    #[test]
    fn failures_are_listed_as_flux_lists_them() {
        assert_eq!(Pruned::default().failure(), None);
        let failed = ["shop_a__ConfigMap", "shop_b__ConfigMap"].map(|id| {
            let message = "denied".to_owned();
            PruneError::Delete {
                stale: Stale {
                    id: ObjectId::from_inventory_id(id).unwrap(),
                    version: "v1".to_owned(),
                },
                source: ApiError::Refused(Box::new(Refusal { message, ..Refusal::default() })),
            }
        });
        let pruned = Pruned { failed: failed.into(), ..Pruned::default() };
        assert_eq!(
            pruned.failure().unwrap(),
            "delete failed, errors: ConfigMap/shop/a delete failed: denied;\
             ConfigMap/shop/b delete failed: denied;"
        );
    }
}
