//! When an attempt is repeated.

use std::time::Duration;

use reconcile_loop::requeue::Next;

use super::super::halt::Halt;
use super::super::progress::Progress;
use super::super::spec::Timing;

/// The longest pause after a failure that passes by itself.
pub(super) const PASSING: Duration = Duration::from_secs(10);

/// When a failed attempt is repeated.
pub(super) fn after(halt: &Halt, timing: &Timing) -> Next {
    match halt {
        Halt::Stalled { .. } => Next::Await,
        Halt::SourceUnreadable { .. } => Next::Backoff { error: reconcile_loop::chain(halt) },
        Halt::NoArtifact { retry_in }
        | Halt::ArtifactGone { retry_in }
        | Halt::Dependency { retry_in, .. } => Next::After(*retry_in),
        // Differs: Flux waits for the retry interval, be it an hour, until an API server that was
        // restarted is asked again.
        Halt::Disturbed { .. } => Next::After(timing.retry.min(PASSING)),
        Halt::SourceNotFound { .. }
        | Halt::Fetch(_)
        | Halt::Client { .. }
        | Halt::Build(_)
        | Halt::Inputs(_)
        | Halt::Apply { .. }
        | Halt::Prune { .. }
        | Halt::Unhealthy { .. } => Next::After(timing.retry),
    }
}

/// The next attempt, but no later than what waits for others wants to be looked at.
pub(super) fn no_later(next: Next, progress: &Progress) -> Next {
    match (next, progress.come_back) {
        (Next::Interval(due) | Next::After(due), Some(back)) if back < due => Next::After(back),
        (next, _) => next,
    }
}
