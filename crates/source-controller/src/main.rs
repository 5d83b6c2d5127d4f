//! Starts the controller of sources.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    source_controller::run(source_controller::Arguments::parse())
}
