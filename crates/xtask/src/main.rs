//! The repository's own commands: `cargo xtask --help`.
#![expect(clippy::print_stdout, reason = "the terminal is this program's user interface")]

mod cargo;
mod ci;
mod lab;
mod repository;
mod setup;
mod steps;
mod tests;
mod tidy;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "The repository's own commands", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the local control plane (etcd, Kubernetes, kwok) and the tools of the tests (helm, sops, age, a
    /// registry) into a cache directory, once.
    Setup,
    /// The main job on a local control plane: a commit becomes running objects.
    Demo(lab::Rest),
    /// All tests, system tests included. Arguments go to `cargo test`.
    Test(tests::Arguments),
    /// What must pass before a change lands: format, clippy, tidy, codegen, tests, docs.
    Ci,
    /// Writes the generated files (`config/crds`); with `--check`, fails if they would change.
    Codegen(lab::Rest),
    /// Checks what no compiler checks: layers, manifests, links, names, paths.
    Tidy,
    /// How many golden cases of the real tools come out the same: `parity tables DIR`, `parity charts
    /// DIR`, `parity kustomize DIR`.
    Parity(lab::Rest),
    /// Time, CPU, memory and API requests of a load: `bench mttp --n 50 --objects 10`; of rendering:
    /// `bench charts [DIR]`; of taking events: `bench events`.
    Bench(lab::Rest),
    /// A local control plane with our custom resources, for playing by hand; ends with Ctrl-C.
    ControlPlane(lab::Rest),
    /// Plays the recorded scenarios of real Flux against our programs, when they are beside the checkout.
    Transcripts(lab::Rest),
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Not as main's result: that would print a backtrace when tests have asked for one.
            println!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    match Arguments::parse().command {
        Command::Setup => setup::run(),
        Command::Demo(rest) => lab::on_a_control_plane("demo", &rest, cargo::Profile::Dev),
        Command::Test(arguments) => tests::run(&arguments),
        Command::Ci => ci::run(),
        Command::Codegen(rest) => lab::run("codegen", &rest),
        Command::Tidy => tidy::run(),
        Command::Parity(rest) => lab::parity(&rest),
        Command::Bench(rest) if rest.is_for("charts") => lab::bench_charts(&rest),
        Command::Bench(rest) => lab::on_a_control_plane("bench", &rest, cargo::Profile::Release),
        Command::ControlPlane(rest) => lab::bare_control_plane(&rest),
        Command::Transcripts(rest) => {
            lab::on_a_control_plane("transcripts", &rest, cargo::Profile::Dev)
        }
    }
}
