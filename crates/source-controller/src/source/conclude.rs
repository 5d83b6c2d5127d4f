//! From how an attempt ended to what the object says of it. Pure: values in, values out.

use crd_types::{
    conditions::{
        ARTIFACT_IN_STORAGE, ARTIFACT_OUTDATED, READY, RECONCILING, SOURCE_VERIFIED, STALLED,
        STORAGE_OPERATION_FAILED,
    },
    reasons,
    source::GROUP,
};
use jiff::Timestamp;
use reconcile_loop::{
    chain,
    conditions::{Conditions, Status, find},
    events::{Event, Severity},
    requeue::Next,
};

use super::{
    Source, SourceStatus as _,
    progress::{Outdated, Progress},
};
use crate::summary::conclude_ready;

/// How an attempt ended well: the artifact is current.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    /// What `ArtifactInStorage` says.
    pub(crate) in_storage: Told,
    /// What is told of it if it is new.
    pub(crate) stored: Stored,
    /// What whoever waits for the attempt is told if the artifact was there before.
    pub(crate) unchanged: Option<Told>,
}

/// A reason with its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) reason: &'static str,
    pub(crate) message: String,
}

impl Told {
    /// Upstream was read and has what is stored.
    pub(crate) fn up_to_date(revision: &str) -> Self {
        Self {
            reason: reasons::ARTIFACT_UP_TO_DATE,
            message: format!("artifact up-to-date with remote revision: '{revision}'"),
        }
    }
}

/// What is told of a new artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The reason if there is another artifact than before.
    pub(crate) when_new: &'static str,
    /// The reason if it is the same, after a failure.
    pub(crate) when_recovered: &'static str,
    pub(crate) message: String,
}

/// Why an attempt stopped, and what is said of it where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stop {
    /// The reason of the event and of `Stalled`.
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    /// The condition that tells of it, with what it says; none if only those about the attempt do.
    pub(crate) blame: Option<(&'static str, Told)>,
    pub(crate) retry: Retry,
}

/// What helps after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    /// Only an edit of the object.
    Edit,
    /// Time; it is told as a failure.
    Backoff,
    /// Something that is expected to come, and wakes the object; nobody is alarmed.
    Wait,
}

/// What an attempt comes to.
#[derive(Clone, Debug)]
pub(crate) struct Verdict<S> {
    pub(crate) status: S,
    pub(crate) events: Vec<Event>,
    pub(crate) next: Next,
}

impl Stop {
    /// A failure that `condition` tells of in the same words.
    pub(crate) fn new(
        condition: &'static str,
        reason: &'static str,
        message: impl Into<String>,
        retry: Retry,
    ) -> Self {
        let message = message.into();
        let told = Told { reason, message: message.clone() };
        Self { reason, message, blame: Some((condition, told)), retry }
    }

    /// The storage failed before anything was fetched.
    pub(crate) fn storage(error: &artifact::store::Error) -> Self {
        let message = format!("failed to remove artifact after digest mismatch: {}", chain(error));
        Self { reason: reasons::FAILED, message, blame: None, retry: Retry::Backoff }
    }

    /// The artifact could not be stored.
    pub(crate) fn not_stored(reason: &'static str, message: String) -> Self {
        Self::new(STORAGE_OPERATION_FAILED, reason, message, Retry::Backoff)
    }

    /// Whether only an edit of the object helps, so that the clock never retries it.
    pub(crate) fn is_stalled(&self) -> bool {
        self.retry == Retry::Edit
    }
}

/// The status while an attempt is under way.
pub(crate) fn under_way<K: Source>(
    object: &K,
    progress: &Progress<K::Status>,
    now: Timestamp,
) -> K::Status {
    let mut status = progress.status.clone();
    *status.common().conditions = begun(object, progress, now).into_list();
    status
}

/// The status of an object that is left alone.
///
/// Flux: it counts as observed, and what was asked for as handled, though nothing was done.
pub(crate) fn suspended<K: Source>(object: &K, now: Timestamp) -> K::Status {
    let mut status = object.status().cloned().unwrap_or_default();
    let mut conditions = resumed(object, now);
    let common = status.common();
    if !common.conditions.is_empty() {
        *common.observed_generation = object.meta().generation;
        conclude_ready(&mut conditions, K::READY_INPUTS);
    }
    *common.conditions = conditions.into_list();
    handled(&mut status, object);
    status
}

/// What the attempt comes to. `before` is the object as the attempt found it, `object` as it is
/// now.
pub(crate) fn verdict<K: Source>(
    before: &K,
    object: &K,
    progress: &mut Progress<K::Status>,
    end: &Result<Reached, Stop>,
    now: Timestamp,
) -> Verdict<K::Status> {
    let mut conditions = begun(object, progress, now);
    let mut status = progress.status.clone();
    let mut events = std::mem::take(&mut progress.events);
    let next = match end {
        Ok(reached) => {
            *status.common().observed_generation = object.meta().generation;
            conditions.remove(RECONCILING);
            conditions.remove(ARTIFACT_OUTDATED);
            let Told { reason, message } = &reached.in_storage;
            conditions.set(ARTIFACT_IN_STORAGE, Status::True, reason, message.clone());
            events.extend(good_news(before, &mut status, &conditions, progress.is_news, reached));
            Next::Interval(object.interval())
        }
        Err(stop) => {
            failed(&mut status, &mut conditions, stop, object);
            let severity =
                if stop.retry == Retry::Wait { Severity::Trace } else { Severity::Error };
            events.push(Event::new(severity, stop.reason, stop.message.clone()));
            if stop.is_stalled() {
                Next::Await
            } else {
                Next::Backoff { error: stop.message.clone() }
            }
        }
    };
    conclude_ready(&mut conditions, K::READY_INPUTS);
    *status.common().conditions = conditions.into_list();
    handled(&mut status, object);
    Verdict { status, events, next }
}

