//! What tests share.

use anyhow::{Context as _, Result};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};
use testbed::{Cluster, ControlPlane, Controller, GitServer, Options, Stack, StackFlags};

/// A cluster that has our custom resources, but not yet our controllers.
#[derive(Debug)]
pub struct Ground {
    cluster: Cluster,
    dir: PathBuf,
    // Owners of what the other fields name. No plane with USE_EXISTING_CLUSTER=true.
    plane: Option<Mutex<ControlPlane>>,
    _scratch: Option<tempfile::TempDir>,
}

impl Ground {
    /// The one of this test run. Ending the process ends it.
    ///
    /// # Panics
    /// If it cannot be made; every test then says so.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<Ground, String>> = OnceLock::new();
        once(&SHARED, Self::new)
    }

    fn new() -> Result<Self> {
        let ground = if let Some(cluster) = Cluster::existing()? {
            let scratch = tempfile::tempdir()?;
            let dir = scratch.path().to_path_buf();
            Self { cluster, dir, plane: None, _scratch: Some(scratch) }
        } else {
            let plane = ControlPlane::start(Options::default())?;
            let (cluster, dir) = (plane.cluster().clone(), plane.dir().join("controllers"));
            Self { cluster, dir, plane: Some(Mutex::new(plane)), _scratch: None }
        };
        Stack::install_crds(&ground.cluster, &repository_root().join("config/crds"))?;
        Ok(ground)
    }

    /// How to reach the API server.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }
}

/// A cluster with our controllers, and a git server.
#[derive(Debug)]
pub struct World {
    ground: &'static Ground,
    stack: tokio::sync::Mutex<Stack>,
    git: GitServer,
    logs: Vec<PathBuf>,
}

impl World {
    /// The one of this test run, made by the first test that needs it.
    ///
    /// # Panics
    /// If it cannot be made; every test then says so.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<World, String>> = OnceLock::new();
        once(&SHARED, || Self::on(Ground::shared(), StackFlags::with_helm()))
    }

    /// Another one, with a cluster of its own, for a test that disturbs others (it kills controllers,
    /// say). It too ends with the process.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn own() -> &'static Self {
        Self::own_with(StackFlags::with_helm())
    }

    /// As [`Self::own`], with other flags, or without a helm-controller.
    ///
    /// # Panics
    /// If it cannot be made.
    pub fn own_with(flags: StackFlags) -> &'static Self {
        let world = OnceLock::new();
        let make = || Self::on(Box::leak(Box::new(Ground::new()?)), flags);
        once(Box::leak(Box::new(world)), make)
    }

    fn on(ground: &'static Ground, mut flags: StackFlags) -> Result<Self> {
        let programs = Controller::binary("source-controller")?;
        let programs = programs.parent().context("the programs are in no folder")?;
        let gates = "--feature-gates=ObjectLevelWorkloadIdentity=true";
        flags.kustomize.push(gates.to_owned());
        flags.kustomize.push(format!("--watch-label-selector=!{}", crate::shard::LABEL));
        if let Some(helm) = &mut flags.helm {
            helm.push(format!("--watch-label-selector=!{}", crate::shard::LABEL));
            helm.push(format!("{gates},AllowDNSLookups=true"));
        }
        let start = Stack::start(programs, &ground.cluster, &ground.dir, flags);
        let stack = tokio::runtime::Runtime::new()?.block_on(start)?;
        let logs = stack.logs();
        Ok(Self { ground, stack: tokio::sync::Mutex::new(stack), git: GitServer::http()?, logs })
    }

    /// How to reach the API server.
    pub fn cluster(&self) -> &Cluster {
        self.ground.cluster()
    }

    /// The git server; each test has repositories of its own on it.
    pub fn git(&self) -> &GitServer {
        &self.git
    }

    /// Ends the API server as `kill -9` does, does something, and starts it again. Only a test with a
    /// world of its own may do so. Blocks the calling thread.
    ///
    /// # Errors
    /// If it does not come up again, or if it is not ours.
    pub fn kill_and_restart_api_server(&self, between: impl FnOnce()) -> Result<()> {
        let plane = self.ground.plane.as_ref().context("the API server is not ours to kill")?;
        let mut plane = plane.lock().unwrap_or_else(PoisonError::into_inner);
        plane.kill_and_restart_api_server(between)
    }

    /// Where the controllers log.
    pub fn dir(&self) -> &Path {
        &self.ground.dir
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

/// Makes what `cell` holds, in a thread of its own because the caller's already drives a runtime.
fn once<T: Send + Sync>(
    cell: &'static OnceLock<Result<T, String>>,
    make: impl FnOnce() -> Result<T> + Send,
) -> &'static T {
    let kept = cell.get_or_init(|| {
        let end = std::thread::scope(|scope| scope.spawn(make).join());
        match end {
            Ok(value) => value.map_err(|error| format!("{error:#}")),
            Err(_) => Err("its thread panicked".to_owned()),
        }
    });
    match kept {
        Ok(value) => value,
        #[expect(clippy::panic, reason = "without a world no test can go on")]
        Err(error) => panic!("the tests have no world: {error}"),
    }
}
