//! A controller that a test has for itself.

use crate::Scene;
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use testbed::{Cluster, Controller};

/// The label that says which controller an object belongs to, as Flux's users shard their clusters.
/// The controllers of the world leave objects with it alone.
pub(crate) const LABEL: &str = "sharding.fluxcd.io/key";

/// A kustomize-controller or helm-controller beside the one of the world, with flags of its own. It
/// cares for the objects that it was [given](Self::object) alone, so it may be killed. Dropping it
/// ends it.
#[derive(Debug)]
pub struct Shard {
    name: &'static str,
    key: String,
    binary: PathBuf,
    flags: Vec<String>,
    cluster: Cluster,
    dir: tempfile::TempDir,
    /// Where it may put its own files, if it has such a place.
    home: Option<PathBuf>,
    // `None` only between a stop and the following start.
    controller: Option<Controller>,
}

impl Shard {
    /// Starts a kustomize-controller that reaches the API server by way of `cluster`. Whoever waits
    /// for what it does need not wait for its start.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(scene: &Scene, cluster: &Cluster, flags: &[&str]) -> Result<Self> {
        Self::start_one("kustomize-controller", scene, cluster, flags, None)
    }

    /// As [`Self::start`], one that has `home` for its home and its temporary files.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start_in(home: &Path, scene: &Scene, cluster: &Cluster) -> Result<Self> {
        Self::start_one("kustomize-controller", scene, cluster, &[], Some(home))
    }

    /// As [`Self::start`], a helm-controller.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start_helm(scene: &Scene, cluster: &Cluster, flags: &[&str]) -> Result<Self> {
        Self::start_one("helm-controller", scene, cluster, flags, None)
    }

    fn start_one(
        name: &'static str,
        scene: &Scene,
        cluster: &Cluster,
        flags: &[&str],
        home: Option<&Path>,
    ) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let key = format!("{}-{count}", scene.namespace().name());
        let own = [
            "--events-addr=",
            "--health-addr=127.0.0.1:0",
            "--metrics-addr=127.0.0.1:0",
            &format!("--watch-label-selector={LABEL}={key}"),
        ];
        let flags = own.iter().chain(flags).map(|flag| (*flag).to_owned()).collect();
        let mut shard = Self {
            name,
            key,
            binary: Controller::binary(name)?,
            flags,
            cluster: cluster.clone(),
            dir: tempfile::tempdir()?,
            home: home.map(Path::to_path_buf),
            controller: None,
        };
        shard.run()?;
        Ok(shard)
    }

    /// The object, labelled as this controller's.
    pub fn object(&self, mut object: Value) -> Value {
        object["metadata"]["labels"][LABEL] = json!(self.key);
        object
    }

    /// Ends it as `kill -9` does, does something, and starts another one.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn kill_and_restart(&mut self, between: impl FnOnce()) -> Result<()> {
        if let Some(controller) = self.controller.take() {
            controller.kill()?;
        }
        between();
        self.run()
    }

    /// Asks it to end (SIGTERM), waits until it has, does something, and starts another one. Answers
    /// how long the end took.
    ///
    /// # Errors
    /// If it did not end well, or another one cannot be started.
    pub fn stop_and_restart(&mut self, between: impl FnOnce()) -> Result<Duration> {
        let begun = Instant::now();
        if let Some(controller) = self.controller.take() {
            let end = controller.stop()?;
            ensure!(end.success(), "it ended with {end}");
        }
        let took = begun.elapsed();
        between();
        self.run()?;
        Ok(took)
    }

    /// Its process id; 0 if it has ended.
    pub fn pid(&self) -> u32 {
        self.controller.as_ref().map_or(0, Controller::pid)
    }

    fn run(&mut self) -> Result<()> {
        let (dir, name) = (self.dir.path(), self.name);
        let home = self.home.iter().map(PathBuf::as_path);
        let places: Vec<_> = home.flat_map(|home| [("HOME", home), ("TMPDIR", home)]).collect();
        let (flags, cluster) = (&self.flags, &self.cluster);
        let controller = Controller::start_with(name, &self.binary, flags, &places, cluster, dir)?;
        self.controller = Some(controller);
        Ok(())
    }
}

/// Tells what it logged when its test fails.
impl Drop for Shard {
    fn drop(&mut self) {
        if let Some(controller) = self.controller.as_ref().filter(|_| std::thread::panicking()) {
            let log = std::fs::read_to_string(controller.log_path()).unwrap_or_default();
            let lines: Vec<_> = log.lines().rev().take(40).collect();
            let lines: Vec<_> = lines.into_iter().rev().collect();
            #[expect(clippy::print_stderr, reason = "where a person looks who has a failed test")]
            {
                eprintln!("--- {}\n{}", self.key, lines.join("\n"));
            }
        }
    }
}
