//! What an attempt means: conditions, status, events, and when to come back. Pure.

pub(crate) mod outcome;

use std::time::Duration;

use crd_types::conditions::{READY, RECONCILING, STALLED};
use crd_types::helm::{HelmRelease, HelmReleaseStatus};
use crd_types::metadata::REQUESTED_AT;
use crd_types::reasons::HEALTH_CHECK_CANCELED;
use helm_release::ReleaseAction;
use jiff::Timestamp;
use kube::Resource as _;
use reconcile_loop::conditions::Conditions;
use reconcile_loop::conditions::Status::{False, True, Unknown};
use reconcile_loop::events::{Event, Severity};
use reconcile_loop::requeue::Next;

use self::outcome::{Claim, DRIFTED, Outcome, RELEASED, REMEDIATED, Subject, TEST_SUCCESS};
use super::halt::Halt;
use super::memory::Cause;

pub(crate) const PROGRESSING: &str = "Progressing";
pub(crate) const PROGRESSING_WITH_RETRY: &str = "ProgressingWithRetry";

const PREREQUISITES: &str = "Fulfilling prerequisites";

/// A status that is being concluded.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) status: HelmReleaseStatus,
    pub(crate) conditions: Conditions,
    generation: Option<i64>,
}

impl Report {
    /// Starts from the status that stands.
    pub(crate) fn resume(hr: &HelmRelease, now: Timestamp) -> Self {
        let mut status = hr.status.clone().unwrap_or_default();
        let generation = hr.meta().generation;
        let conditions =
            Conditions::resume(&status.conditions, generation.unwrap_or_default(), now);
        if status.observed_generation.is_none() {
            status.observed_generation = Some(-1);
        }
        // Flux: what older controllers wrote is blanked.
        status.last_attempted_values_checksum = None;
        status.last_release_revision = None;
        Self { status, conditions, generation }
    }

    /// The status as it is to be recorded.
    pub(crate) fn status(&self) -> HelmReleaseStatus {
        let mut status = self.status.clone();
        status.conditions = self.conditions.clone().into_list();
        status
    }

    /// Notes the requests that this attempt answers, whatever comes of it.
    pub(crate) fn acknowledge(&mut self, hr: &HelmRelease) {
        let annotation = |key: &str| hr.meta().annotations.as_ref()?.get(key).cloned();
        if let Some(token) = annotation(REQUESTED_AT) {
            self.status.last_handled_reconcile_at = Some(token);
        }
    }

    /// This generation is dealt with.
    pub(crate) const fn observe(&mut self) {
        self.status.observed_generation = self.generation;
    }

    /// The attempt begins.
    pub(crate) fn begin(&mut self) {
        self.conditions.set(RECONCILING, True, PROGRESSING, PREREQUISITES);
    }

    /// Nothing stands in the way any more.
    pub(crate) fn prerequisites_met(&mut self) {
        let stale = self.conditions.get(READY).is_some_and(|ready| {
            let reasons = [
                "DependencyNotReady",
                "InvalidCELExpression",
                "AccessDenied",
                "ArtifactFailed",
                "SourceNotReady",
                "ValuesError",
                "ChartMutateError",
                "RESTClientError",
                "StateError",
            ];
            ready.status == "False" && reasons.contains(&ready.reason.as_str())
        });
        if stale {
            self.conditions.set(READY, Unknown, PROGRESSING, "reconciliation in progress");
        }
        self.conditions.remove(STALLED);
    }

    /// Something stands in the way.
    pub(crate) fn halted(&mut self, halt: &Halt) {
        let Some(reason) = halt.reason() else { return };
        let message = halt_message(halt);
        self.conditions.remove(STALLED);
        self.conditions.set(READY, False, reason, message.clone());
        if halt.is_terminal() {
            self.conditions.remove(RECONCILING);
            self.conditions.set(STALLED, True, reason, message);
            self.observe();
        } else {
            self.begin();
        }
    }

