//! What an event says about how its object is.

use event_api::{Event, Severity};

/// How an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// It failed.
    Failed,
    /// It can do nothing until something else is well.
    Waiting,
    /// It did something, be it [all that it had to](ends) or not.
    Done,
}

/// Reasons by which Flux tells of waits, which it does as news and not as failures.
const WAITS: [&str; 4] = ["DependencyNotReady", "SourceNotReady", "Progressing", "ArtifactFailed"];

/// Failures that not everything ends that is done.
const KINDS: [&str; 3] = [TEST_FAILED, "DriftDetected", "DriftCorrectionFailed"];
const TEST_FAILED: &str = "TestFailed";

/// What something that was done ends.
enum Ends {
    Nothing,
    Only(&'static [&'static str]),
    AllBut(&'static str),
}

/// What Flux tells as news although the object may be as unwell as before. All other news of Flux come
/// when the object has become ready.
const STEPS: [(&str, Ends); 8] = [
    // helm-controller. Remediations: Ready is False after them, whatever they did.
    ("RollbackSucceeded", Ends::Nothing),
    ("UninstallSucceeded", Ends::Nothing),
    // A release was unlocked, or could not be looked for; what is done then has its own event.
    ("PendingRelease", Ends::Nothing),
    ("NamespaceCheckSkipped", Ends::Nothing),
    // Drift is put right where there is nothing else to do, and says nothing of what failed before.
    ("DriftCorrected", Ends::Only(&["DriftDetected", "DriftCorrectionFailed"])),
    // After these come the tests, and what failed by its tests is not well before they have passed.
    ("InstallSucceeded", Ends::AllBut(TEST_FAILED)),
    ("UpgradeSucceeded", Ends::AllBut(TEST_FAILED)),
    // helm-controller and kustomize-controller: it begins anew.
    ("HealthCheckCanceled", Ends::Nothing),
];

/// Whether an event of this reason says that its object waits for another one.
pub fn is_wait(reason: &str) -> bool {
    WAITS.contains(&reason)
}

/// What is remembered of the reason of a failure: as much as [`ends`] asks for.
pub(crate) fn kind(failure: &Event) -> &'static str {
    KINDS.into_iter().find(|kind| *kind == failure.reason).unwrap_or_default()
}

/// Which of two failures of an object is to be ended: the last one, but tests have to pass.
pub(crate) fn later_kind(before: &'static str, now: &'static str) -> &'static str {
    if before == TEST_FAILED { before } else { now }
}

/// Whether an object that failed by that [`kind`] is well by what it did.
pub(crate) fn ends(done: &Event, failure: &str) -> bool {
    // Flux keeps those to itself: they tell how far something has come.
    if done.severity == Severity::Trace {
        return false;
    }
    match STEPS.iter().find(|(reason, _)| *reason == done.reason) {
        None => true,
        Some((_, Ends::Nothing)) => false,
        Some((_, Ends::Only(ended))) => ended.contains(&failure),
        Some((_, Ends::AllBut(not))) => *not != failure,
    }
}

impl News {
    pub(crate) fn of(event: &Event) -> Self {
        if event.is_error() {
            Self::Failed
        } else if is_wait(&event.reason) {
            Self::Waiting
        } else {
            Self::Done
        }
    }
}
