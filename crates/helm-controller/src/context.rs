//! What every reconciliation of a process shares.

use std::sync::Arc;
use std::time::Duration;

use artifact::Fetcher;
use cel_expressions::ReadyExpressions;
use cluster_apply::Clusters;
use crd_types::helm::HelmRelease;
use helm_render::TemplateCache;
use kube::runtime::reflector::{ObjectRef, Store};
use reconcile_loop::controller::Trigger;
use reconcile_loop::dependents::Dependents;
use reconcile_loop::program::Runtime;
use reconcile_loop::status::Writer;
use tokio::sync::Semaphore;

use crate::charts::Charts;
use crate::helm_release::memory::Memory;
use crate::inputs::Inputs;
use crate::settings::Settings;
use crate::sources::Sources;

/// What every reconciliation of a process shares.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) runtime: Runtime,
    pub(crate) settings: Settings,
    /// The one writer of status.
    pub(crate) writer: Arc<Writer<HelmRelease>>,
    /// The HelmReleases, as the watch last saw them.
    pub(crate) store: Store<HelmRelease>,
    /// The way to ask for a reconciliation.
    pub(crate) trigger: Trigger<HelmRelease>,
    /// What HelmReleases refer to.
    pub(crate) sources: Sources,
    /// Brings artifacts here.
    pub(crate) fetcher: Fetcher,
    /// How long a download may take with all its repetitions.
    pub(crate) fetch_patience: Duration,
    /// Loaded charts.
    pub(crate) charts: Charts,
    /// Parsed templates.
    pub(crate) templates: Arc<TemplateCache>,
    /// What is remembered between turns.
    pub(crate) memory: Arc<Memory>,
    /// Watches what values come from.
    pub(crate) inputs: Inputs,
    /// Places for actions, as many as there are workers: an action that waits holds none.
    pub(crate) places: Arc<Semaphore>,
    /// The clusters that are installed to.
    pub(crate) clusters: Clusters,
    /// Expressions by which dependencies are ready.
    pub(crate) ready_expressions: ReadyExpressions,
    /// Who waits for whom.
    pub(crate) dependents: Dependents<HelmRelease>,
}

impl Context {
    /// Asks for a turn because something has changed.
    pub(crate) fn wake(&self, key: ObjectRef<HelmRelease>) {
        self.memory.wake(key, &self.trigger);
    }
}
