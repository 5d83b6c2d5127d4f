//! What tests share.

use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use testbed::{Cluster, ControlPlane, Controller, GitServer, Options, Stack, StackFlags};

/// A cluster with our controllers, and a git server.
#[derive(Debug)]
pub struct World {
    // Dropped before the control plane, which they talk to.
    stack: tokio::sync::Mutex<Stack>,
    git: GitServer,
    cluster: Cluster,
    logs: Vec<PathBuf>,
    // `None` with USE_EXISTING_CLUSTER=true.
    _plane: Option<ControlPlane>,
    _scratch: Option<tempfile::TempDir>,
}

impl World {
    /// The world of this test run, made by the first test that needs it. Ending the process ends it.
    ///
    /// # Panics
    /// If it cannot be made; every test then says so.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<World, String>> = OnceLock::new();
        let made = SHARED.get_or_init(|| {
            // A thread of its own, because the caller's thread already drives a runtime.
            let maker = std::thread::spawn(|| {
                let runtime = tokio::runtime::Runtime::new()?;
                runtime.block_on(Self::new(StackFlags::default()))
            });
            match maker.join() {
                Ok(world) => world.map_err(|error| format!("{error:#}")),
                Err(_) => Err("the thread that made the world panicked".to_owned()),
            }
        });
        match made {
            Ok(world) => world,
            #[expect(clippy::panic, reason = "without a world no test can go on")]
            Err(error) => panic!("no test world: {error}"),
        }
    }

    /// A world of its own, for a test that disturbs others (it kills controllers, say).
    ///
    /// # Errors
    /// If a part does not start.
    pub async fn new(flags: StackFlags) -> Result<Self> {
        let (plane, scratch, cluster, dir) = if let Some(cluster) = Cluster::existing()? {
            let scratch = tempfile::tempdir()?;
            let dir = scratch.path().to_path_buf();
            (None, Some(scratch), cluster, dir)
        } else {
            let start = || ControlPlane::start(Options::default());
            let plane = tokio::task::spawn_blocking(start).await??;
            let (cluster, dir) = (plane.cluster().clone(), plane.dir().join("controllers"));
            (Some(plane), None, cluster, dir)
        };
        Stack::install_crds(&cluster, &repository_root().join("config/crds"))?;
        let programs = Controller::binary("source-controller")?;
        let programs = programs.parent().context("the programs are in no folder")?;
        let stack = Stack::start(programs, &cluster, &dir, flags).await?;
        Ok(Self {
            logs: stack.logs(),
            stack: tokio::sync::Mutex::new(stack),
            git: GitServer::http()?,
            cluster,
            _plane: plane,
            _scratch: scratch,
        })
    }

    /// How to reach the API server.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The git server; each test has repositories of its own on it.
    pub fn git(&self) -> &GitServer {
        &self.git
    }

    /// The controllers. Only a test with a world of its own may stop them.
    pub fn stack(&self) -> &tokio::sync::Mutex<Stack> {
        &self.stack
    }

    /// The logs of the controllers.
    pub fn logs(&self) -> &[PathBuf] {
        &self.logs
    }
}

/// The root of the checkout.
pub fn repository_root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_path_buf()
}
