//! Running an errand: Secrets, the message, the provider.

use std::sync::Arc;

use reconcile_loop::chain;

use super::decide::Errand;
use super::{FAILED, object, undelivered};
use crate::context::Context;
use crate::metrics::Ended;
use crate::provider::{commit_status, outfit};

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
pub(super) async fn notify(ctx: Arc<Context>, errand: Box<Errand>) {
    if !errand.conflicts.is_empty() {
        tracing::info!(conflicts = ?errand.conflicts.keys(), "warning: {CONFLICTS}");
        let conflicts = errand.conflicts.clone();
        ctx.complain_with(&errand.alert, "MetadataAppendFailed", CONFLICTS.to_owned(), conflicts);
    }
    let message = match run(&ctx, &errand).await {
        Ok(()) => {
            ctx.count(&errand.provider, Ended::Sent);
            return;
        }
        Err(Failure::Unbegun(error)) => undelivered(&errand.event, &error),
        Err(Failure::Unsent(error)) => {
            format!("failed to send notification for {}: {error}", object(&errand.event))
        }
    };
    ctx.count(&errand.provider, Ended::Failed);
    tracing::error!(
        alert = errand.alert.metadata.name,
        provider = errand.provider.metadata.name,
        "{message}"
    );
    ctx.complain(&errand.alert, FAILED, message);
}

async fn run(ctx: &Context, errand: &Errand) -> Result<(), Failure> {
    let Errand { alert, provider, kind, event, .. } = errand;
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
    let outfit = outfit::outfit(provider, *kind, alert, status_id, &ctx.runtime.client).await;
    let outfit = outfit.map_err(|error| no_notifier(&chain(&error)))?;
    let told = ctx.sender.tell(&outfit.provider, event, &outfit.access, outfit.timeout).await;
    told.map_err(|error| match chain(&error) {
        text if error.is_of_setup() => {
            no_notifier(&format!("failed to initialize notifier: {text}"))
        }
        text => Failure::Unsent(text),
    })
}
