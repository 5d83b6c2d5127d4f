//! The controller of HelmReleases: installs what a source's chart renders, and keeps it as the
//! object says.

mod charts;
mod context;
mod helm_release;
mod inputs;
mod settings;
mod sources;
mod watches;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use artifact::{Fetcher, fetch};
use cel_expressions::ReadyExpressions;
use cluster_apply::{Cleanup, Clusters, Fence};
use reconcile_loop::controller::Controller;
use reconcile_loop::dependents::Dependents;
use reconcile_loop::election::Leadership;
use reconcile_loop::program::{self, Runtime};
use reconcile_loop::status::Writer;
use tokio::sync::Semaphore;

pub use settings::Arguments;

use crate::helm_release::HelmReleases;
use crate::helm_release::memory::Memory;
use charts::Charts;
use context::Context;
use inputs::Inputs;
use sources::{Source, SourceKey, Sources};

/// The name of the controller, and the field manager of all that it writes.
const NAME: &str = "helm-controller";
/// Limit: bytes of chart files that are kept although nobody uses them.
const CHART_BYTES: usize = 16 << 20;
/// Limit: bytes of templates that are kept parsed.
const TEMPLATE_BYTES: usize = 4 << 20;
/// Limit: bytes of one chart archive.
const ARCHIVE_BYTES: u64 = 32 << 20;
/// Limit: how long one download may take with all its repetitions. A chart that takes longer is
/// asked for again, so that no worker is held.
const FETCH_PATIENCE: Duration = Duration::from_mins(2);

/// Runs the controller until it is asked to end.
pub fn run(arguments: Arguments) -> ExitCode {
    let flags = arguments.flags.clone();
    program::run(NAME, flags, |runtime| main(arguments, runtime))
}

async fn main(arguments: Arguments, runtime: Runtime) -> Result<(), String> {
    let settings = arguments.settings().map_err(|error| error.to_string())?;
    let controller = Controller::default();
    let (store, trigger) = (controller.store(), controller.trigger());
    let leadership = runtime.leadership.clone();
    let writer = Writer::new(runtime.client.clone(), NAME).fenced(leadership.clone());
    let writer = Arc::new(writer);
    let fetcher = Fetcher::new(fetch::Settings {
        retries: arguments.http_retry,
        idle_timeout: arguments.http_timeout,
        max_bytes: ARCHIVE_BYTES,
        ..fetch::Settings::default()
    });
    let fetcher = fetcher.map_err(|error| format!("cannot set up downloads: {error}"))?;
    let clusters =
        Clusters::with_client(runtime.client.clone(), apply_settings(&arguments, leadership));
    let memory = Arc::new(Memory::default());
    let wake = {
        let (memory, trigger) = (Arc::clone(&memory), trigger.clone());
        move |key, source: &SourceKey, offer: &Source| {
            memory.wake_by(key, |basis| watches::cause(source, offer, basis), &trigger);
        }
    };
    let on_source = watches::on_source(store.clone(), wake, settings.patience.is_none());
    let external = settings.external_artifacts;
    let ctx = Arc::new(Context {
        sources: Sources::watch(&runtime, external, on_source),
        runtime: runtime.clone(),
        writer: Arc::clone(&writer),
        charts: Charts::new(CHART_BYTES),
        templates: Arc::new(helm_render::TemplateCache::new(TEMPLATE_BYTES)),
        memory,
        inputs: Inputs::default(),
        ready_expressions: ReadyExpressions::default(),
        fetch_patience: FETCH_PATIENCE,
        dependents: Dependents::default(),
        places: Arc::new(Semaphore::new(arguments.concurrent.into())),
        settings,
        store,
        trigger,
        fetcher,
        clusters,
    });
    controller.run(runtime, writer, Arc::new(HelmReleases(ctx)), arguments.concurrent).await;
    Ok(())
}

/// Stops writes to the cluster when another process leads.
#[derive(Debug)]
struct LeaderFence(Leadership);

impl Fence for LeaderFence {
    fn may_write(&self) -> bool {
        self.0.held()
    }
}

fn apply_settings(arguments: &Arguments, leadership: Leadership) -> cluster_apply::Settings {
    let mut settings = cluster_apply::Settings {
        field_manager: NAME.to_owned(),
        key_prefix: "helm.toolkit.fluxcd.io".to_owned(),
        cleanup: Cleanup::default(),
        custom_stage: Vec::new(),
        concurrency: 4,
        watch_limit: arguments.flags.watch_timeout,
        fence: Some(Arc::new(LeaderFence(leadership))),
    };
    for manager in &arguments.override_manager {
        settings.override_manager(manager);
    }
    settings
}
