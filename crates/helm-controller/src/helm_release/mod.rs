//! One reconciliation of a HelmRelease: prerequisites, observe, decide, act, conclude.

mod chart;
mod chart_template;
mod conclude;
mod dependencies;
mod halt;
mod post_render;
pub(crate) mod resolve;
mod spec;
mod tenant;
mod values;

use std::sync::Arc;

use crd_types::helm::HelmRelease;
use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use reconcile_loop::controller::{Finalized, Reconciler, api_error};
use reconcile_loop::requeue::Next;

use self::chart::LoadedChart;
use self::conclude::Report;
use self::halt::Halt;
use self::values::Values;
use crate::context::Context;

/// Reconciles HelmReleases.
#[derive(Debug)]
pub(crate) struct HelmReleases(pub(crate) Arc<Context>);

impl Reconciler for HelmReleases {
    type Kind = HelmRelease;

    async fn reconcile(&self, object: Arc<HelmRelease>) -> Next {
        Box::pin(Attempt::new(object, &self.0).run()).await
    }

    async fn finalize(&self, object: Arc<HelmRelease>) -> Finalized {
        if object.spec.suspend {
            return Finalized::Gone;
        }
        match chart_template::remove(&object, &self.0).await {
            Ok(()) => Finalized::Gone,
            Err(halt) => Finalized::Retry { error: halt.to_string() },
        }
    }

    fn forget(&self, object: &ObjectRef<HelmRelease>) {
        self.0.dependents.forget(object);
    }
}

/// One attempt to bring the release to what the object says.
struct Attempt<'a> {
    hr: Arc<HelmRelease>,
    ctx: &'a Arc<Context>,
    report: Report,
    /// The values, by which messages are masked.
    values: Values,
}

/// What an attempt needs before Helm has anything to do.
struct Prerequisites {
    chart: LoadedChart,
    values: Values,
    tenant: cluster_apply::TenantClient,
}

impl<'a> Attempt<'a> {
    fn new(hr: Arc<HelmRelease>, ctx: &'a Arc<Context>) -> Self {
        let report = Report::resume(&hr, Timestamp::now());
        Self { hr, ctx, report, values: Values::default() }
    }

    async fn run(mut self) -> Next {
        if let Err(halt @ Halt::ChartReference) = resolve::source_key(&self.hr) {
            // Flux: nothing is said in the status.
            tracing::error!("{halt}");
            return Next::Await;
        }
        if self.hr.spec.suspend {
            tracing::info!("reconciliation is suspended for this object");
            self.report.acknowledge(&self.hr);
            self.report.observe();
            return self.record().await.unwrap_or(Next::Await);
        }
        match Box::pin(self.prerequisites()).await {
            Ok(_met) => {
                self.report.prerequisites_met();
                self.report.acknowledge(&self.hr);
                self.record().await.unwrap_or_else(|| Next::Interval(spec::interval(&self.hr)))
            }
            Err(halt) => self.halted(&halt).await,
        }
    }

    async fn prerequisites(&mut self) -> Result<Prerequisites, Halt> {
        let (hr, ctx) = (Arc::clone(&self.hr), self.ctx);
        let synced = chart_template::sync(&hr, ctx).await?;
        self.report.status.helm_chart.clone_from(&synced.name);
        dependencies::check(&hr, ctx).await?;
        let source = resolve::source(&hr, &synced, ctx).await?;
        let values = values::values(&hr, ctx).await?;
        let chart = chart::load(&source, ctx).await?;
        let tenant = tenant::client(&hr, ctx).await?;
        Ok(Prerequisites { chart, values, tenant })
    }

    async fn halted(&mut self, halt: &Halt) -> Next {
        self.report.halted(halt);
        self.report.acknowledge(&self.hr);
        // Status before events: an alert never runs ahead of the object.
        if let Some(failed) = self.record().await {
            return failed;
        }
        if let Some(event) = conclude::halt_event(halt) {
            tracing::info!(reason = event.reason, "{}", event.message);
            self.ctx.runtime.events.publish(&*self.hr, event).await;
        }
        conclude::retry(halt, self.ctx.runtime.flags.requeue_dependency)
    }

    /// Writes the status; answers what to do next if that failed.
    async fn record(&mut self) -> Option<Next> {
        match self.ctx.writer.status(&mut self.hr, &self.report.status()).await {
            Ok(_) => None,
            Err(error) => Some(Next::Backoff { error: api_error(&error) }),
        }
    }
}
