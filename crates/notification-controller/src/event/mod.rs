//! Events: taken in, matched with alerts, handed over to who tells the providers.

mod causes;
pub(crate) mod decide;
pub(crate) mod dispatch;
#[cfg(test)]
mod fuzz;
pub(crate) mod involved;
mod labels;
pub(crate) mod limiter;
mod listed;
pub(crate) mod look;
pub(crate) mod memory;
pub(crate) mod metadata;
mod notify;
mod remembered;
pub(crate) mod restore;
mod tale;
pub(crate) mod turns;

use std::sync::Arc;
use std::time::{Duration, Instant};

use alert_incident::{Incidents, ObjectKey};
use event_api::Event;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use reconcile_loop::chain;

use crate::alert::rules::{Chosen, Rule};
use crate::context::Context;
use crate::http::{Handler, Reply, Request};
use crate::metrics::Ended;
use limiter::{EventKey, Taken};
use remembered::Telling;
use tale::Chapter;

/// Takes events from controllers.
#[derive(Debug)]
pub(crate) struct EventServer(pub(crate) Arc<Context>);

impl Handler for EventServer {
    fn serves(&self, _: &str) -> bool {
        true
    }

    /// 202 as soon as the event is handed over: whoever sends it has better things to do than to
    /// wait for a chat server.
    async fn answer(&self, request: Request) -> Reply {
        let ctx = &self.0;
        // A list would pass for an object whose fields come in order.
        if request.body.trim_ascii_start().starts_with(b"[") {
            tracing::error!("decoding the request body failed: it is a list");
            return StatusCode::BAD_REQUEST.into();
        }
        let mut event = match read(&request.body) {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(%error, "decoding the request body failed");
                return StatusCode::BAD_REQUEST.into();
            }
        };
        let bytes = weight(&event, &request.body);
        let taken = ctx.limiter.take(EventKey::of(&event), Instant::now());
        let headers = limit_headers(taken);
        if !taken.is_new {
            ctx.notifications.duplicate();
            tracing::debug!("Discarding event, rate limiting duplicate events");
            take_again(ctx, &Arc::new(event), bytes);
            let body = "Too Many Requests\n";
            return Reply { status: StatusCode::TOO_MANY_REQUESTS, headers, body };
        }
        metadata::forget_token(&mut event);
        take(ctx, &Arc::new(event), bytes);
        Reply { status: StatusCode::ACCEPTED, headers, body: "" }
    }
}

/// An event as it was posted, with the metadata that is taken in.
fn read(body: &[u8]) -> Result<Event, serde_json::Error> {
    let mut event = serde_json::from_slice(body)?;
    metadata::clean(&mut event);
    Ok(event)
}

/// What an event takes in memory, about, in bytes.
fn weight(event: &Event, body: &[u8]) -> usize {
    /// Besides its letters.
    const ENTRY: usize = 128;
    body.len() + ENTRY * event.metadata.len()
}

/// Hands an event over to the providers of all alerts that choose it.
fn take(ctx: &Arc<Context>, event: &Arc<Event>, bytes: usize) {
    let choice = ctx.alerts.current().choice(event);
    for (alert, complaint) in choice.invalid {
        tracing::error!("{complaint}");
        ctx.complain(&alert, "InvalidConfig", complaint);
    }
    if choice.chosen.is_empty() {
        let about = &event.involved_object;
        tracing::info!(
            kind = about.kind,
            namespace = about.namespace,
            name = about.name,
            "discarding event, no alerts found for the involved object"
        );
        return;
    }
    let is_behind = ctx.turns.are_taken(event);
    let (curious, plain): (Vec<_>, Vec<_>) = choice.chosen.into_iter().partition(|chosen| {
        is_curious(chosen, event) || is_behind && chosen.rule.options.has_memory()
    });
    for chosen in plain {
        tell(ctx, event, &chosen, &[], bytes);
    }
    if !curious.is_empty() {
        look_and_tell(ctx, event, curious, bytes);
    }
}

/// Ends what alerts remember by an event that was told already: it may have happened again.
fn take_again(ctx: &Arc<Context>, event: &Arc<Event>, bytes: usize) {
    let rules = ctx.alerts.current();
    if !rules.remember() || event.is_error() {
        return;
    }
    let chosen = rules.choice(event).chosen.into_iter();
    let remembering = chosen
        .filter(|chosen| chosen.rule.options.has_memory() && chosen.if_labelled.is_empty())
        .map(|chosen| Chosen { is_admitted: false, ..chosen });
    if ctx.turns.are_taken(event) {
        return look_and_tell(ctx, event, remembering.collect(), bytes);
    }
    for chosen in remembering {
        tell(ctx, event, &chosen, &[], bytes);
    }
}

/// Whether more must be known than the event says.
fn is_curious(chosen: &Chosen, event: &Event) -> bool {
    // Only what is not well is so because of something.
    let has_causes = chosen.rule.options.grouping.is_some() && Incidents::asks_for_causes(event);
    has_causes || !chosen.if_labelled.is_empty()
}

