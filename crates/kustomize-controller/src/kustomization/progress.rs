//! What an attempt has reached, kept on every path out of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crd_types::inventory::{ResourceInventory, ResourceRef};
use crd_types::kustomize::Kustomization;
use manifest::ObjectId;

use super::evidence::Evidence;

/// What an attempt has reached. Starts as the last attempt left it, so that one that halts early
/// forgets nothing.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    /// When the attempt began.
    pub(crate) began: Instant,
    /// The step under way, as the Reconciling condition tells it.
    pub(crate) step: Option<Step>,
    /// The revision that the source advertises.
    pub(crate) advertised_revision: Option<String>,
    /// The revision that was fetched and has the path.
    pub(crate) attempted_revision: Option<String>,
    /// The revision at the origin of the artifact, where its source says so.
    pub(crate) origin_revision: Option<String>,
    /// What is in the cluster because of us; none if nothing was ever applied.
    pub(crate) inventory: Option<Vec<Tracked>>,
    /// The digest of what was built.
    pub(crate) build_digest: Option<String>,
    /// What was built and applied, and of what.
    pub(crate) evidence: Option<Arc<Evidence>>,
    /// Whether the apply or the prune changed anything.
    pub(crate) changed: bool,
    /// How the health checks went.
    pub(crate) health: Health,
    /// Whether deletions wait for a person.
    pub(crate) holding: Holding,
    /// When to come back for what waits for others, if anything does.
    pub(crate) come_back: Option<Duration>,
}

/// An object of the inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tracked {
    pub(crate) id: ObjectId,
    pub(crate) version: String,
}

/// A step that is worth telling while it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) phase: Phase,
    pub(crate) revision: String,
    pub(crate) timeout: Duration,
}

/// The phases that a user sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Fetch,
    Build,
    Apply,
    Health,
}

/// What is known about the health of what was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// The attempt has not come that far.
    Unasked,
    /// No checks are wanted.
    Unwanted,
    /// The checks passed after this long.
    Passed(Duration),
}

/// Whether deletions wait for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holding {
    /// The attempt has not come that far.
    Undecided,
    /// None do.
    Nothing,
    /// They do.
    Held(Held),
}

/// Why deletions wait for a person, as the condition says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

impl Progress {
    /// Starts where the last attempt ended.
    pub(crate) fn resume(ks: &Kustomization) -> Self {
        let inventory = ks.status.as_ref().and_then(|status| status.inventory.as_ref());
        Self {
            began: Instant::now(),
            step: None,
            advertised_revision: None,
            attempted_revision: None,
            origin_revision: None,
            inventory: inventory.map(tracked),
            build_digest: None,
            evidence: None,
            changed: false,
            health: Health::Unasked,
            holding: Holding::Undecided,
            come_back: None,
        }
    }

    /// The inventory as the status holds it.
    pub(crate) fn status_inventory(&self) -> Option<ResourceInventory> {
        let entry = |tracked: &Tracked| ResourceRef {
            id: tracked.id.inventory_id(),
            v: tracked.version.clone(),
        };
        self.inventory
            .as_ref()
            .map(|tracked| ResourceInventory { entries: tracked.iter().map(entry).collect() })
    }
}

impl Step {
    /// What is going on, in Flux's words.
    pub(crate) fn message(&self) -> String {
        let doing = match self.phase {
            Phase::Fetch => "Fetching manifests",
            Phase::Build => "Building manifests",
            Phase::Apply => "Detecting drift",
            Phase::Health => "Running health checks",
        };
        let timeout = go_duration::format(self.timeout);
        format!("{doing} for revision {} with a timeout of {timeout}", self.revision)
    }
}

/// The objects of an inventory. An entry that cannot be read is left out: it names no object.
pub(crate) fn tracked(inventory: &ResourceInventory) -> Vec<Tracked> {
    let read = |entry: &ResourceRef| match ObjectId::from_inventory_id(&entry.id) {
        Ok(id) => Some(Tracked { id, version: entry.v.clone() }),
        Err(error) => {
            tracing::error!(%error, "an inventory entry is skipped");
            None
        }
    };
    inventory.entries.iter().filter_map(read).collect()
}
