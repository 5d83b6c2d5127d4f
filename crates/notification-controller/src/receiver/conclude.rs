//! What a reconciliation of a Receiver comes to. Pure.

use std::time::Duration;

use crd_types::conditions::{READY, RECONCILING, STALLED};
use crd_types::metadata::REQUESTED_AT;
use crd_types::notification::{Receiver, ReceiverStatus};
use jiff::Timestamp;
use kube::ResourceExt as _;
use reconcile_loop::conditions::{Conditions, Status, is_true};
use reconcile_loop::events::{Event, Severity};
use reconcile_loop::requeue::Next;

/// How often a Receiver is looked at, if it does not say.
const INTERVAL: Duration = Duration::from_mins(10);
const TERMINAL: &str = "Reconciliation failed terminally due to configuration error";

/// How a reconciliation ended.
#[derive(Debug)]
pub(super) enum End {
    /// Requests are taken at this path.
    Ready { path: String },
    /// Only an edit of the object helps.
    Terminal { reason: &'static str, error: String },
    /// The token cannot be read.
    NoToken(NoToken),
    /// It is to be left alone.
    Suspended,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoToken {
    #[error("unable to read token from secret '{secret}' error: {detail}")]
    Unread { secret: String, detail: String },
    #[error("invalid '{secret}' secret data: required fields 'token'")]
    Missing { secret: String },
}

/// What that means.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) status: ReceiverStatus,
    pub(super) event: Option<Event>,
    pub(super) next: Next,
}

/// Concludes.
pub(super) fn verdict(receiver: &Receiver, end: &End, now: Timestamp) -> Verdict {
    let mut status = receiver.status.clone().unwrap_or_default();
    let generation = receiver.metadata.generation.unwrap_or_default();
    let mut conditions = Conditions::resume(&status.conditions, generation, now);
    let interval = receiver.spec.interval.as_ref().and_then(|text| text.to_duration().ok());
    let interval = interval.and_then(|it| Duration::try_from(it).ok()).unwrap_or(INTERVAL);
    if let Some(token) = receiver.annotations().get(REQUESTED_AT) {
        status.last_handled_reconcile_at = Some(token.clone());
    }
    let (event, next) = match end {
        End::Ready { path } => {
            let message = format!("Receiver initialized for path: {path}");
            conditions.set(READY, Status::True, "Succeeded", message);
            conditions.remove(STALLED);
            status.webhook_path = Some(path.clone());
            (None, Next::After(interval))
        }
        End::Terminal { reason, error } => {
            let message = format!("{TERMINAL}: {error}");
            conditions.set(READY, Status::False, reason, &message);
            conditions.set(STALLED, Status::True, reason, &message);
            conditions.remove(RECONCILING);
            status.observed_generation = Some(generation);
            (Some(Event::new(Severity::Error, *reason, message)), Next::Await)
        }
        End::NoToken(error) => {
            let error = error.to_string();
            conditions.set(READY, Status::False, "TokenNotFound", &error);
            let under_way = "Reconciliation in progress";
            conditions.set(RECONCILING, Status::True, "ProgressingWithRetry", under_way);
            conditions.remove(STALLED);
            status.webhook_path = None;
            (Some(Event::new(Severity::Error, "Failed", &error)), Next::Backoff { error })
        }
        End::Suspended => (None, Next::Await),
    };
    status.conditions = conditions.into_list();
    if !is_true(&status.conditions, READY) {
        return Verdict { status, event, next };
    }
    // Flux: a suspended one that is ready says so, too, and counts as observed.
    status.conditions.retain(|condition| condition.type_ != RECONCILING);
    status.observed_generation = Some(generation);
    let interval = go_duration::format(interval);
    let message = format!("Reconciliation finished, next run in {interval}");
    let event = Some(Event::new(Severity::Info, "Succeeded", message));
    Verdict { status, event, next }
}

#[cfg(test)]
mod tests {
    use crd_types::notification::ReceiverSpec;

    use super::*;

    const NOON: Timestamp = Timestamp::constant(1_000, 0);

    fn print(receiver: &Receiver, end: &End) -> (Receiver, String) {
        let verdict = verdict(receiver, end, NOON);
        let mut lines: Vec<String> = verdict
            .status
            .conditions
            .iter()
            .map(|c| format!("{}={} {}: {}", c.type_, c.status, c.reason, c.message))
            .collect();
        lines.push(format!("path={:?}", verdict.status.webhook_path.as_deref()));
        lines.push(format!("observed={:?}", verdict.status.observed_generation));
        lines.extend(verdict.event.map(|event| format!("{}: {}", event.reason, event.message)));
        lines.push(format!("{:?}", verdict.next));
        (Receiver { status: Some(verdict.status), ..receiver.clone() }, lines.join("\n"))
    }

    #[test]
    fn a_receiver_is_ready_stalled_or_without_a_token() {
        let mut receiver = Receiver::new("r", ReceiverSpec::default());
        receiver.metadata.generation = Some(3);
        let (ready, text) = print(&receiver, &End::Ready { path: "/hook/1".to_owned() });
        assert_eq!(
            text,
            "Ready=True Succeeded: Receiver initialized for path: /hook/1\npath=Some(\"/hook/1\")\n\
             observed=Some(3)\nSucceeded: Reconciliation finished, next run in 10m0s\nAfter(600s)"
        );
        let (_, text) = print(&ready, &End::Suspended);
        assert!(text.contains("next run in 10m0s\nAwait"), "{text}");
        let secret = "ns/s".to_owned();
        let (lost, text) = print(&ready, &End::NoToken(NoToken::Missing { secret }));
        assert_eq!(
            text,
            "Reconciling=True ProgressingWithRetry: Reconciliation in progress\n\
             Ready=False TokenNotFound: invalid 'ns/s' secret data: required fields 'token'\n\
             path=None\nobserved=Some(3)\n\
             Failed: invalid 'ns/s' secret data: required fields 'token'\n\
             Backoff { error: \"invalid 'ns/s' secret data: required fields 'token'\" }"
        );
        let error = "no".to_owned();
        let (_, text) = print(&lost, &End::Terminal { reason: "ValidationFailed", error });
        let said = format!("ValidationFailed: {TERMINAL}: no");
        assert_eq!(
            text,
            format!(
                "Stalled=True {said}\nReady=False {said}\npath=None\nobserved=Some(3)\n{said}\nAwait"
            )
        );
    }
}
