//! What an attempt means: conditions, status, events, and when to come back. Pure.

use std::time::Duration;

use crd_types::conditions::{READY, RECONCILING, STALLED};
use crd_types::helm::{HelmRelease, HelmReleaseStatus};
use jiff::Timestamp;
use kube::Resource as _;
use reconcile_loop::conditions::Conditions;
use reconcile_loop::conditions::Status::{False, True, Unknown};
use reconcile_loop::controller::REQUESTED_AT;
use reconcile_loop::events::{Event, Severity};
use reconcile_loop::requeue::Next;

use super::halt::Halt;

pub(crate) const PROGRESSING: &str = "Progressing";
pub(crate) const PROGRESSING_WITH_RETRY: &str = "ProgressingWithRetry";
/// The annotation that asks for an action whatever the state is.
pub(crate) const FORCE_AT: &str = "reconcile.fluxcd.io/forceAt";
/// The annotation that asks for the failures to be forgotten.
pub(crate) const RESET_AT: &str = "reconcile.fluxcd.io/resetAt";

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
}

/// When a halted attempt is repeated.
pub(crate) fn retry(halt: &Halt, dependency: Duration) -> Next {
    match halt {
        Halt::ChartReference | Halt::Expression { .. } | Halt::Denied { .. } => Next::Await,
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
        Halt::Expression { .. } | Halt::Denied { .. } | Halt::Values(_) | Halt::Chart(_) => {
            Severity::Error
        }
    };
    // Flux: the event has the bare error, the condition says what was being done.
    let message = match halt {
        Halt::Chart(error) => error.to_string(),
        other => reconcile_loop::chain(other),
    };
    Some(Event::new(severity, halt.reason()?, message))
}

fn halt_message(halt: &Halt) -> String {
    match halt {
        Halt::Expression { message } => {
            format!("Reconciliation failed terminally due to configuration error: {message}")
        }
        other => reconcile_loop::chain(other),
    }
}
