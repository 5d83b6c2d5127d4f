//! A notification-controller that a test has for itself.

use crate::World;
use anyhow::{Result, ensure};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use testbed::{Controller, free_port};

/// A notification-controller beside others, with flags of its own: whoever wants it to hear of
/// something tells it so. Dropping it ends it.
#[derive(Debug)]
pub struct Replica {
    controller: Controller,
    event_port: u16,
    webhook_port: u16,
    metrics_port: u16,
}

impl Replica {
    /// Starts one on the cluster of `world`. Requests to it wait until it is ready.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(world: &World, flags: &[&str], environment: &[(&str, &Path)]) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("notification-controller-{count}");
        let (event_port, webhook_port, metrics_port) = (free_port()?, free_port()?, free_port()?);
        let mut flags: Vec<_> = flags.iter().map(|flag| (*flag).to_owned()).collect();
        flags.push(format!("--events-addr=127.0.0.1:{event_port}"));
        flags.push(format!("--receiverAddr=127.0.0.1:{webhook_port}"));
        flags.push(format!("--metrics-addr=127.0.0.1:{metrics_port}"));
        flags.push("--health-addr=127.0.0.1:0".to_owned());
        let binary = Controller::binary("notification-controller")?;
        let (cluster, dir) = (world.cluster(), world.dir());
        let controller = Controller::start_with(&name, &binary, &flags, environment, cluster, dir)?;
        Ok(Self { controller, event_port, webhook_port, metrics_port })
    }

    /// Where it takes events, without a path.
    pub fn events(&self) -> String {
        format!("http://127.0.0.1:{}", self.event_port)
    }

    /// Where it takes webhooks, without a path.
    pub fn webhooks(&self) -> String {
        format!("http://127.0.0.1:{}", self.webhook_port)
    }

    /// Where it tells its metrics.
    pub fn metrics(&self) -> String {
        format!("http://127.0.0.1:{}/metrics", self.metrics_port)
    }

    /// What it has logged so far.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.controller.log_path())?)
    }

    /// Asks it to end, and waits until it has.
    ///
    /// # Errors
    /// If its end could not be observed, or is none that is wanted.
    pub fn stop(self) -> Result<()> {
        let end = self.controller.stop()?;
        ensure!(end.success(), "it ended with {end}");
        Ok(())
    }

    /// Ends it without warning.
    ///
    /// # Errors
    /// If its end could not be observed.
    pub fn kill(self) -> Result<()> {
        self.controller.kill().map(drop)
    }
}
