//! Programs on the test bed: `cargo xtask demo`, `bench`, `transcripts` and `codegen` end up here.
//!
//! They are apart from `xtask` because they need the Kubernetes client, which takes minutes to build.
#![expect(clippy::print_stdout, reason = "the terminal is this program's user interface")]

mod bench;
mod codegen;
mod control_plane;
mod demo;
mod flux_objects;
mod transcripts;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Shows the main job on a local control plane.
    Demo(demo::Arguments),
    /// Measures time, CPU, memory and API requests under a load.
    Bench {
        #[command(subcommand)]
        load: bench::Load,
    },
    /// Plays the recorded scenarios of real Flux against our programs.
    Transcripts(transcripts::Arguments),
    /// Starts a control plane with our custom resources, for playing by hand.
    ControlPlane,
    /// Writes the generated files.
    Codegen(codegen::Arguments),
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
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    match arguments.command {
        Command::Demo(arguments) => runtime.block_on(demo::run(&arguments)),
        Command::Bench { load } => runtime.block_on(bench::run(load)),
        Command::Transcripts(arguments) => transcripts::run(&arguments),
        Command::ControlPlane => runtime.block_on(control_plane::run()),
        Command::Codegen(arguments) => codegen::run(&arguments),
    }
}

/// The root of the checkout that this program was built from.
fn repository() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.ancestors().nth(2).unwrap_or(own).to_path_buf()
}

/// The folder that holds this program, and the controllers that were built with it.
fn programs() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    own.parent().map(Path::to_path_buf).context("this program is in no folder")
}