    /// A Helm action begins. `releases` says that it makes a new revision.
    pub(crate) fn running(&mut self, action: &str, timeout: Duration, releases: bool) {
        let timeout = go_duration::format(timeout);
        let message = format!("Running '{action}' action with timeout of {timeout}");
        self.conditions.set(RECONCILING, True, PROGRESSING, message.clone());
        if releases {
            self.conditions.set(READY, Unknown, PROGRESSING, message);
        }
    }

    /// A Helm action ended.
    pub(crate) fn claim(&mut self, (type_, status, reason, message): Claim) {
        self.conditions.set(type_, status, reason, message);
    }

    /// What is to be done again, and why it stopped.
    pub(crate) fn retrying(&mut self, message: impl Into<String>) {
        self.conditions.set(RECONCILING, True, PROGRESSING_WITH_RETRY, message);
    }

    /// A wait was ended early, because of what `cause` says.
    pub(crate) fn called_off(&mut self, cause: &Cause) {
        let message = format!("New reconciliation triggered by {cause}");
        self.retrying(message.clone());
        self.conditions.set(READY, False, HEALTH_CHECK_CANCELED, message);
    }

    /// Nothing is under way any more.
    pub(crate) fn settle(&mut self) {
        self.conditions.remove(RECONCILING);
    }

    /// Nothing but a change of an input helps.
    pub(crate) fn stall(&mut self, reason: &str, message: impl Into<String>) {
        self.conditions.remove(RECONCILING);
        self.conditions.set(STALLED, True, reason, message);
    }

    /// An installation begins anew: what was tested or undone before is of no matter.
    pub(crate) fn forget_tests_and_remedies(&mut self) {
        self.conditions.remove(TEST_SUCCESS);
        self.conditions.remove(REMEDIATED);
    }

    /// One more try of an action has failed.
    pub(crate) fn count_failure(&mut self, of: ReleaseAction) {
        let counter = match of {
            ReleaseAction::Install => &mut self.status.install_failures,
            ReleaseAction::Upgrade => &mut self.status.upgrade_failures,
        };
        *counter = Some(counter.unwrap_or_default() + 1);
    }

    /// Failures of before do not count any more.
    pub(crate) const fn forget_failures(&mut self) {
        self.status.failures = None;
        self.status.install_failures = None;
        self.status.upgrade_failures = None;
    }

    /// The release is there, and its tests have not run.
    pub(crate) fn await_tests(&mut self, of: &Subject) {
        let message = format!("Helm release {} is awaiting tests", of.told());
        self.conditions.set(TEST_SUCCESS, Unknown, "AwaitingTests", message);
    }

    /// A remedy brought the release to what is wanted: it counts as an upgrade.
    pub(crate) fn undo_remedy(&mut self, of: &Subject) {
        if !self.holds(REMEDIATED) {
            return;
        }
        self.conditions.remove(REMEDIATED);
        self.claim(Outcome::Upgraded.claim(of));
    }

    /// The release is as wanted, whatever was said of it before.
    pub(crate) fn confirm(&mut self, of: &Subject, installed: bool) {
        self.undo_remedy(of);
        let reason = self.conditions.get(RELEASED).map(|released| released.reason.clone());
        match reason.as_deref() {
            Some("InstallFailed") => self.claim(Outcome::Installed.claim(of)),
            // Where nobody has said anything, the status was lost.
            None if installed => self.claim(Outcome::Installed.claim(of)),
            Some("UpgradeFailed") | None => self.claim(Outcome::Upgraded.claim(of)),
            Some(_) => {}
        }
    }

    /// Notes what the release was made with.
    pub(crate) fn digests(&mut self, hr: &HelmRelease) {
        let given = |digest: String| (!digest.is_empty()).then_some(digest);
        self.status.observed_post_renderers_digest =
            given(helm_release::post_renderers_digest(&hr.spec.post_renderers));
        self.status.observed_common_metadata_digest =
            given(helm_release::common_metadata_digest(hr.spec.common_metadata.as_ref()));
    }

    /// What was looked for in the cluster and found.
    pub(crate) fn drifted(&mut self, message: impl Into<String>) {
        self.conditions.set(DRIFTED, True, "DriftDetected", message);
    }

