//! From how an attempt ended to what the object says of it. Pure: values in, values out.

use crd_types::{
    conditions::{
        ARTIFACT_IN_STORAGE, ARTIFACT_OUTDATED, FETCH_FAILED, INCLUDE_UNAVAILABLE, READY,
        RECONCILING, SOURCE_VERIFIED, STALLED, STORAGE_OPERATION_FAILED,
    },
    reasons,
    source::{GROUP, GitRepository, GitRepositoryStatus},
};
use jiff::Timestamp;
use reconcile_loop::{
    chain,
    conditions::{Conditions, Status, find},
    events::{Event, Severity},
    requeue::Next,
};

use super::{
    Reached,
    halt::{Blame, Halt},
    progress::Progress,
    requested_at, spec,
};
use crate::{
    source::progress::Outdated,
    summary::{Polarity, conclude_ready},
};

/// What an attempt comes to.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub(crate) status: GitRepositoryStatus,
    pub(crate) events: Vec<Event>,
    pub(crate) next: Next,
}

/// What `Ready` is made of, the most telling first.
const READY_INPUTS: &[(&str, Polarity)] = &[
    (STORAGE_OPERATION_FAILED, Polarity::Negative),
    (FETCH_FAILED, Polarity::Negative),
    (INCLUDE_UNAVAILABLE, Polarity::Negative),
    (ARTIFACT_OUTDATED, Polarity::Negative),
    (ARTIFACT_IN_STORAGE, Polarity::Positive),
    (SOURCE_VERIFIED, Polarity::Positive),
    (STALLED, Polarity::Negative),
    (RECONCILING, Polarity::Negative),
];

/// What tells that the last attempt failed.
const FAILURES: [&str; 3] = [FETCH_FAILED, INCLUDE_UNAVAILABLE, STORAGE_OPERATION_FAILED];

/// The status while an attempt is under way.
pub(crate) fn under_way(
    repository: &GitRepository,
    progress: &Progress,
    now: Timestamp,
) -> GitRepositoryStatus {
    let mut status = repository.status.clone().unwrap_or_default();
    status.artifact.clone_from(&progress.artifact);
    status.conditions = begun(repository, progress, now).into_list();
    status
}

/// The status of an object that is left alone.
///
/// Flux: it counts as observed, and what was asked for as handled, though nothing was done.
pub(crate) fn suspended(repository: &GitRepository, now: Timestamp) -> GitRepositoryStatus {
    let mut status = repository.status.clone().unwrap_or_default();
    let mut conditions = resumed(repository, now);
    if !status.conditions.is_empty() {
        status.observed_generation = repository.metadata.generation;
        conclude_ready(&mut conditions, READY_INPUTS);
    }
    status.conditions = conditions.into_list();
    handled(&mut status, repository);
    status
}

/// What the attempt comes to. `before` is the object as the attempt found it, `repository` as it is
/// now.
pub(crate) fn verdict(
    before: &GitRepository,
    repository: &GitRepository,
    progress: &Progress,
    end: &Result<Reached, Halt>,
    now: Timestamp,
) -> Verdict {
    let mut status = repository.status.clone().unwrap_or_default();
    status.artifact.clone_from(&progress.artifact);
    let mut conditions = begun(repository, progress, now);
    let mut events = progress.events.clone();
    let next = match end {
        Ok(reached) => {
            succeeded(&mut status, &mut conditions, reached, repository);
            events.extend(good_news(before, &status, &conditions, progress, reached));
            Next::Interval(spec::interval(repository))
        }
        Err(halt) => {
            let message = chain(halt);
            failed(&mut status, &mut conditions, halt, &message, repository);
            events.push(Event::new(Severity::Error, halt.reason(), message.clone()));
            if halt.is_stalled() { Next::Await } else { Next::Backoff { error: message } }
        }
    };
    conclude_ready(&mut conditions, READY_INPUTS);
    status.conditions = conditions.into_list();
    handled(&mut status, repository);
    Verdict { status, events, next }
}

fn resumed(repository: &GitRepository, now: Timestamp) -> Conditions {
    let standing = repository.status.as_ref().map_or(&[][..], |status| &status.conditions);
    Conditions::resume(standing, repository.metadata.generation.unwrap_or_default(), now)
}

