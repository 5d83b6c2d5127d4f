//! The end of a HelmRelease: what becomes of its release.

use std::sync::Arc;

use cluster_apply::TenantClient;
use crd_types::helm::HelmRelease;
use helm_action::Leave;
use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use reconcile_loop::controller::{Finalized, api_error, confined};
use reconcile_loop::requeue::Next;
use tracing::Instrument as _;

use super::conclude::Report;
use super::memory::{Basis, Turn};
use super::options::Common;
use super::{chart_template, tenant, uninstall};
use crate::context::Context;

/// Uninstalls the release of an object that is being deleted, then deletes its HelmChart. The
/// release is removed outside of any worker, for it may take its time. May be repeated.
///
/// Flux: a suspended object goes alone.
pub(super) async fn finalize(hr: &Arc<HelmRelease>, ctx: &Arc<Context>) -> Finalized {
    if hr.spec.suspend {
        return Finalized::Gone;
    }
    let key = ObjectRef::from_obj(&**hr);
    match ctx.memory.farewell(&key) {
        Turn::Busy => return Finalized::UnderWay,
        Turn::Ended(Next::Backoff { error }) => return Finalized::Retry { error },
        Turn::Ended(_) | Turn::Asked(..) => {}
        Turn::Free => match to_uninstall(hr, ctx).await {
            Ok(None) => {}
            Ok(Some(client)) => {
                begin(hr, ctx, client);
                return Finalized::UnderWay;
            }
            Err(error) => return Finalized::Retry { error },
        },
    }
    match chart_template::remove(hr, ctx).await {
        Ok(()) => Finalized::Gone,
        Err(halt) => Finalized::Retry { error: halt.to_string() },
    }
}

/// With whose rights the release is to be removed; none if there is nothing to remove or nobody to
/// do it as.
async fn to_uninstall(hr: &HelmRelease, ctx: &Context) -> Result<Option<TenantClient>, String> {
    if !tenant::exists(hr, ctx).await? {
        tracing::info!("skipping Helm uninstall: who the release belongs to is gone");
        return Ok(None);
    }
    let client = tenant::client(hr, ctx).await.map_err(|halt| halt.to_string())?;
    if uninstall::is_recorded(hr.status.as_ref()) {
        return Ok(Some(client));
    }
    // A process may have been ended after it had begun to install, before it came to say so.
    let target = uninstall::target(hr, client.clone());
    let stored = target.storage().history().await;
    let stored = stored.map_err(|error| reconcile_loop::chain(&error))?;
    Ok(stored.last().is_some_and(|record| uninstall::is_ours(record)).then_some(client))
}

fn begin(hr: &Arc<HelmRelease>, ctx: &Arc<Context>, client: TenantClient) {
    let key = ObjectRef::from_obj(&**hr);
    ctx.memory.begin(&key, Basis::default());
    let (mut hr, ctx) = (Arc::clone(hr), Arc::clone(ctx));
    let work = {
        let (key, ctx) = (key.clone(), Arc::clone(&ctx));
        async move {
            let removal = Box::pin(remove(&mut hr, &ctx, client));
            let end = confined::<HelmRelease, _>(&ctx.runtime.metrics, removal).await;
            let next = match end.and_then(|removed| removed) {
                Ok(()) => Next::Await,
                Err(error) => Next::Backoff { error },
            };
            ctx.memory.end_for_good(&key, next);
            ctx.trigger.reconcile(key);
        }
    };
    let task = tokio::spawn(work.in_current_span());
    ctx.memory.hold(&key, task.abort_handle());
}

/// Uninstalls the release and tells how that went.
async fn remove(
    hr: &mut Arc<HelmRelease>,
    ctx: &Context,
    client: TenantClient,
) -> Result<(), String> {
    let mut target = uninstall::target(hr, client);
    target.leave = Leave::among(&ctx.places).await;
    let common = Common::of(&ctx.settings, None);
    let mut report = Report::resume(hr, Timestamp::now());
    let (event, result) = uninstall::uninstall(hr, &target, &common, &mut report, ctx).await;
    if let Err(error) = ctx.writer.status(hr, &report.status()).await {
        // The object is about to go; how its release went is in the event, too.
        tracing::debug!(error = api_error(&error), "the end was not recorded");
    }
    if let Some(event) = event {
        tracing::info!(reason = event.reason, "{}", event.message);
        ctx.runtime.events.publish(&**hr, event).await;
    }
    result
}
