//! Receivers: webhooks that ask for reconciliations.

mod conclude;
mod filters;
pub(crate) mod identity;
mod oidc;
pub(crate) mod paths;
mod requests;
pub(crate) mod target;
pub(crate) mod tokens;
pub(crate) mod wake;

use std::sync::Arc;

use crd_types::notification::Receiver;
use jiff::Timestamp;
use kube::ResourceExt as _;
use kube::runtime::reflector::ObjectRef;
use reconcile_loop::controller::{Finalized, Reconciler, Trigger, api_error};
use reconcile_loop::requeue::Next;
use reconcile_loop::status::Writer;
use secret_text::Secret;

pub(crate) use requests::{PREFIX, ReceiverServer};

use crate::context::Context;
use crate::secrets;
use conclude::{End, NoToken};
use filters::Filters;

/// Gives Receivers their paths.
#[derive(Debug)]
pub(crate) struct Receivers {
    pub(crate) ctx: Arc<Context>,
    pub(crate) writer: Arc<Writer<Receiver>>,
}

impl Reconciler for Receivers {
    type Kind = Receiver;

    /// One reconciliation: look, conclude, record.
    async fn reconcile(&self, mut receiver: Arc<Receiver>) -> Next {
        let end = end(&receiver, &self.ctx).await;
        let verdict = conclude::verdict(&receiver, &end, Timestamp::now());
        if let Err(error) = self.writer.status(&mut receiver, &verdict.status).await {
            return Next::Backoff { error: api_error(&error) };
        }
        if let Some(event) = verdict.event {
            tracing::info!(reason = event.reason, "{}", event.message);
            self.ctx.runtime.events.publish(&*receiver, event).await;
        }
        verdict.next
    }

    async fn finalize(&self, _: Arc<Receiver>) -> Finalized {
        Finalized::Gone
    }
}

async fn end(receiver: &Receiver, ctx: &Context) -> End {
    if receiver.spec.suspend {
        tracing::info!("Reconciliation is suspended for this object");
        return End::Suspended;
    }
    if let Err(error) = Filters::of(&receiver.spec) {
        return End::Terminal { reason: "InvalidCELExpression", error: error.to_string() };
    }
    if let Err(error) = oidc::check(&receiver.spec) {
        return End::Terminal { reason: error.reason(), error: error.to_string() };
    }
    let (name, namespace) = (receiver.name_any(), receiver.namespace().unwrap_or_default());
    match token(receiver, &namespace, ctx).await {
        Ok(token) => End::Ready { path: webhook_request::path(&token, &name, &namespace) },
        Err(error) => End::NoToken(error),
    }
}

async fn token(receiver: &Receiver, namespace: &str, ctx: &Context) -> Result<Secret, NoToken> {
    let Some(reference) = &receiver.spec.secret_ref else { return Ok(Secret::default()) };
    let secret = format!("{namespace}/{}", reference.name);
    match secrets::read(&ctx.runtime.client, namespace, &reference.name).await {
        Ok(found) => match found.text("token") {
            Some(token) => Ok(Secret::new(token)),
            None => Err(NoToken::Missing { secret }),
        },
        Err(secrets::Error::Read { detail, .. }) => Err(NoToken::Unread { secret, detail }),
        Err(other) => Err(NoToken::Unread { secret, detail: other.to_string() }),
    }
}

/// Wakes the Receivers that refer to a Secret.
pub(crate) fn on_secret(
    ctx: Arc<Context>,
    trigger: Trigger<Receiver>,
) -> impl FnMut(&str, &str) + Send + 'static {
    move |namespace, name| {
        ctx.tokens.forget(namespace, name);
        for receiver in ctx.receivers.store().state() {
            let refers = receiver.spec.secret_ref.as_ref().is_some_and(|it| it.name == name);
            if refers && receiver.metadata.namespace.as_deref() == Some(namespace) {
                trigger.reconcile(ObjectRef::from_obj(&*receiver));
            }
        }
    }
}
