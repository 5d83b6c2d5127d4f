//! The controller of sources: brings over what a source points to and offers it as an artifact.

mod context;
mod git_repository;
mod server;
mod settings;
mod summary;
mod unsupported;
mod watches;

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use artifact::Store;
use crd_types::source::GitRepository;
use git_client::{Client, Limits};
use reconcile_loop::{
    chain,
    controller::Controller,
    program::{self, Runtime},
    status::Writer,
};

pub use settings::Arguments;

use context::Context;
use git_repository::GitRepositories;

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

    let repositories = Controller::<GitRepository>::default();
    let writer = Arc::new(Writer::new(runtime.client.clone(), NAME));
    let ctx = Arc::new(Context {
        runtime: runtime.clone(),
        settings,
        writer: Arc::clone(&writer),
        repositories: repositories.store(),
        trigger: repositories.trigger(),
        store,
        git: Client::new(Limits::default()),
        scratch,
        secrets: watches::SecretWatch::default(),
    });
    let reconciler = Arc::new(GitRepositories(ctx));
    let others = runtime.clone();
    let loops = async {
        tokio::join!(
            repositories.run(runtime, writer, reconciler, arguments.concurrent),
            unsupported::answer_all(&others),
        )
    };
    tokio::select! {
        _ = loops => Ok(()),
        ended = server => Err(format!("the artifact server ended: {ended}")),
    }
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
