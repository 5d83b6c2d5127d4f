//! Running an errand: Secrets, the message, the provider.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use alert_message::Place;
use alert_send::Error;
use event_api::Event;
use reconcile_loop::chain;

use super::decide::Errand;
use super::tale::Whereabouts;
use super::{FAILED, object, undelivered};
use crate::alert::rules::Rule;
use crate::context::Context;
use crate::metrics::Ended;
use crate::provider::outfit::Outfit;
use crate::provider::{commit_status, outfit, token};

/// What is said where two sources of metadata have the same key.
const CONFLICTS: &str = "metadata key conflicts detected (please refer to the Alert API docs and \
                         Flux RFC 0008 for more information)";

/// Why an errand failed.
enum Failure {
    /// Nothing could be sent.
    Unbegun(String),
    /// It did not arrive.
    Unsent(String),
}

/// Tells a provider of an event, and the alert if that failed.
pub(super) async fn notify(ctx: Arc<Context>, errand: Arc<Errand>) {
    if !errand.conflicts.is_empty() {
        tracing::info!(conflicts = ?errand.conflicts.keys(), "warning: {CONFLICTS}");
        let conflicts = errand.conflicts.clone();
        ctx.complain_with(
            &errand.rule.alert,
            "MetadataAppendFailed",
            CONFLICTS.to_owned(),
            conflicts,
        );
    }
    match run(&ctx, &errand).await {
        Ok(ended) => ctx.count(&errand.provider, ended),
        Err(failure) => failed(&ctx, &errand, &failure),
    }
}

/// Tells the alert that there is a defect here, not what it panicked with: that may be a secret.
pub(super) fn panicked(ctx: &Context, errand: &Errand) {
    failed(ctx, errand, &Failure::Unsent("the notification panicked".to_owned()));
}

/// Counts an errand that failed, and tells the alert.
fn failed(ctx: &Context, errand: &Errand, failure: &Failure) {
    let message = match failure {
        Failure::Unbegun(error) => undelivered(&errand.event, error),
        Failure::Unsent(error) => {
            format!("failed to send notification for {}: {error}", object(&errand.event))
        }
    };
    ctx.count(&errand.provider, Ended::Failed);
    if let Some(chapter) = &errand.chapter {
        ctx.memory.unheard(&errand.rule, chapter, Instant::now());
    }
    tracing::error!(
        alert = errand.rule.alert.metadata.name,
        provider = errand.provider.metadata.name,
        "{message}"
    );
    ctx.complain(&errand.rule.alert, FAILED, message);
}

async fn run(ctx: &Context, errand: &Errand) -> Result<Ended, Failure> {
    let Errand { rule, provider, kind, event, chapter, .. } = errand;
    let whereabouts =
        chapter.as_ref().map_or(Some(Whereabouts::Alone), |it| it.whereabouts(provider));
    let Some(whereabouts) = whereabouts else { return Ok(Ended::Suppressed) };
    let (alert, event) = (&rule.alert, &worded(ctx, rule, event));
    let status_id = match kind.class() {
        alert_message::Class::CommitStatus => commit_status::id(provider, alert, event)
            .map_err(|error| Failure::Unbegun(chain(&error)))?,
        alert_message::Class::Forward
        | alert_message::Class::Message
        | alert_message::Class::ChangeRequest => String::new(),
    };
    let name = provider.metadata.name.as_deref().unwrap_or_default();
    let no_notifier = |error: &str| {
        Failure::Unbegun(format!("failed to initialize notifier for provider '{name}': {error}"))
    };
    let outfit = outfit::outfit(provider, *kind, alert, status_id, ctx).await;
    let mut outfit = outfit.map_err(|error| no_notifier(&chain(&error)))?;
    if rule.options.dry_run {
        token::pretend(&mut outfit);
        let sent = alert_send::rehearse(&outfit.provider, event);
        let sent = sent.map_err(|error| no_notifier(&chain(&error)))?;
        let message = format!("dry run, nothing is sent for {}: {sent}", object(event));
        tracing::info!(alert = alert.metadata.name, provider = name, "{message}");
        ctx.remark(alert, "DryRun", message);
        return Ok(Ended::Suppressed);
    }
    token::fetch(ctx, provider, &mut outfit).await.map_err(|error| match &error {
        // Flux asks for it with the message.
        token::Error::Google(_) => Failure::Unsent(chain(&error)),
        token::Error::Azure { .. } | token::Error::App(_) | token::Error::Deadline => {
            no_notifier(&format!("failed to initialize notifier: {}", chain(&error)))
        }
    })?;
    let told = tell(ctx, errand, &outfit, event, &whereabouts).await;
    told.map(|()| Ended::Sent).map_err(|error| match chain(&error) {
        text if error.is_of_setup() => {
            no_notifier(&format!("failed to initialize notifier: {text}"))
        }
        text => Failure::Unsent(text),
    })
}

/// Tells the provider, and remembers what others can be told below.
async fn tell(
    ctx: &Context,
    errand: &Errand,
    outfit: &Outfit,
    event: &Event,
    whereabouts: &Whereabouts,
) -> Result<(), Error> {
    let at =
        |place| ctx.sender.tell_at(place, &outfit.provider, event, &outfit.access, outfit.timeout);
    let told = match (at(whereabouts.place()).await, whereabouts) {
        // Whatever has become of the first message, the end is told.
        (Err(Error::Message(_)), Whereabouts::Last(_)) => at(Place::Alone).await?,
        (told, _) => told?,
    };
    if let (Some(thread), Some(chapter)) = (told, &errand.chapter) {
        chapter.begun(&errand.provider, thread);
    }
    Ok(())
}

/// The event with the message that the alert's template makes of it; with its own if that fails.
fn worded<'e>(ctx: &Context, rule: &Rule, event: &'e Event) -> Cow<'e, Event> {
    let Some(template) = &rule.options.template else { return Cow::Borrowed(event) };
    match template.message(event) {
        Ok(message) => Cow::Owned(Event { message, ..event.clone() }),
        Err(error) => {
            let message = format!("the message template failed: {}", chain(&error));
            tracing::error!(alert = rule.alert.metadata.name, "{message}");
            ctx.complain(&rule.alert, "TemplateFailed", message);
            Cow::Borrowed(event)
        }
    }
}
