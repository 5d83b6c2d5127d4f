//! What an event says about how its object is.

use event_api::Event;

/// How an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It failed.
    Failed,
    /// It can do nothing until something else is well.
    Waiting,
    /// It did what it had to.
    Well,
}

/// Reasons by which Flux tells of waits, which it does as news and not as failures.
const WAITS: [&str; 4] = ["DependencyNotReady", "SourceNotReady", "Progressing", "ArtifactFailed"];

impl News {
    pub(crate) fn of(event: &Event) -> Self {
        if event.is_error() {
            Self::Failed
        } else if WAITS.contains(&event.reason.as_str()) {
            Self::Waiting
        } else {
            Self::Well
        }
    }
}
