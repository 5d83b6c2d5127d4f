//! What an attempt is worth telling.

use std::time::Duration;

use crd_types::conditions::READY;
use crd_types::kustomize::{Kustomization, KustomizationStatus};
use reconcile_loop::conditions::find;
use reconcile_loop::events::{Event, Severity};

use super::super::halt::Halt;
use super::super::progress::Progress;
use super::super::spec::Timing;
use super::{PROGRESSING, SUCCEEDED};

const REVISION_KEY: &str = "kustomize.toolkit.fluxcd.io/revision";
const ORIGIN_REVISION_KEY: &str = "kustomize.toolkit.fluxcd.io/originRevision";
pub(super) const COMMIT_STATUS_KEY: &str = "kustomize.toolkit.fluxcd.io/commit_status";

/// The event of a run that ended well.
pub(crate) fn finished(status: &KustomizationStatus, timing: &Timing, took: Duration) -> Event {
    let message = format!(
        "Reconciliation finished in {}, next run in {}",
        go_duration::format(took),
        go_duration::format(timing.interval),
    );
    let mut event =
        Event::new(Severity::Info, SUCCEEDED, message).with(COMMIT_STATUS_KEY, "update");
    if let Some(revision) = &status.last_applied_revision {
        event = event.with(REVISION_KEY, revision.clone());
    }
    if let Some(origin) = &status.last_applied_origin_revision {
        event = event.with(ORIGIN_REVISION_KEY, origin.clone());
    }
    event
}

/// What a failure is worth telling. Waiting for a source is no news: the source tells it itself.
pub(super) fn failed(
    halt: &Halt,
    reason: &'static str,
    message: String,
    timing: &Timing,
) -> Option<Event> {
    match halt {
        Halt::SourceNotFound { .. }
        | Halt::SourceUnreadable { .. }
        | Halt::NoArtifact { .. }
        | Halt::ArtifactGone { .. } => None,
        Halt::Dependency { .. } => {
            let retry = go_duration::format(timing.dependency);
            let message = format!("Dependencies do not meet ready condition, retrying in {retry}");
            Some(Event::new(Severity::Info, reason, message))
        }
        Halt::Client { .. } => {
            let message = format!("failed to build kube client: {message}");
            Some(Event::new(Severity::Error, reason, message))
        }
        Halt::Stalled { .. }
        | Halt::Fetch(_)
        | Halt::Build(_)
        | Halt::Inputs(_)
        | Halt::Apply { .. }
        | Halt::Disturbed { .. }
        | Halt::Prune { .. }
        | Halt::Unhealthy { .. } => Some(Event::new(Severity::Error, reason, message)),
    }
}

/// An event of an attempt under way. Its reason is the one that Ready has at that time.
pub(crate) fn news(ks: &Kustomization, progress: &Progress, message: String) -> Event {
    tag(Event::new(Severity::Info, PROGRESSING, message), progress, ks)
}

/// An event about something beside the course of an attempt.
pub(crate) fn about(
    severity: Severity,
    reason: &'static str,
    message: String,
    progress: &Progress,
    ks: &Kustomization,
) -> Event {
    tag(Event::new(severity, reason, message), progress, ks)
}

/// The event about what a deletion did. Its reason is the one that Ready has.
pub(crate) fn farewell(ks: &Kustomization, severity: Severity, message: String) -> Event {
    let status = ks.status.as_ref();
    let ready = status.and_then(|status| find(&status.conditions, READY));
    let reason = ready.map_or_else(|| severity_name(severity), |ready| ready.reason.as_str());
    tag(Event::new(severity, reason, message), &Progress::resume(ks), ks)
}

const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Info | Severity::Trace => "info",
    }
}

/// Adds the revision that an event is about: the one at hand, else the last one.
pub(super) fn tag(mut event: Event, progress: &Progress, ks: &Kustomization) -> Event {
    let status = ks.status.as_ref();
    let revision = progress
        .advertised_revision
        .clone()
        .or_else(|| progress.attempted_revision.clone())
        .or_else(|| status.and_then(|status| status.last_applied_revision.clone()));
    if let Some(revision) = revision {
        event = event.with(REVISION_KEY, revision);
    }
    if let Some(origin) = &progress.origin_revision {
        event = event.with(ORIGIN_REVISION_KEY, origin.clone());
    }
    event
}
