//! Starts the controller of HelmReleases.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    helm_controller::run(helm_controller::Arguments::parse())
}
