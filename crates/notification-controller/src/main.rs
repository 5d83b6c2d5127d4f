//! Starts the controller of Providers, Alerts and Receivers.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    notification_controller::run(notification_controller::Arguments::parse())
}
