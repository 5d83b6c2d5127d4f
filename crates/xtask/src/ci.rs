//! `cargo xtask ci`: what must pass before a change lands.

use crate::steps::Steps;
use crate::{cargo, lab, setup, tests, tidy};
use anyhow::Result;

/// Cheap checks come first, and all builds select the whole workspace: with another selection cargo
/// would choose other features and compile the big dependencies again.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::default();
    steps.run("format", || cargo::run(&["fmt", "--all", "--check"]))?;
    let control_plane = setup::in_background(setup::Scope::Tests);
    steps.run("tidy", tidy::run)?;
    steps.run("clippy", || {
        cargo::run(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
    })?;
    steps.run("build", tests::build)?;
    steps.run("codegen --check", || lab::built("codegen", &["--check"]))?;
    steps.run("control plane", || setup::join(control_plane))?;
    steps.run("docs", || {
        let deny = [("RUSTDOCFLAGS", "-D warnings")];
        cargo::run_with(&["doc", "--workspace", "--no-deps"], &deny)
    })?;
    // Last, so that the last lines are the tests' own.
    let tests = steps.run("test", || tests::test(&[], false));
    if tests.is_ok() {
        steps.summary();
    }
    tests
}
