//! Calling cargo, always with the same selection and profile, so that nothing is compiled twice.

use crate::repository;
use anyhow::{Context as _, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A cargo profile that we build programs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    Dev,
    Release,
}

/// Runs `cargo ARGS` in the repository with its output on the terminal.
pub(crate) fn run(args: &[&str]) -> Result<()> {
    run_with(args, &[])
}

/// As [`run`], with environment variables.
pub(crate) fn run_with(args: &[&str], env: &[(&str, &str)]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(repository::root())
        .args(args)
        .envs(env.iter().copied())
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "`cargo {}` failed", args.join(" "));
    Ok(())
}

/// The output of `cargo ARGS`.
pub(crate) fn output(args: &[&str]) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo).current_dir(repository::root()).args(args).output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`cargo {}` failed: {stderr}", args.join(" "));
    Ok(String::from_utf8(output.stdout)?)
}

/// Builds `packages` and returns the directory that holds their programs.
pub(crate) fn programs(packages: &[&str], profile: Profile) -> Result<PathBuf> {
    let mut args = vec!["build", "--bins"];
    args.extend(packages.iter().flat_map(|package| ["-p", package]));
    if profile == Profile::Release {
        args.push("--release");
    }
    run(&args)?;
    program_dir(profile)
}

/// Where cargo puts programs. We are one of them, so no need to ask.
pub(crate) fn program_dir(profile: Profile) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let target = own.ancestors().nth(2).context("this program is not in a target directory")?;
    Ok(Path::new(target).join(match profile {
        Profile::Dev => "debug",
        Profile::Release => "release",
    }))
}
