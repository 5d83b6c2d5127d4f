//! Waiting for health, outside of any worker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cel_expressions::HealthExpressions;
use cluster_apply::{
    Action, ChangeSet, HealthError, HealthEvaluator, HealthTarget, HealthWait, TenantClient, chain,
};
use crd_types::kustomize::Kustomization;
use kube::ResourceExt as _;
use kube::runtime::reflector::ObjectRef;
use manifest::{Gvk, ObjectId};
use reconcile_loop::controller::confined;
use reconcile_loop::metrics::Metrics;

use super::apply::gvk;
use super::halt::Halt;
use super::memory::{Basis, Outcome, WaitId};
use super::progress::Progress;
use crate::context::Context;

/// How custom resources tell their health, if the object says so. Pure.
pub(super) fn evaluator(ks: &Kustomization) -> Result<Option<Arc<dyn HealthEvaluator>>, Halt> {
    if ks.spec.health_check_exprs.is_empty() {
        return Ok(None);
    }
    match HealthExpressions::compile(&ks.spec.health_check_exprs) {
        Ok(expressions) => Ok(Some(Arc::new(expressions))),
        Err(error) => Err(Halt::invalid_expression(&error.to_string())),
    }
}

/// The objects whose health is wanted. Pure.
///
/// Flux: with `wait` every applied object counts and the list does not; a check without version
/// means `apps/v1`; the Kustomization itself is left out, or it would wait for itself.
pub(super) fn targets(ks: &Kustomization, applied: ChangeSet) -> Vec<HealthTarget> {
    let own = ks.namespace().unwrap_or_default();
    let is_self = |id: &ObjectId| {
        id.group == crd_types::kustomize::GROUP
            && id.kind == "Kustomization"
            && id.namespace == own
            && id.name == ks.name_any()
    };
    if ks.spec.wait {
        return applied
            .entries
            .into_iter()
            .filter(|entry| entry.action != Action::Skipped && !is_self(&entry.id))
            .map(|entry| HealthTarget {
                gvk: gvk(&entry.id, &entry.version),
                id: entry.id,
                seen: entry.live,
            })
            .collect();
    }
    let mut targets = Vec::new();
    for check in &ks.spec.health_checks {
        let version = check.api_version.as_deref().filter(|version| !version.is_empty());
        let gvk = Gvk::new(version.unwrap_or("apps/v1"), &check.kind);
        let id = ObjectId {
            group: gvk.group.clone(),
            kind: gvk.kind.clone(),
            namespace: check.namespace.clone().unwrap_or_default(),
            name: check.name.clone(),
        };
        if !is_self(&id) {
            let entry = applied.entries.iter().find(|entry| entry.id == id);
            let seen = entry.and_then(|entry| entry.live.clone());
            targets.push(HealthTarget { id, gvk, seen });
        }
    }
    targets
}

/// What to wait for, and how it is judged.
pub(super) struct Checks {
    pub(super) targets: Vec<HealthTarget>,
    pub(super) evaluator: Option<Arc<dyn HealthEvaluator>>,
    pub(super) timeout: Duration,
}

/// Starts to wait. The end is put into memory, and the object is queued.
pub(super) fn start(
    ks: &Kustomization,
    basis: Basis,
    checks: Checks,
    tenant: TenantClient,
    progress: Progress,
    ctx: &Arc<Context>,
) {
    let key = ObjectRef::from_obj(ks);
    let fail_fast = ctx.settings.fail_fast;
    let id = WaitId::new();
    let (later, told) = (Arc::clone(ctx), key.clone());
    let (registered, go) = tokio::sync::oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        // Not before it is registered, or its end would be lost.
        if go.await.is_err() {
            return;
        }
        let Checks { targets, evaluator, timeout } = checks;
        let wait = HealthWait::start(&tenant, targets, timeout, fail_fast, evaluator);
        let outcome = outcome(&later.runtime.metrics, wait).await;
        later.memory.waited(&told, id, outcome);
        later.trigger.reconcile(told);
    });
    ctx.memory.wait(&key, basis, progress, id, task.abort_handle());
    if registered.send(()).is_err() {
        tracing::debug!("the wait was called off before it began");
    }
}

/// How a wait ends. One that panics has failed, or its object would wait for it for ever.
async fn outcome(
    metrics: &Metrics,
    wait: impl Future<Output = Result<Duration, HealthError>>,
) -> Outcome {
    let began = Instant::now();
    let failure = match confined::<Kustomization, _>(metrics, wait).await {
        Ok(Ok(after)) => return Outcome { after, failure: None },
        Ok(Err(error)) => chain(&error),
        Err(panic) => panic,
    };
    Outcome { after: began.elapsed(), failure: Some(failure) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_that_panics_has_failed() {
        let metrics = Metrics::default();
        let end = outcome(&metrics, async { panic!("no such luck") }).await;
        assert_eq!(end.failure.as_deref(), Some("panic: no such luck"));
        let text = metrics.text();
        let counted = |line: &str| line.contains("panics") && line.ends_with(" 1");
        assert!(text.lines().any(counted), "{text}");
        let end = outcome(&metrics, async { Ok(Duration::ZERO) }).await;
        assert_eq!(end.failure, None);
    }
}
