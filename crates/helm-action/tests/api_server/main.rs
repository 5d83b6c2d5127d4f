//! Helm's actions on a real API server, beside the real helm, and killed at every request.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "what tests share fails as tests do, and says what it does not run"
)]

mod bench;
mod chart;
mod crashing;
mod helm_cli;
mod hooking;
mod releasing;
