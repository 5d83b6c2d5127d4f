//! `cargo xtask test`.

use crate::{cargo, setup};
use anyhow::Result;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Tests also what otherwise is left out for its length.
    #[arg(long)]
    all: bool,
    /// For `cargo test`, for example `-p yaml` or `-- some_name`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let control_plane = setup::in_background(setup::Scope::Tests);
    build()?;
    setup::join(control_plane)?;
    let rest: Vec<_> = arguments.rest.iter().map(String::as_str).collect();
    test(&rest, arguments.all)
}

/// Builds all programs and tests. The system tests start the programs, which `cargo test` alone would
/// not build, because they belong to other packages.
pub(crate) fn build() -> Result<()> {
    cargo::run(&["build", "--workspace", "--all-targets"])
}

/// Not nextest: it runs each test in a process of its own, and each would start a control plane.
pub(crate) fn test(rest: &[&str], all: bool) -> Result<()> {
    let selected = rest.iter().take_while(|arg| **arg != "--").any(|arg| arg.starts_with("-p"));
    let mut args = vec!["test", "--no-fail-fast"];
    if !selected {
        args.push("--workspace");
    }
    args.extend(rest);
    // A snapshot that nobody has looked at must fail, not be written.
    let mut env = vec![("INSTA_UPDATE", "no")];
    if all {
        env.push(("FERROFLUX_TEST_ALL", "true"));
    }
    cargo::run_with(&args, &env)
}
