//! The controller of Kustomizations: builds what a source's artifact holds and keeps the cluster
//! as it says.

mod context;
mod kustomization;
mod settings;
mod sources;
mod watches;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use artifact::{Fetcher, Shelf, fetch, open};
use cel_expressions::ReadyExpressions;
use cluster_apply::{Clusters, Fence, InventoryWatch};
use key_services::{Ambient, Bearers, Limits};
use reconcile_loop::controller::Controller;
use reconcile_loop::dependents::Dependents;
use reconcile_loop::election::Leadership;
use reconcile_loop::program::{self, Runtime};
use reconcile_loop::references::InputWatch;
use reconcile_loop::status::Writer;

pub use settings::Arguments;

use context::Context;
use kustomization::Kustomizations;
use sources::Sources;

/// The name of the controller, under which its objects are applied.
const NAME: &str = "kustomize-controller";
/// The field manager of its own objects' status and finalizers.
const STATUS_MANAGER: &str = "gotk-kustomize-controller";
/// Limit: bytes of opened artifacts that are kept although nobody uses them.
const SHELF_BYTES: u64 = 32 << 20;

/// Limit: tokens that clouds gave service accounts, kept for their keys.
const TOKENS: Limits = Limits { tokens: 100, longest: Duration::from_hours(1) };

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
    let writer = Writer::new(runtime.client.clone(), STATUS_MANAGER).fenced(leadership.clone());
    let writer = Arc::new(writer);
    let fetcher = Fetcher::new(fetch::Settings {
        retries: arguments.http_retry,
        ..fetch::Settings::default()
    });
    let fetcher = fetcher.map_err(|error| format!("cannot set up downloads: {error}"))?;
    let key_services = key_services::Client::new();
    let key_services =
        key_services.map_err(|error| format!("cannot set up key services: {error}"))?;
    let endpoints = settings.key_services.clone();
    let key_services = Bearers::new(key_services, endpoints, Ambient::default(), TOKENS);
    let hosts = &arguments.remote_base_hosts;
    let bases =
        (!arguments.no_remote_bases).then(|| Arc::new(kustomization::remote_bases::client(hosts)));
    let clusters =
        Clusters::with_client(runtime.client.clone(), apply_settings(&arguments, leadership));
    let (drift, moved) = InventoryWatch::start(clusters.local());
    let on_source = watches::on_source(store.clone(), trigger.clone());
    let ctx = Arc::new(Context {
        sources: Sources::watch(&runtime, on_source),
        bases,
        key_services: Arc::new(key_services),
        shelf: Shelf::new(fetcher, open::Limits::default(), SHELF_BYTES),
        runtime: runtime.clone(),
        writer: Arc::clone(&writer),
        ready: ReadyExpressions::default(),
        dependents: Dependents::default(),
        inputs: InputWatch::default(),
        hand_overs: kustomization::prune::HandOvers::default(),
        memory: kustomization::memory::Memory::default(),
        settings,
        store,
        trigger,
        clusters,
        drift,
    });
    let drift = tokio::spawn(watches::on_drift(Arc::clone(&ctx), moved));
    let reconciler = Arc::new(Kustomizations(ctx));
    controller.run(runtime, writer, reconciler, arguments.concurrent).await;
    drift.abort();
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
    let mut settings = cluster_apply::Settings::kustomize_controller();
    for manager in &arguments.override_manager {
        settings.override_manager(manager);
    }
    for kind in &arguments.custom_apply_stage_kinds {
        let (group, kind) = kind.split_once('/').unwrap_or(("", kind));
        settings
            .custom_stage
            .push(manifest::GroupKind { group: group.to_owned(), kind: kind.to_owned() });
    }
    settings.fence = Some(Arc::new(LeaderFence(leadership)));
    settings.concurrency = usize::from(arguments.concurrent_ssa);
    settings.watch_limit = arguments.flags.watch_timeout;
    settings
}
