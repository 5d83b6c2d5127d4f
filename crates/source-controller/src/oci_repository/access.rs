//! From the Secrets that an object refers to, to a registry that knows us.

use crd_types::{conditions::FETCH_FAILED, reasons, source::OCIRepository};
use http_access::Access;
use kube::ResourceExt as _;
use reconcile_loop::{
    chain,
    events::{Event, Severity},
};
use registry_client::{Registry, login};

use crate::{
    context::Context,
    source::{Attempt, Stop, conclude::Retry, secrets},
};

/// The registry, and whoever we are to it.
///
/// # Errors
/// If a Secret is missing or holds something unusable.
pub(super) async fn registry(
    attempt: &mut Attempt<OCIRepository>,
    ctx: &Context,
) -> Result<Registry, Stop> {
    let refused =
        |message| Stop::new(FETCH_FAILED, reasons::AUTHENTICATION_FAILED, message, Retry::Backoff);
    let object = std::sync::Arc::clone(&attempt.object);
    let (spec, namespace) = (&object.spec, object.namespace().unwrap_or_default());
    let url = &spec.url;
    let mut who = None;
    if let Some(reference) = &spec.secret_ref {
        let name = &reference.name;
        let found = secrets::read(&namespace, name, ctx).await.map_err(|error| {
            let message = format!("auth secret '{name}' not found");
            let event = Event::new(Severity::Trace, reasons::AUTHENTICATION_FAILED, message);
            attempt.progress.events.push(event);
            let why = chain(&error);
            refused(format!(
                "failed to get credential: failed to get secret '{namespace}/{name}': {why}"
            ))
        })?;
        let config = found.value(".dockerconfigjson").unwrap_or_else(|| b"{}".to_vec());
        let host = Registry::host(url).unwrap_or_default();
        who = login(&config, host)
            .map_err(|error| refused(format!("failed to get credential: {}", chain(&error))))?;
    }
    let transport = |error: &dyn std::error::Error| {
        refused(format!("failed to generate transport for '{url}': {}", chain(error)))
    };
    let mut access = Access::default();
    if let Some(reference) = &spec.cert_secret_ref {
        let found = secrets::read(&namespace, &reference.name, ctx).await;
        let found = found.map_err(|error| transport(&error))?;
        found.only_tls(&mut access).map_err(|error| transport(&error))?;
    }
    let client = ctx.clients.client(&access).map_err(|error| transport(&error))?;
    Registry::new(url, spec.insecure, client, who).map_err(|error| {
        let message = format!("URL validation failed for '{url}': {}", chain(&error));
        Stop::new(FETCH_FAILED, reasons::URL_INVALID, message, Retry::Edit)
    })
}