/// The conditions of an attempt that has come so far.
fn begun(repository: &GitRepository, progress: &Progress, now: Timestamp) -> Conditions {
    let mut conditions = resumed(repository, now);
    conditions.remove(STALLED);
    conditions.remove(STORAGE_OPERATION_FAILED);
    if progress.artifact.is_none() {
        conditions.remove(ARTIFACT_IN_STORAGE);
    }
    if conditions.get(SOURCE_VERIFIED).is_some_and(|verified| verified.status == "False") {
        conditions.remove(SOURCE_VERIFIED);
    }
    match &progress.outdated {
        Outdated::AsBefore => {}
        Outdated::Cleared => conditions.remove(ARTIFACT_OUTDATED),
        Outdated::By { reason, message } => {
            conditions.set(ARTIFACT_OUTDATED, Status::True, reason, message.clone());
        }
    }
    if progress.fetched {
        conditions.remove(FETCH_FAILED);
    }
    let message = progress.step.message();
    let is_open = conditions.get(READY).is_none_or(|ready| ready.status == "Unknown");
    if is_open || progress.step.is_drift() {
        conditions.set(READY, Status::Unknown, reasons::PROGRESSING, message.clone());
    }
    conditions.set(RECONCILING, Status::True, reasons::PROGRESSING, message);
    conditions
}

fn succeeded(
    status: &mut GitRepositoryStatus,
    conditions: &mut Conditions,
    reached: &Reached,
    repository: &GitRepository,
) {
    if let Reached::Stored { artifact, .. } = reached {
        let spec = &repository.spec;
        status.artifact = Some((**artifact).clone());
        status.included_artifacts.clear();
        status.observed_ignore.clone_from(&spec.ignore);
        status.observed_include.clone_from(&spec.include);
        status.observed_recurse_submodules = spec.recurse_submodules;
        status.observed_sparse_checkout.clone_from(&spec.sparse_checkout);
    }
    status.observed_generation = repository.metadata.generation;
    conditions.remove(RECONCILING);
    conditions.remove(ARTIFACT_OUTDATED);
    if let Some(artifact) = &status.artifact {
        let message = format!("stored artifact for revision '{}'", artifact.revision);
        conditions.set(ARTIFACT_IN_STORAGE, Status::True, reasons::SUCCEEDED, message);
    }
}

fn failed(
    status: &mut GitRepositoryStatus,
    conditions: &mut Conditions,
    halt: &Halt,
    message: &str,
    repository: &GitRepository,
) {
    match halt.blame() {
        Blame::Fetch => conditions.set(FETCH_FAILED, Status::True, halt.reason(), message),
        Blame::Storage => {
            conditions.set(STORAGE_OPERATION_FAILED, Status::True, halt.reason(), message);
        }
        Blame::Nobody => {}
    }
    if halt.is_stalled() {
        conditions.remove(RECONCILING);
        conditions.set(STALLED, Status::True, halt.reason(), message);
        status.observed_generation = repository.metadata.generation;
    } else if let Some(under_way) = conditions.get(RECONCILING).map(|it| it.message.clone()) {
        let reason = reasons::PROGRESSING_WITH_RETRY;
        conditions.set(RECONCILING, Status::True, reason, under_way);
    }
}

/// What is told of an attempt that went well.
fn good_news(
    before: &GitRepository,
    status: &GitRepositoryStatus,
    conditions: &Conditions,
    progress: &Progress,
    reached: &Reached,
) -> Vec<Event> {
    let Some(artifact) = &status.artifact else { return Vec::new() };
    let revision = &artifact.revision;
    let told = |reason: &str| {
        let commit = match reached {
            Reached::Stored { subject, .. } => subject,
            Reached::Unchanged | Reached::UpToDate => revision,
        };
        let message = format!("stored artifact for commit '{commit}'");
        Event::new(Severity::Info, reason, message)
            .with(&format!("{GROUP}/revision"), revision.clone())
            .with(&format!("{GROUP}/digest"), artifact.digest.clone())
    };
    let mut events = Vec::new();
    let old = before.status.as_ref().and_then(|status| status.artifact.as_ref());
    if old.is_none_or(|old| old.digest != artifact.digest) {
        events.push(told("NewArtifact"));
    } else if has_recovered(before, conditions) {
        events.push(told(reasons::SUCCEEDED));
    }
    // Differs: Flux tells at every interval that there is nothing to tell.
    if progress.is_news {
        match reached {
            Reached::Unchanged => {
                let message =
                    format!("no changes since last reconciliation: observed revision '{revision}'");
                events.push(Event::new(Severity::Trace, "GitOperationSucceeded", message));
            }
            Reached::UpToDate => {
                let message = format!("artifact up-to-date with remote revision: '{revision}'");
                let reason = reasons::ARTIFACT_UP_TO_DATE;
                events.push(Event::new(Severity::Trace, reason, message));
            }
            Reached::Stored { .. } => {}
        }
    }
    events
}

fn has_recovered(before: &GitRepository, conditions: &Conditions) -> bool {
    let standing = before.status.as_ref().map_or(&[][..], |status| &status.conditions);
    FAILURES.iter().any(|failure| find(standing, failure).is_some())
        && FAILURES.iter().all(|failure| conditions.get(failure).is_none())
}

fn handled(status: &mut GitRepositoryStatus, repository: &GitRepository) {
    if let Some(token) = requested_at(repository) {
        status.last_handled_reconcile_at = Some(token.clone());
    }
}

#[cfg(test)]
mod tests;
