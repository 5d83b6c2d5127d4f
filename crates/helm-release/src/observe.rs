//! The state that a release is in.

use crd_types::helm::Snapshot;

use crate::intent::{Intent, IntentAction};
use crate::record::{Record, Status};
use crate::snapshot::{NotOurs, has_been_tested, has_failed_tests, tells_the_end, verify};

/// What the release shall be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Desired {
    /// Name of the chart.
    pub chart_name: String,
    /// Version of the chart, as it is stored.
    pub chart_version: String,
    /// [`crate::config_digest`] of the values.
    pub config_digest: String,
    /// Whether the post-renderers are others than those last used. Flux: asked only if the spec has
    /// a generation that was not reconciled yet.
    pub post_renderers_changed: bool,
    /// The same of the common metadata.
    pub common_metadata_changed: bool,
}

/// What tests mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TestPolicy {
    /// Whether tests run (`spec.test.enable`).
    pub enabled: bool,
    /// Whether a failed test is no failure (`spec.test.ignoreFailures`, or the active
    /// remediation's `ignoreTestFailures`).
    pub ignore_failures: bool,
}

/// What is known about drift. It is looked for only in a release that is well otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Drift {
    /// None was found, or nobody looks.
    #[default]
    None,
    /// The cluster is not as the release says.
    Found,
}

/// The state that a release is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// There is none, or it was uninstalled.
    Absent {
        /// Why, in Flux's words.
        why: &'static str,
    },
    /// We were killed while we changed it.
    Interrupted {
        /// What was being done.
        action: IntentAction,
        /// Whether what was being made is still what is wanted.
        is_wanted: bool,
    },
    /// We were killed after we had changed it, before it was noted in the status.
    Unrecorded {
        /// What was done.
        action: IntentAction,
    },
    /// Somebody else is changing it, or was killed meanwhile.
    Locked {
        /// The status that says so.
        status: Status,
    },
    /// It is none that we know.
    Unmanaged {
        /// Why, in Flux's words.
        why: &'static str,
    },
    /// It is not what is wanted.
    OutOfSync(OutOfSync),
    /// It failed.
    Failed {
        /// Whether a test failed; else the release itself.
        tests: bool,
    },
    /// Its tests have not run.
    Untested,
    /// The cluster is not as it says.
    Drifted,
    /// All is well.
    InSync,
}

/// Why a release is not what is wanted. The words are Flux's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfSync {
    /// Another chart, or another version of it.
    #[error("release chart changed")]
    Chart,
    /// Other values.
    #[error("release config values changed")]
    Values,
    /// Other post-renderers.
    #[error("postrenderers digest has changed")]
    PostRenderers,
    /// Other common metadata.
    #[error("common metadata digest has changed")]
    CommonMetadata,
}

/// A status that leads nowhere. The words are Flux's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unable to determine state for release with status '{status}'")]
pub struct UnknownStatus {
    /// The status.
    pub status: Status,
}

/// Names the state of a release: `last` is its newest record, `history` what is known of it.
///
/// # Errors
/// If the record has a status that no action of ours leaves behind.
pub fn observe(
    last: Option<&Record>,
    history: &[Snapshot],
    desired: &Desired,
    tests: TestPolicy,
    drift: Drift,
) -> Result<State, UnknownStatus> {
    let Some(record) = last else {
        return Ok(State::Absent { why: "no release in storage for object" });
    };
    if let Some(Intent { action, done: false, .. }) = record.intent
        && is_halfway(record, action)
    {
        return Ok(State::Interrupted { action, is_wanted: is_wanted(record, action, desired) });
    }
    let status = &record.info.status;
    if status.is_pending() {
        return Ok(State::Locked { status: status.clone() });
    }
    let latest = history.iter().max_by_key(|snapshot| snapshot.version);
    if let Some(intent) = &record.intent
        && let Some(action) = unrecorded(record, intent, latest, tests)
    {
        return Ok(State::Unrecorded { action });
    }
    let Some(latest) = latest else {
        return Ok(if *status == Status::Uninstalled {
            State::Absent { why: "found uninstalled release in storage" }
        } else {
            State::Unmanaged { why: "found existing release in storage" }
        });
    };
    match verify(latest, record) {
        Ok(()) => {}
        Err(NotOurs::Digest) => {
            return Ok(State::Unmanaged { why: "release digest verification error" });
        }
        Err(NotOurs::NotObserved) => {
            return Ok(State::Unmanaged { why: "release not observed to be made for object" });
        }
    }
    match status {
        Status::Deployed => Ok(of_deployed(record, latest, desired, tests, drift)),
        Status::Failed => Ok(State::Failed { tests: false }),
        Status::Uninstalled => Ok(State::Absent { why: "found uninstalled release in storage" }),
        other => Err(UnknownStatus { status: other.clone() }),
    }
}

fn of_deployed(
    record: &Record,
    latest: &Snapshot,
    desired: &Desired,
    tests: TestPolicy,
    drift: Drift,
) -> State {
    if record.chart_name() != desired.chart_name || record.chart_version() != desired.chart_version
    {
        return State::OutOfSync(OutOfSync::Chart);
    }
    if latest.config_digest != desired.config_digest {
        return State::OutOfSync(OutOfSync::Values);
    }
    if desired.post_renderers_changed {
        return State::OutOfSync(OutOfSync::PostRenderers);
    }
    if desired.common_metadata_changed {
        return State::OutOfSync(OutOfSync::CommonMetadata);
    }
    if tests.enabled && !has_been_tested(latest) {
        return State::Untested;
    }
    if tests.enabled && !tests.ignore_failures && has_failed_tests(latest) {
        return State::Failed { tests: true };
    }
    match drift {
        Drift::None => State::InSync,
        Drift::Found => State::Drifted,
    }
}

/// Whether the record is one that the action leaves only when it is killed. Tests leave the release
/// as it is, and are run again from where they were.
fn is_halfway(record: &Record, action: IntentAction) -> bool {
    match action {
        IntentAction::Install | IntentAction::Upgrade | IntentAction::Rollback => {
            record.info.status.is_pending()
        }
        IntentAction::Uninstall => record.info.status == Status::Uninstalling,
        IntentAction::Test => false,
    }
}

fn is_wanted(record: &Record, action: IntentAction, desired: &Desired) -> bool {
    match action {
        IntentAction::Install | IntentAction::Upgrade => {
            let values = record.config.clone().unwrap_or_default();
            record.chart_name() == desired.chart_name
                && record.chart_version() == desired.chart_version
                && crate::config_digest(&values) == desired.config_digest
        }
        // What undoes something is wanted whatever comes next.
        IntentAction::Rollback | IntentAction::Uninstall | IntentAction::Test => true,
    }
}

/// What of a record its history does not say: which action made the revision, or that its tests ran.
fn unrecorded(
    record: &Record,
    intent: &Intent,
    latest: Option<&Snapshot>,
    tests: TestPolicy,
) -> Option<IntentAction> {
    let status = &record.info.status;
    if !matches!(status, Status::Deployed | Status::Failed) {
        return None;
    }
    // Tests leave the release as it is: whether they are done says nothing of what made it.
    let maker = intent.maker().filter(|_| intent.done || intent.action == IntentAction::Test);
    let Some(latest) = latest.filter(|latest| latest.version >= record.version) else {
        return maker;
    };
    if latest.version > record.version {
        return None;
    }
    if !tells_the_end(latest, record) {
        return maker;
    }
    let tested = intent.action == IntentAction::Test && intent.done;
    (tested && tests.enabled && latest.test_hooks.is_none()).then_some(IntentAction::Test)
}