/// The artifacts of a deleted object are gone.
pub(crate) fn removed() -> Event {
    let message = "garbage collected artifacts for deleted resource";
    Event::new(Severity::Trace, "GarbageCollectionSucceeded", message)
}

/// The artifacts of a deleted object cannot be removed.
pub(crate) fn not_removed(error: &artifact::store::Error) -> Event {
    let message = format!("garbage collection for deleted resource failed: {}", chain(error));
    Event::new(Severity::Error, "GarbageCollectionFailed", message)
}

fn resumed<K: Source>(object: &K, now: Timestamp) -> Conditions {
    let generation = object.meta().generation.unwrap_or_default();
    Conditions::resume(&object.conditions(), generation, now)
}

/// The conditions of an attempt that has come so far.
fn begun<K: Source>(object: &K, progress: &Progress<K::Status>, now: Timestamp) -> Conditions {
    let mut conditions = resumed(object, now);
    conditions.remove(STALLED);
    conditions.remove(STORAGE_OPERATION_FAILED);
    if progress.status.clone().common().artifact.is_none() {
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
        give_up(&mut conditions, K::FAILURES, None);
    }
    let message = progress.step.message();
    let is_open = conditions.get(READY).is_none_or(|ready| ready.status == "Unknown");
    if is_open || progress.step.is_drift() {
        conditions.set(READY, Status::Unknown, reasons::PROGRESSING, message.clone());
    }
    conditions.set(RECONCILING, Status::True, reasons::PROGRESSING, message);
    conditions
}

fn failed<K: Source>(status: &mut K::Status, conditions: &mut Conditions, stop: &Stop, object: &K) {
    if let Some((condition, Told { reason, message })) = &stop.blame {
        if *condition != STORAGE_OPERATION_FAILED {
            // One failure at a time: the others are of attempts before.
            give_up(conditions, K::FAILURES, Some(condition));
        }
        conditions.set(condition, Status::True, reason, message.clone());
    }
    match stop.retry {
        Retry::Edit => {
            conditions.remove(RECONCILING);
            conditions.set(STALLED, Status::True, stop.reason, stop.message.clone());
            *status.common().observed_generation = object.meta().generation;
        }
        Retry::Backoff => {
            if let Some(under_way) = conditions.get(RECONCILING).map(|it| it.message.clone()) {
                let reason = reasons::PROGRESSING_WITH_RETRY;
                conditions.set(RECONCILING, Status::True, reason, under_way);
            }
        }
        Retry::Wait => {}
    }
}

/// Gives up the claims of all these types but one, which keeps the time at which it came true.
fn give_up(conditions: &mut Conditions, types: &[&str], but: Option<&str>) {
    for type_ in types.iter().filter(|type_| but != Some(**type_)) {
        conditions.remove(type_);
    }
}

/// What is told of an attempt that went well.
fn good_news<K: Source>(
    before: &K,
    status: &mut K::Status,
    conditions: &Conditions,
    is_news: bool,
    reached: &Reached,
) -> Vec<Event> {
    let Some(artifact) = status.common().artifact.clone() else { return Vec::new() };
    let told = |reason: &str| {
        Event::new(Severity::Info, reason, reached.stored.message.clone())
            .with(&format!("{GROUP}/revision"), artifact.revision.clone())
            .with(&format!("{GROUP}/digest"), artifact.digest.clone())
    };
    let mut events = Vec::new();
    if before.artifact().is_none_or(|old| old.digest != artifact.digest) {
        events.push(told(reached.stored.when_new));
    } else if has_recovered(before, conditions) {
        events.push(told(reached.stored.when_recovered));
    }
    // Differs: Flux tells at every interval that there is nothing to tell.
    if is_news && let Some(Told { reason, message }) = &reached.unchanged {
        events.push(Event::new(Severity::Trace, *reason, message.clone()));
    }
    events
}

fn has_recovered<K: Source>(before: &K, conditions: &Conditions) -> bool {
    let standing = before.conditions();
    let failures = || K::FAILURES.iter().chain(&[STORAGE_OPERATION_FAILED]);
    failures().any(|failure| find(&standing, failure).is_some())
        && failures().all(|failure| conditions.get(failure).is_none())
}

fn handled<K: Source>(status: &mut K::Status, object: &K) {
    if let Some(token) = object.requested_at() {
        *status.common().last_handled_reconcile_at = Some(token.clone());
    }
}
