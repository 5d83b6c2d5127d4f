//! Requests to Receivers. Nothing that a request names is looked up before its sender is known: only
//! the Secret of the Receiver, and the keys of the issuers that the Receiver names.

use std::sync::Arc;

use crd_types::conditions::READY;
use crd_types::notification::Receiver;
use http::StatusCode;
use jiff::Timestamp;
use kube::ResourceExt as _;
use reconcile_loop::chain;
use reconcile_loop::conditions::is_true;
use reconcile_loop::controller::api_error;
use secret_text::Secret;
use webhook_request::token::Claims;
use webhook_request::{InvalidJson, Kind, Payload, Rejected};

use super::filters::Judge;
use super::identity;
use super::paths::Paths;
use super::target::{Invalid, Targets, Which};
use crate::context::Context;
use crate::http::{Handler, Reply, Request};
use crate::secrets;

/// Where all paths of Receivers begin.
pub(crate) const PREFIX: &str = "/hook/";

/// Takes requests to Receivers.
#[derive(Debug)]
pub(crate) struct ReceiverServer(pub(crate) Arc<Context>);

/// Why a request is turned away. For the log: the sender is told a status only.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("recevier type {kind:?} not supported")]
    Kind { kind: String },
    #[error("unable to read secret")]
    Secret(#[source] secrets::Error),
    #[error("invalid {secret:?} secret data: required field 'token'")]
    NoToken { secret: String },
    #[error("secretRef is required for {kind} receivers")]
    NoSecret { kind: String },
    #[error(transparent)]
    Identity(#[from] identity::Error),
    #[error(transparent)]
    Request(#[from] Rejected),
}

/// Why filters cannot be used on a request.
#[derive(Debug, thiserror::Error)]
#[error("failed to parse request body as JSON")]
struct Unread(#[source] InvalidJson);

/// Why a resource could not be woken.
#[derive(Debug, thiserror::Error)]
enum Unwoken {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("{0}")]
    Api(String),
    #[error("{0}")]
    Look(Arc<str>),
    #[error(transparent)]
    Filter(#[from] cel_expressions::EvaluationError),
}

impl From<kube::Error> for Unwoken {
    fn from(error: kube::Error) -> Self {
        Self::Api(api_error(&error))
    }
}

/// A request whose sender is known.
struct Admitted {
    payload: Payload,
    /// What an identity provider says of the sender.
    claims: Option<Claims>,
}

impl Handler for ReceiverServer {
    fn serves(&self, path: &str) -> bool {
        path.starts_with(PREFIX)
    }

    async fn answer(&self, request: Request) -> Reply {
        answer(&self.0, &request).await.into()
    }
}

async fn answer(ctx: &Arc<Context>, request: &Request) -> StatusCode {
    // Flux: with the query, so that a path with one is another path.
    let uri = request.uri.path_and_query().map_or("", |uri| uri.as_str());
    let paths = ctx.paths.of(&ctx.receivers, Paths::of);
    let Some(hook) = paths.at(uri) else { return StatusCode::NOT_FOUND };
    let receiver = &hook.receiver;
    let (name, namespace) = (receiver.name_any(), receiver.namespace().unwrap_or_default());
    let conditions = receiver.status.as_ref().map_or(&[][..], |status| &status.conditions);
    if receiver.spec.suspend || !is_true(conditions, READY) {
        let why = if receiver.spec.suspend { "suspended" } else { "not ready" };
        tracing::error!(name, namespace, "receiver is {why}");
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let admitted = match admit(ctx, receiver, &namespace, request).await {
        Ok(admitted) => admitted,
        Err(error) => {
            tracing::error!(name, namespace, error = chain(&error), "unable to validate payload");
            return StatusCode::BAD_REQUEST;
        }
    };
    let Admitted { payload, claims } = admitted;
    let judge = match hook.filters() {
        Ok(filters) => {
            filters.judge(&payload, &request.body, claims).map_err(|error| chain(&Unread(error)))
        }
        Err(error) => Err(error.to_string()),
    };
    let judge = match judge {
        Ok(judge) => judge,
        Err(error) => {
            tracing::error!(name, namespace, error, "unable to create resource filters");
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
    };
    let mut status = StatusCode::OK;
    for index in 0..receiver.spec.resources.len() {
        if let Err(error) = wake(ctx, receiver, &namespace, index, &judge).await {
            let error = chain(&error);
            tracing::error!(name, namespace, error, "unable to request reconciliation");
            status = StatusCode::INTERNAL_SERVER_ERROR;
        }
    }
    status
}

async fn admit(
    ctx: &Context,
    receiver: &Receiver,
    namespace: &str,
    request: &Request,
) -> Result<Admitted, Refused> {
    let spec = &receiver.spec;
    let kind =
        Kind::named(&spec.type_).ok_or_else(|| Refused::Kind { kind: spec.type_.clone() })?;
    let secret = match &spec.secret_ref {
        None => None,
        Some(reference) => {
            let client = &ctx.runtime.client;
            let found = ctx.tokens.read(client, namespace, &reference.name).await;
            Some(found.map_err(Refused::Secret)?)
        }
    };
    let token = match &secret {
        None if kind.has_token() => return Err(Refused::NoSecret { kind: spec.type_.clone() }),
        None => Secret::default(),
        Some(found) => {
            let token = found.text("token");
            Secret::new(token.ok_or_else(|| Refused::NoToken { secret: found.name.clone() })?)
        }
    };
    let now = Timestamp::now().as_second();
    let claims = match (kind, &secret) {
        (Kind::GenericOidc, _) => {
            let vouched = ctx.identities.of_oidc(&spec.oidc_providers, &request.headers, now);
            Some(vouched.await?)
        }
        (Kind::Gcr, Some(secret)) => {
            ctx.identities.of_gcr(secret, &request.headers, now).await?;
            None
        }
        _ => None,
    };
    let seen = webhook_request::Request { headers: &request.headers, body: &request.body };
    let payload = webhook_request::admit(kind, &token, &spec.events, seen)?;
    Ok(Admitted { payload, claims })
}

/// Wakes what one resource of a Receiver means.
async fn wake(
    ctx: &Arc<Context>,
    receiver: &Receiver,
    namespace: &str,
    index: usize,
    judge: &Judge<'_>,
) -> Result<(), Unwoken> {
    let Some(resource) = receiver.spec.resources.get(index) else { return Ok(()) };
    let strict = ctx.settings.no_cross_namespace_refs;
    let targets = Targets::of(resource, namespace, strict)?;
    if let Which::Named(name) = &targets.which
        && !judge.look_at(index)
    {
        return Ok(ctx.waker.wake(&ctx.runtime.client, targets.named(name)).await?);
    }
    let look = async { targets.look(&ctx.runtime.client).await.map_err(|error| api_error(&error)) };
    let found = ctx.looks.look(&targets, look).await.map_err(Unwoken::Look)?;
    if found.is_empty() {
        tracing::error!(kind = resource.kind, namespace, "no resources found with matching labels");
    }
    for (target, metadata) in found.iter() {
        // What is about to be woken need not be judged again, be the flood as it may.
        if !ctx.waker.is_about_to_wake(target) && judge.admit(index, metadata)? {
            ctx.waker.wake(&ctx.runtime.client, target.clone()).await?;
        }
    }
    Ok(())
}
