//! Commands that need more than this program holds: `lab` has the Kubernetes client, `parity` the engines.

use crate::cargo::{self, Profile};
use crate::repository;
use crate::setup::{self, Scope};
use anyhow::{Context as _, Result, ensure};
use std::path::Path;
use std::process::Command;

/// Arguments that are passed on as they are; `--help` shows what there is.
#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Rest {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

impl Rest {
    /// Whether the first argument is `word`.
    pub(crate) fn is_for(&self, word: &str) -> bool {
        self.rest.first().is_some_and(|first| first == word)
    }
}

/// The programs of a running ferroflux.
const CONTROLLERS: &[&str] =
    &["source-controller", "kustomize-controller", "helm-controller", "notification-controller"];

/// Builds the controllers and the control plane, then runs `lab COMMAND`.
pub(crate) fn on_a_control_plane(command: &str, rest: &Rest, profile: Profile) -> Result<()> {
    let control_plane = setup::in_background(Scope::ControlPlane);
    let programs = cargo::programs(&[&["lab"], CONTROLLERS].concat(), profile)?;
    setup::join(control_plane)?;
    start(&programs.join("lab"), &[&[command.to_owned()], &rest.rest[..]].concat())
}

/// A control plane without controllers: they may be just what does not compile now.
pub(crate) fn bare_control_plane(rest: &Rest) -> Result<()> {
    setup::complete(Scope::ControlPlane)?;
    run("control-plane", rest)
}

/// Runs `lab COMMAND`, which needs nothing but itself.
pub(crate) fn run(command: &str, rest: &Rest) -> Result<()> {
    let programs = cargo::programs(&["lab"], Profile::Dev)?;
    start(&programs.join("lab"), &[&[command.to_owned()], &rest.rest[..]].concat())
}

/// Measures the engines against the golden tables; optimised, because there are thousands of cases.
pub(crate) fn parity(rest: &Rest) -> Result<()> {
    let programs = cargo::programs(&["parity"], Profile::Release)?;
    start(&programs.join("parity"), &rest.rest)
}

/// Measures what rendering charts costs; needs no control plane.
pub(crate) fn bench_charts(rest: &Rest) -> Result<()> {
    let programs = cargo::programs(&["parity"], Profile::Release)?;
    let folder = rest.rest.iter().skip(1).cloned();
    let args: Vec<_> = ["bench-charts".to_owned()].into_iter().chain(folder).collect();
    start(&programs.join("parity"), &args)
}

/// Runs `lab COMMAND` as it was built last.
pub(crate) fn built(command: &str, args: &[&str]) -> Result<()> {
    let args: Vec<_> = [command].iter().chain(args).map(|arg| (*arg).to_owned()).collect();
    start(&cargo::program_dir(Profile::Dev)?.join("lab"), &args)
}

fn start(program: &Path, args: &[String]) -> Result<()> {
    let status = Command::new(program)
        .current_dir(repository::root())
        .args(args)
        .status()
        .with_context(|| format!("cannot start {}", program.display()))?;
    // It has said why.
    ensure!(status.success(), "`{}` failed ({status})", args.join(" "));
    Ok(())
}
