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

/// Whether an event of this reason says that its object waits for another one.
pub fn is_wait(reason: &str) -> bool {
    WAITS.contains(&reason)
}

impl News {
    pub(crate) fn of(event: &Event) -> Self {
        if event.is_error() {
            Self::Failed
        } else if is_wait(&event.reason) {
            Self::Waiting
        } else {
            Self::Well
        }
    }
}
