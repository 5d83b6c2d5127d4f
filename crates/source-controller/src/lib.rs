//! The controller of sources: brings over what a source points to and offers it as an artifact.

mod bucket;
mod context;
mod git_repository;
mod helm_chart;
mod helm_repository;
mod indexes;
mod oci_repository;
mod server;
mod settings;
mod source;
mod summary;
mod watches;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use artifact::{Fetcher, Store, fetch};
use crd_types::source::{Bucket, GitRepository, HelmChart, HelmRepository, OCIRepository};
use git_client::{Client, Limits};
use reconcile_loop::{
    chain,
    controller::{Controller, Reconciler},
    program::{self, Runtime},
    references::InputWatch,
    status::{FluxKind, Writer},
};

pub use settings::Arguments;

use bucket::Buckets;
use context::Context;
use git_repository::GitRepositories;
use helm_chart::HelmCharts;
use helm_repository::HelmRepositories;
use indexes::Indexes;
use oci_repository::OciRepositories;
use source::{Loop, Source};

/// The name of the controller, and the field manager of everything it writes.
const NAME: &str = "source-controller";

/// Below the storage, out of sight of the artifact server: what is being worked on.
const SCRATCH: &str = ".scratch";

/// Runs the controller until it is asked to end.
pub fn run(arguments: Arguments) -> ExitCode {
    let flags = arguments.flags.clone();
    program::run(NAME, flags, |runtime| main(arguments, runtime))
}

async fn main(arguments: Arguments, runtime: Runtime) -> Result<(), String> {
    let settings = arguments.settings().map_err(|error| chain(&error))?;
    let store = Store::open(&arguments.storage_path, settings.digest_algorithm)
        .map_err(|error| chain(&error))?;
    let scratch = clean_scratch(&store)
        .map_err(|error| format!("cannot make a working directory in the storage: {error}"))?;
    let store = Arc::new(store);
    let server = server::start(&arguments.storage_addr, Arc::clone(&store), &runtime).await?;

    let git_repositories = Controller::<GitRepository>::default();
    let helm_repositories = Controller::<HelmRepository>::default();
    let helm_charts = Controller::<HelmChart>::default();
    let oci_repositories = Controller::<OCIRepository>::default();
    let buckets = Controller::<Bucket>::default();
    let fetcher = Fetcher::new(fetch::Settings { retries: 0, ..fetch::Settings::default() })
        .map_err(|error| format!("cannot set up downloads: {}", chain(&error)))?;
    let ctx = Arc::new(Context {
        runtime: runtime.clone(),
        git_repositories: wired(&git_repositories, &runtime),
        helm_repositories: wired(&helm_repositories, &runtime),
        helm_charts: wired(&helm_charts, &runtime),
        oci_repositories: wired(&oci_repositories, &runtime),
        buckets: wired(&buckets, &runtime),
        indexes: Indexes::new(settings.indexes, &runtime.metrics),
        settings,
        store,
        clients: Arc::default(),
        fetcher,
        git: Client::new(Limits::default()),
        scratch,
        inputs: InputWatch::default(),
    });
    let bucket_writer = Arc::clone(&ctx.buckets.writer);
    let workers = arguments.concurrent;
    let loops = async {
        tokio::join!(
            run_kind(git_repositories, GitRepositories(Arc::clone(&ctx)), &ctx, workers),
            run_kind(helm_repositories, HelmRepositories(Arc::clone(&ctx)), &ctx, workers),
            run_kind(helm_charts, HelmCharts(Arc::clone(&ctx)), &ctx, workers),
            run_kind(oci_repositories, OciRepositories(Arc::clone(&ctx)), &ctx, workers),
            buckets.run(runtime.clone(), bucket_writer, Arc::new(Buckets(Arc::clone(&ctx))), 1),
        )
    };
    tokio::select! {
        _ = loops => Ok(()),
        never = ctx.indexes.purge() => match never {},
        ended = server => Err(format!("the artifact server ended: {ended}")),
    }
}

/// What the reconciliations of a kind work with.
fn wired<K: FluxKind<DynamicType = ()>>(controller: &Controller<K>, runtime: &Runtime) -> Loop<K> {
    Loop {
        writer: Arc::new(Writer::new(runtime.client.clone(), NAME)),
        objects: controller.store(),
        trigger: controller.trigger(),
    }
}

/// Runs the loop of a kind until the process is asked to end.
async fn run_kind<R: Reconciler<Kind: Source>>(
    controller: Controller<R::Kind>,
    reconciler: R,
    ctx: &Arc<Context>,
    workers: u16,
) {
    let writer = Arc::clone(&<R::Kind as Source>::of(ctx).writer);
    controller.run(ctx.runtime.clone(), writer, Arc::new(reconciler), workers).await;
}

/// Nobody else works here, so whatever is there was left by a process that was killed.
fn clean_scratch(store: &Store) -> std::io::Result<PathBuf> {
    let scratch = store.root().join(SCRATCH);
    if scratch.exists() {
        std::fs::remove_dir_all(&scratch)?;
    }
    std::fs::create_dir(&scratch)?;
    Ok(scratch)
}
