//! What every reconciliation of a process shares.

use std::sync::Arc;

use artifact::Shelf;
use cel_expressions::ReadyExpressions;
use cluster_apply::{Clusters, InventoryWatch};
use crd_types::kustomize::Kustomization;
use key_services::Bearers;
use kube::runtime::reflector::Store;
use reconcile_loop::controller::Trigger;
use reconcile_loop::dependents::Dependents;
use reconcile_loop::program::Runtime;
use reconcile_loop::references::InputWatch;
use reconcile_loop::status::Writer;

use crate::kustomization::memory::Memory;
use crate::kustomization::prune::HandOvers;
use crate::settings::Settings;
use crate::sources::Sources;

/// What every reconciliation of a process shares.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) runtime: Runtime,
    pub(crate) settings: Settings,
    /// The one writer of status.
    pub(crate) writer: Arc<Writer<Kustomization>>,
    /// The Kustomizations, as the watch last saw them.
    pub(crate) store: Store<Kustomization>,
    /// The way to ask for a reconciliation.
    pub(crate) trigger: Trigger<Kustomization>,
    /// What Kustomizations refer to.
    pub(crate) sources: Sources,
    /// Opened artifacts.
    pub(crate) shelf: Shelf,
    /// The way to bases of other repositories; none if they are refused.
    pub(crate) bases: Option<Arc<git_client::Client>>,
    /// The way to key services.
    pub(crate) key_services: Arc<Bearers>,
    /// The clusters that are applied to.
    pub(crate) clusters: Clusters,
    /// Tells which objects moved.
    pub(crate) drift: InventoryWatch,
    /// Watches what variables come from.
    pub(crate) inputs: InputWatch,
    /// When dependencies are ready, where an expression says so.
    pub(crate) ready: ReadyExpressions,
    /// Who waits for whom.
    pub(crate) dependents: Dependents<Kustomization>,
    /// Which deletions wait for whom.
    pub(crate) hand_overs: HandOvers,
    /// What is remembered between runs.
    pub(crate) memory: Memory,
}
