//! One of our programs under test.

use crate::{Cluster, Process};
use anyhow::{Context as _, Result, bail};
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A controller that runs against a cluster, with its flags and its log.
#[derive(Debug)]
pub struct Controller {
    process: Process,
}

impl Controller {
    /// Starts `binary` with `flags`; its log goes to `dir/NAME.log`. `KUBECONFIG` and
    /// `RUNTIME_NAMESPACE=flux-system` are set.
    ///
    /// # Errors
    /// If the binary cannot be started.
    pub fn start(
        name: &str,
        binary: &Path,
        flags: &[String],
        cluster: &Cluster,
        dir: &Path,
    ) -> Result<Self> {
        Self::start_with(name, binary, flags, &[], cluster, dir)
    }

    /// The same with further variables in its environment.
    ///
    /// # Errors
    /// If the binary cannot be started.
    pub fn start_with(
        name: &str,
        binary: &Path,
        flags: &[String],
        environment: &[(&str, &Path)],
        cluster: &Cluster,
        dir: &Path,
    ) -> Result<Self> {
        let mut command = Command::new(binary);
        command
            .args(flags)
            .envs(environment.iter().copied())
            .env("KUBECONFIG", cluster.kubeconfig())
            .env("RUNTIME_NAMESPACE", "flux-system");
        let process = Process::start(name, &command, dir)?;
        Ok(Self { process })
    }

    /// The program `name` of this repository, as cargo built it beside the running test.
    ///
    /// # Errors
    /// If it is not there: cargo builds a package's programs only for that package's own tests.
    pub fn binary(name: &str) -> Result<PathBuf> {
        let own = std::env::current_exe()?;
        // target/PROFILE/deps/test-HASH, or target/PROFILE/program
        let mut dirs = own.ancestors().skip(1).take(2);
        dirs.find_map(|dir| Some(dir.join(name)).filter(|path| path.is_file())).with_context(|| {
            format!("{name} is not built; run `cargo xtask test`, or `cargo build --workspace`")
        })
    }

    /// The process behind it.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// The name given at the start.
    pub fn name(&self) -> &str {
        self.process.name()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Where it logs.
    pub fn log_path(&self) -> &Path {
        self.process.log_path()
    }

    /// SIGTERM, then waits for its end.
    ///
    /// # Errors
    /// If its end could not be observed.
    pub fn stop(self) -> Result<std::process::ExitStatus> {
        self.process.stop()
    }

    /// SIGKILL, then waits for its end.
    ///
    /// # Errors
    /// If its end could not be observed.
    pub fn kill(self) -> Result<std::process::ExitStatus> {
        self.process.kill()
    }
}

/// A TCP port of the loopback that nobody listens on now. For programs that cannot be told to choose
/// one themselves and to say which.
///
/// # Errors
/// If the loopback has no free port.
pub fn free_port() -> Result<u16> {
    // Systems give ports above to those who do not care, and connections take thousands of them: one
    // of those would be somebody else's before the program has started.
    const PORTS: std::ops::Range<u64> = 10_000..26_000;
    for _ in 0..100 {
        let random = RandomState::new().hash_one("port") % (PORTS.end - PORTS.start);
        let port = u16::try_from(PORTS.start + random)?;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("the loopback has no free port")
}
