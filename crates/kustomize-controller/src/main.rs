//! Starts the controller of Kustomizations.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    kustomize_controller::run(kustomize_controller::Arguments::parse())
}
