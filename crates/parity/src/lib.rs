//! How much of what the real tools print comes out the same: `cargo xtask parity`.
//!
//! [`tables`] replays golden tables, [`charts`] renders real charts, [`live`] renders them beside the
//! `helm` on the PATH, [`kustomize`] builds recorded kustomizations. No case is known by name, so any
//! folder of the same layout can be measured; [`Known`] holds what COMPATIBILITY.md explains.

mod charts;
mod compare;
mod corpus;
mod known;
mod kustomize;
mod live;
mod report;
mod tables;

pub use charts::charts;
pub use known::Known;
pub use kustomize::kustomize;
pub use live::live;
pub use report::{Difference, ParityError, Report, Set};
pub use tables::tables;

/// What functions need of the outside: a clock that runs and true chance.
fn host(lint: bool) -> helm_functions::Helm {
    let now = jiff::Timestamp::now();
    let mut host = helm_functions::Helm::new(now, helm_functions::SystemEntropy);
    host.lint = lint;
    host
}