/// Looks at the object of an event for the alerts that need it, and tells them when all events of the
/// object before it are told.
fn look_and_tell(ctx: &Arc<Context>, event: &Arc<Event>, curious: Vec<Chosen>, bytes: usize) {
    let Some(place) = ctx.dispatch.budget(bytes) else {
        for chosen in curious {
            not_begun(ctx, event, &chosen.rule, &decide::Error::Busy);
        }
        return;
    };
    let mut turn = ctx.turns.take(event);
    let (taken_in, ctx, event) = (ctx.taken_in.clone(), Arc::clone(ctx), Arc::clone(event));
    taken_in.spawn(async move {
        let grouping = |chosen: &Chosen| chosen.rule.options.grouping.is_some();
        let causes = if Incidents::asks_for_causes(&event) && curious.iter().any(grouping) {
            causes::causes(&ctx, &event).await
        } else {
            Vec::new()
        };
        let (labelled, plain): (Vec<_>, Vec<_>) =
            curious.into_iter().partition(|chosen| !chosen.if_labelled.is_empty());
        let admitted = if labelled.is_empty() {
            Vec::new()
        } else {
            labels::admitted(&ctx, &event, labelled).await
        };
        turn.comes().await;
        for chosen in plain.into_iter().chain(admitted) {
            tell(&ctx, &event, &chosen, &causes, bytes);
        }
        drop((turn, place));
    });
}

/// The reason of what is told of a notification that failed.
const FAILED: &str = "NotificationDispatchFailed";

/// Tells an event, or what the alert makes of it.
fn tell(
    ctx: &Arc<Context>,
    event: &Arc<Event>,
    chosen: &Chosen,
    causes: &[ObjectKey],
    bytes: usize,
) {
    let rule = &chosen.rule;
    if !rule.options.has_memory() {
        return notify(ctx, event, rule, None, bytes);
    }
    let order = ctx.memory.in_order();
    let telling = ctx.memory.take(rule, event, causes, Instant::now());
    if telling.as_ref().is_some_and(|telling| !telling.is_remembered) {
        ctx.notifications.unremembered();
    }
    match telling {
        Some(Telling { event, chapter: Some(chapter), .. }) => {
            notify(ctx, &event, rule, Some(&chapter), bytes);
        }
        Some(_) if chosen.is_admitted => notify(ctx, event, rule, None, bytes),
        Some(_) | None => {}
    }
    drop(order);
}

/// Hands an event over to the provider of an alert.
fn notify(
    ctx: &Arc<Context>,
    event: &Arc<Event>,
    rule: &Arc<Rule>,
    chapter: Option<&Chapter>,
    bytes: usize,
) {
    let decision = decide::decide(event, rule, &ctx.providers, &ctx.settings);
    let error = match decision {
        Ok(decide::Decision::Tell(mut errand)) => {
            errand.chapter = chapter.cloned();
            match ctx.dispatch.enqueue(ctx, errand, bytes) {
                Ok(()) => return,
                Err(_full) => decide::Error::Busy,
            }
        }
        Ok(decide::Decision::Withheld(provider, why)) => {
            tracing::debug!(alert = rule.alert.metadata.name, "{why}");
            ctx.count(&provider, Ended::Suppressed);
            return;
        }
        Err(error) => error,
    };
    if let Some(chapter) = chapter {
        ctx.memory.unheard(rule, chapter, Instant::now());
    }
    not_begun(ctx, event, rule, &error);
}

/// Tells, at the alert and in the log, of a notification that cannot even be begun, and counts it.
fn not_begun(ctx: &Arc<Context>, event: &Event, rule: &Rule, error: &decide::Error) {
    let is_dropped = matches!(error, decide::Error::Busy);
    let ended = if is_dropped { Ended::Dropped } else { Ended::Failed };
    let alert = &rule.alert;
    if let Some(provider) = decide::provider(rule, ctx.providers.store()) {
        ctx.count(&provider, ended);
    }
    let message = undelivered(event, &chain(error));
    tracing::error!(alert = alert.metadata.name, "{message}");
    ctx.complain(alert, FAILED, message);
}

/// What is told of a notification that could not even be begun.
fn undelivered(event: &Event, error: &str) -> String {
    format!("failed to dispatch notification for {}: {error}", object(event))
}

/// `Kind/namespace/name`.
pub(crate) fn object(event: &Event) -> String {
    let about = &event.involved_object;
    format!("{}/{}/{}", about.kind, about.namespace, about.name)
}

fn limit_headers(taken: Taken) -> HeaderMap {
    let resets_at = jiff::Timestamp::now()
        + jiff::SignedDuration::try_from(taken.resets_in).unwrap_or(jiff::SignedDuration::ZERO);
    let resets_at = resets_at.strftime("%a, %d %b %Y %H:%M:%S UTC").to_string();
    let resets_at = HeaderValue::from_str(&resets_at).ok();
    let mut headers = HeaderMap::new();
    headers.insert("x-ratelimit-limit", HeaderValue::from_static("1"));
    headers.insert("x-ratelimit-remaining", HeaderValue::from_static("0"));
    if let Some(resets_at) = resets_at {
        if !taken.is_new {
            headers.insert(header::RETRY_AFTER, resets_at.clone());
        }
        headers.insert("x-ratelimit-reset", resets_at);
    }
    headers
}

/// How long the object of an event may take to be looked at.
pub(crate) const LOOK_TIMEOUT: Duration = Duration::from_secs(15);