    /// Nothing is as it should not be.
    pub(crate) fn not_drifted(&mut self) {
        let message = "No drift detected against the cluster state";
        self.conditions.set(DRIFTED, False, "NoDriftDetected", message);
    }

    /// Takes secrets out of everything that people will read.
    pub(crate) fn mask(&mut self, masked: impl Fn(&str) -> String) {
        for condition in self.conditions.clone().into_list() {
            let message = masked(&condition.message);
            if message != condition.message {
                let status = match condition.status.as_str() {
                    "True" => True,
                    "False" => False,
                    _ => Unknown,
                };
                self.conditions.set(&condition.type_, status, &condition.reason, message);
            }
        }
    }

    /// The message of Ready.
    pub(crate) fn ready_message(&self) -> String {
        self.conditions.get(READY).map_or_else(String::new, |ready| ready.message.clone())
    }

    /// Whether a condition is claimed to be true.
    pub(crate) fn holds(&self, type_: &str) -> bool {
        self.conditions.get(type_).is_some_and(|condition| condition.status == "True")
    }

    /// Makes Ready say what the last actions came to. `tests_count` says that a failed test is a
    /// failure.
    ///
    /// Flux: the first of Remediated, `TestSuccess` and Released, but a newer generation goes first;
    /// a remedy is never success (`summarize`).
    pub(crate) fn summarise(&mut self, tests_enabled: bool, tests_count: bool) {
        if !tests_enabled {
            self.conditions.remove(TEST_SUCCESS);
        }
        let mut order = vec![REMEDIATED];
        if tests_enabled && tests_count {
            order.push(TEST_SUCCESS);
        }
        order.push(RELEASED);
        let mut found: Vec<_> =
            order.into_iter().filter_map(|type_| self.conditions.get(type_)).cloned().collect();
        found.sort_by_key(|condition| std::cmp::Reverse(condition.observed_generation));
        let Some(first) = found.into_iter().next() else { return };
        let status = match first.status.as_str() {
            _ if first.type_ == REMEDIATED => False,
            "True" => True,
            "False" => False,
            _ => Unknown,
        };
        if status == True {
            self.conditions.remove(STALLED);
        }
        self.conditions.set(READY, status, &first.reason, first.message);
    }
}

/// When a halted attempt is repeated.
pub(crate) fn retry(halt: &Halt, dependency: Duration) -> Next {
    match halt {
        Halt::ChartReference
        | Halt::Expression { .. }
        | Halt::Denied { .. }
        | Halt::NoWayIn { .. } => Next::Await,
        Halt::Dependency { .. } | Halt::SourceNotReady { .. } => Next::After(dependency),
        Halt::ArtifactGone { retry_in } => Next::After(*retry_in),
        Halt::ChartTemplate { .. }
        | Halt::Source { .. }
        | Halt::Values(_)
        | Halt::Chart(_)
        | Halt::ChartVersion(_)
        | Halt::Client { .. } => Next::Backoff { error: halt_message(halt) },
    }
}

/// What a halt is worth telling. Waiting for a source is no news: the source tells it itself.
pub(crate) fn halt_event(halt: &Halt) -> Option<Event> {
    let severity = match halt {
        Halt::ChartReference
        | Halt::ChartTemplate { .. }
        | Halt::Source { .. }
        | Halt::SourceNotReady { .. }
        | Halt::ArtifactGone { .. }
        | Halt::ChartVersion(_)
        | Halt::Client { .. } => return None,
        Halt::Dependency { .. } => Severity::Info,
        Halt::Expression { .. }
        | Halt::Denied { .. }
        | Halt::NoWayIn { .. }
        | Halt::Values(_)
        | Halt::Chart(_) => Severity::Error,
    };
    // Flux: the event has the bare error, the condition says what was being done.
    let message = match halt {
        Halt::Chart(error) => error.to_string(),
        other => reconcile_loop::chain(other),
    };
    Some(Event::new(severity, halt.reason()?, message))
}

fn halt_message(halt: &Halt) -> String {
    if let Halt::Expression { message } = halt {
        return format!("Reconciliation failed terminally due to configuration error: {message}");
    }
    reconcile_loop::chain(halt)
}
