//! Deletion stage by stage, in the reverse order of application.

use crate::cluster::TenantClient;
use crate::prune::{Pruned, Stale, Way, prune, ways};
use crate::records::Owner;
use crate::stage::Stage;

/// How far a deletion in order has come.
#[derive(Debug, Default)]
pub struct PrunedInOrder {
    /// What was done this time.
    pub pruned: Pruned,
    /// What is deleted and still there.
    pub terminating: Vec<Stale>,
    /// What is deleted when that is gone.
    pub later: Vec<Stale>,
}

/// Deletes objects as [`prune`] does, but no definition, namespace or class before all that was
/// applied after it is really gone. Ends where something has to be waited for; called again with
/// what is left, it goes on.
///
/// What is gone already is not mentioned. Each object that is there costs two reads more.
pub async fn prune_in_order(
    tenant: &TenantClient,
    owner: &Owner,
    mut stale: Vec<Stale>,
) -> PrunedInOrder {
    let mut end = PrunedInOrder::default();
    for stage in Stage::ALL.into_iter().rev() {
        let custom = &tenant.settings().custom_stage;
        let of_stage = |stale: &mut Stale| Stage::of_kind(&stale.id.group_kind(), custom) == stage;
        let mut present = Vec::new();
        for (stale, way) in ways(tenant, owner, stale.extract_if(.., of_stage).collect()).await {
            match way {
                Way::Gone => {}
                Way::Leaving => end.terminating.push(stale),
                Way::Present => present.push(stale),
            }
        }
        let pruned = prune(tenant, owner, present).await;
        let left = ways(tenant, owner, pruned.deleted()).await.into_iter();
        end.terminating
            .extend(left.filter(|(_, way)| *way == Way::Leaving).map(|(stale, _)| stale));
        end.pruned.done.entries.extend(pruned.done.entries);
        end.pruned.failed.extend(pruned.failed);
        if !end.terminating.is_empty() || !end.pruned.failed.is_empty() {
            break;
        }
    }
    end.later = stale;
    end
}
