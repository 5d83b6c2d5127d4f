//! `cargo xtask setup`.

use crate::repository;
use anyhow::{Context as _, Result, ensure};
use std::process::Command;
use std::thread::JoinHandle;
use testbed_programs::Program;

/// What a command needs of the set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A cluster to run the controllers on.
    ControlPlane,
    /// And the real tools that tests compare with.
    Tests,
}

/// Builds what `scope` names unless the cache holds it. Says nothing when there is nothing to do.
pub(crate) fn complete(scope: Scope) -> Result<()> {
    check_git()?;
    let mut programs = Program::CONTROL_PLANE.to_vec();
    if scope == Scope::Tests {
        programs.extend(Program::TOOLS);
    }
    testbed_programs::build(&repository::root(), &programs, &mut |line| println!("setup: {line}"))?;
    Ok(())
}

/// The same beside other work: Go and cargo each have stretches that use one core only.
pub(crate) fn in_background(scope: Scope) -> JoinHandle<Result<()>> {
    std::thread::spawn(move || complete(scope))
}

/// Waits for [`in_background`].
pub(crate) fn join(setup: JoinHandle<Result<()>>) -> Result<()> {
    setup.join().map_err(|_panic| anyhow::anyhow!("the set-up panicked"))?
}

pub(crate) fn run() -> Result<()> {
    complete(Scope::Tests)?;
    println!("the programs are in {}", testbed_programs::cache_dir().display());
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
