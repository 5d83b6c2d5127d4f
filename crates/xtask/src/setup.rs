//! `cargo xtask setup`.

use crate::repository;
use anyhow::{Context as _, Result, ensure};
use std::process::Command;
use std::thread::JoinHandle;

/// Builds the control plane unless the cache holds it. Says nothing when there is nothing to do.
pub(crate) fn complete() -> Result<()> {
    check_git()?;
    control_plane_assets::build(&repository::root(), &mut |line| println!("setup: {line}"))?;
    Ok(())
}

/// The same beside other work: Go and cargo each have stretches that use one core only.
pub(crate) fn in_background() -> JoinHandle<Result<()>> {
    std::thread::spawn(complete)
}

/// Waits for [`in_background`].
pub(crate) fn join(setup: JoinHandle<Result<()>>) -> Result<()> {
    setup.join().map_err(|_panic| anyhow::anyhow!("the set-up panicked"))?
}

pub(crate) fn run() -> Result<()> {
    complete()?;
    println!("the control plane is in {}", control_plane_assets::cache_dir().display());
    Ok(())
}

/// The local git servers are real git behind a small HTTP server.
fn check_git() -> Result<()> {
    let path = Command::new("git").arg("--exec-path").output();
    let path = path.context("git is missing: install it (https://git-scm.com/downloads)")?;
    let folder = String::from_utf8_lossy(&path.stdout).trim().to_owned();
    let backend = std::path::Path::new(&folder).join("git-http-backend");
    ensure!(
        backend.is_file(),
        "git has no `http-backend`: some distributions put it into a package of its own, `git-daemon`"
    );
    Ok(())
}
