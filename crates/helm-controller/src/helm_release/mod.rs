//! One reconciliation of a HelmRelease: prerequisites, observe, decide, act, conclude.

mod chart;
mod chart_template;
mod conclude;
mod dependencies;
mod drift;
mod finalize;
mod halt;
mod health;
mod history;
pub(crate) mod memory;
mod options;
mod policy;
mod post_render;
pub(crate) mod resolve;
mod run;
mod spec;
mod tenant;
mod uninstall;
mod values;

use std::sync::Arc;
use std::time::Duration;

use cluster_apply::{HealthEvaluator, TenantClient};
use crd_types::helm::{HelmRelease, HelmReleaseStatus};
use crd_types::metadata::RESET_AT;
use helm_action::{CallOff, Desired, Leave, Origin, Target};
use jiff::Timestamp;
use kube::ResourceExt as _;
use kube::runtime::reflector::ObjectRef;
use reconcile_loop::controller::{Finalized, Reconciler, api_error, confined};
use reconcile_loop::requeue::Next;

use self::chart::LoadedChart;
use self::conclude::Report;
use self::halt::Halt;
use self::memory::{Basis, Turn, Wishes};
use self::options::Common;
use self::post_render::PostRenderers;
use self::run::Run;
use self::values::Values;
use crate::context::Context;

/// Reconciles HelmReleases.
#[derive(Debug)]
pub(crate) struct HelmReleases(pub(crate) Arc<Context>);

impl Reconciler for HelmReleases {
    type Kind = HelmRelease;

    async fn reconcile(&self, object: Arc<HelmRelease>) -> Next {
        let key = ObjectRef::from_obj(&*object);
        match self.0.memory.turn(&key, &Wishes::of(&object)) {
            Turn::Busy => Next::UnderWay,
            Turn::Ended(next) => next,
            Turn::Free => Box::pin(Attempt::new(object, &self.0, None).run()).await,
            Turn::Asked(basis, next) => {
                Box::pin(Attempt::new(object, &self.0, Some((basis, next))).run()).await
            }
        }
    }

    async fn finalize(&self, object: Arc<HelmRelease>) -> Finalized {
        Box::pin(finalize::finalize(&object, &self.0)).await
    }

    fn forget(&self, object: &ObjectRef<HelmRelease>) {
        self.0.memory.forget(object);
        self.0.dependents.forget(object);
    }
}

/// One attempt to bring the release to what the object says.
struct Attempt<'a> {
    hr: Arc<HelmRelease>,
    ctx: &'a Arc<Context>,
    report: Report,
    /// What the actions before depended on, and when they wanted to come back.
    before: Option<(Box<Basis>, Next)>,
    /// The status as the attempt found it.
    found: HelmReleaseStatus,
}

/// What an attempt needs before Helm has anything to do.
struct Prerequisites {
    chart: LoadedChart,
    values: Values,
    tenant: TenantClient,
    health: Option<Arc<dyn HealthEvaluator>>,
}

impl<'a> Attempt<'a> {
    fn new(
        hr: Arc<HelmRelease>,
        ctx: &'a Arc<Context>,
        before: Option<(Box<Basis>, Next)>,
    ) -> Self {
        let report = Report::resume(&hr, Timestamp::now());
        let found = hr.status.clone().unwrap_or_default();
        Self { hr, ctx, report, before, found }
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
        let met = match Box::pin(self.prerequisites()).await {
            Ok(met) => met,
            Err(halt) => {
                if let Some(rest) = self.patience_with(&halt) {
                    return Next::After(rest);
                }
                return self.halted(&halt).await;
            }
        };
        self.report.prerequisites_met();
        let common = Common::of(&self.ctx.settings, met.health.clone());
        if let Some(reason) = policy::moved(&self.hr, met.chart.chart.name()) {
            tracing::info!(
                "release target configuration changed ({reason}): running uninstall for current \
                 release"
            );
            return self.uninstall(met.tenant, common);
        }
        self.act(met, common).await
    }

    /// Fetches all that is needed; if that lasts, the status says so.
    async fn prerequisites(&mut self) -> Result<Prerequisites, Halt> {
        let (hr, ctx) = (Arc::clone(&self.hr), self.ctx);
        let health = health::evaluator(&hr)?;
        let synced = chart_template::sync(&hr, ctx).await?;
        self.report.status.helm_chart.clone_from(&synced.name);
        let mut announced = self.report.clone();
        announced.begin();
        if ctx.settings.patience.is_none() {
            self.report.begin();
        }
        let status = announced.status();
        let work = Box::pin(async {
            dependencies::check(&hr, ctx).await?;
            if ctx.settings.config_watchers {
                ctx.inputs.cover(&hr, ctx);
            }
            let source = resolve::source(&hr, &synced, ctx).await?;
            let values = values::values(&hr, ctx).await?;
            let chart = chart::load(&source, ctx).await?;
            let tenant = tenant::client(&hr, ctx).await?;
            Ok(Prerequisites { chart, values, tenant, health })
        });
        let (writer, object) = (&ctx.writer, &mut self.hr);
        let report = async move {
            if let Err(error) = writer.status(object, &status).await {
                tracing::debug!(error = api_error(&error), "progress was not recorded");
            }
        };
        ctx.settings.patience.during(work, report).await
    }

    /// How much longer a HelmChart that was only just written may have nothing to offer before the
    /// status says so. Its source controller usually answers sooner, which wakes us.
    fn patience_with(&self, halt: &Halt) -> Option<Duration> {
        if !matches!(halt, Halt::SourceNotReady { .. }) || self.hr.spec.chart.is_none() {
            return None;
        }
        let written = self.ctx.memory.templated_at(&ObjectRef::from_obj(&*self.hr))?;
        self.ctx.settings.patience.rest(written)
    }

    /// Lets Helm's actions begin, outside of any worker.
    async fn act(mut self, met: Prerequisites, common: Common) -> Next {
        let Prerequisites { chart, values, tenant, .. } = met;
        let wanted = self.attempt(&chart, &values);
        let basis = Basis {
            wishes: Wishes::of(&self.hr),
            wanted: wanted.clone(),
            oci_digest: chart.oci_digest.clone(),
        };
        if let Some((before, next)) = self.before.take()
            && *before == basis
        {
            return self.withdraw().await.unwrap_or(next);
        }
        let ctx = Arc::clone(self.ctx);
        let mut run = Run {
            target: Target {
                client: tenant,
                storage_namespace: spec::storage_namespace(&self.hr),
                namespace: spec::release_namespace(&self.hr),
                name: spec::release_name(&self.hr),
                origin: Origin {
                    name: self.hr.name_any(),
                    namespace: self.hr.namespace().unwrap_or_default(),
                },
                leave: Leave::default(),
            },
            desired: Desired {
                chart: chart.chart,
                values: values.all.clone(),
                post_render: Some(Arc::new(PostRenderers::of(&self.hr, common.helm3_defaults))),
                templates: Some(Arc::clone(&ctx.templates)),
            },
            hr: self.hr,
            report: self.report,
            oci_digest: chart.oci_digest,
            stored: None,
            drift: None,
            done: Vec::new(),
            is_called_off: false,
            events: Vec::new(),
            wanted,
            values,
            common,
            ctx: Arc::clone(&ctx),
        };
        let first = match Box::pin(run.look()).await {
            Ok(first) => first,
            Err(next) => return next,
        };
        let key = ObjectRef::from_obj(&*run.hr);
        outside(&ctx, &key, basis, |ctx, call_off| async move {
            if ctx.settings.cancel_health_checks {
                run.common.call_off = call_off;
            }
            run.target.leave = Leave::among(&ctx.places).await;
            run.run(first).await
        })
    }

    /// Notes what is attempted, and forgets failures of something else.
    fn attempt(&mut self, chart: &LoadedChart, values: &Values) -> helm_release::Desired {
        let version = &chart.chart.metadata.version;
        let config_digest = helm_release::config_digest(&values.all);
        let handled = self.hr.status.as_ref();
        let handled = handled.and_then(|status| status.last_handled_reconcile_at.as_deref());
        let status = &mut self.report.status;
        let reset =
            policy::is_requested(&self.hr, RESET_AT, &mut status.last_handled_reset_at, handled);
        let changed = policy::changed_since(&self.hr, status, version, &config_digest)
            .or_else(|| reset.then_some("reset requested through annotation"));
        if let Some(reason) = changed {
            tracing::debug!("resetting failure count: {reason}");
            self.report.forget_failures();
        }
        let status = &mut self.report.status;
        let observed = status.observed_generation == self.hr.metadata.generation;
        let differs =
            |observed: &Option<String>, now: String| observed.as_deref().unwrap_or_default() != now;
        let post_renderers = helm_release::post_renderers_digest(&self.hr.spec.post_renderers);
        let common = helm_release::common_metadata_digest(self.hr.spec.common_metadata.as_ref());
        let wanted = helm_release::Desired {
            chart_name: chart.chart.name().to_owned(),
            chart_version: version.clone(),
            config_digest: config_digest.clone(),
            post_renderers_changed: !observed
                && differs(&status.observed_post_renderers_digest, post_renderers),
            common_metadata_changed: !observed
                && differs(&status.observed_common_metadata_digest, common),
        };
        status.last_attempted_generation = self.hr.metadata.generation;
        status.last_attempted_revision = Some(version.clone());
        status.last_attempted_revision_digest.clone_from(&chart.oci_digest);
        status.last_attempted_config_digest = Some(config_digest);
        status.storage_namespace = Some(spec::storage_namespace(&self.hr));
        wanted
    }

    /// Removes what was installed where it is not wanted any more, outside of any worker.
    fn uninstall(self, client: TenantClient, common: Common) -> Next {
        let Self { mut hr, ctx, mut report, .. } = self;
        let mut target = uninstall::target(&hr, client);
        outside(ctx, &ObjectRef::from_obj(&*hr), Basis::default(), move |ctx, _| async move {
            target.leave = Leave::among(&ctx.places).await;
            let end = uninstall::uninstall(&hr, &target, &common, &mut report, &ctx);
            let (event, result) = Box::pin(end).await;
            if result.is_ok() {
                report.status.history.clear();
                report.status.storage_namespace = None;
                report.forget_failures();
            }
            let recorded = ctx.writer.status(&mut hr, &report.status()).await;
            if let Some(event) = event {
                tracing::info!(reason = event.reason, "{}", event.message);
                ctx.runtime.events.publish(&*hr, event).await;
            }
            match (recorded, result) {
                (Err(error), _) => Some(Next::Backoff { error: api_error(&error) }),
                (Ok(_), Err(error)) => Some(Next::Backoff { error }),
                (Ok(_), Ok(())) => None,
            }
        })
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

    /// There was nothing to do after all: takes back what was announced while that was found out.
    async fn withdraw(&mut self) -> Option<Next> {
        match self.ctx.writer.status(&mut self.hr, &self.found).await {
            Ok(_) => None,
            Err(error) => Some(Next::Backoff { error: api_error(&error) }),
        }
    }

    /// Writes the status; answers what to do next if that failed.
    async fn record(&mut self) -> Option<Next> {
        match self.ctx.writer.status(&mut self.hr, &self.report.status()).await {
            Ok(_) => None,
            Err(error) => Some(Next::Backoff { error: api_error(&error) }),
        }
    }
}

/// Lets actions go on outside of any worker. Their end asks for another turn, which comes back as
/// they say; none begins anew. They are told when something else is wanted.
fn outside<F>(
    ctx: &Arc<Context>,
    key: &ObjectRef<HelmRelease>,
    basis: Basis,
    actions: impl FnOnce(Arc<Context>, CallOff) -> F,
) -> Next
where
    F: Future<Output = Option<Next>> + Send + 'static,
{
    let call_off = ctx.memory.begin(key, basis);
    let work = actions(Arc::clone(ctx), call_off);
    let task = tokio::spawn({
        let (key, ctx) = (key.clone(), Arc::clone(ctx));
        let work = async move {
            match confined::<HelmRelease, _>(&ctx.runtime.metrics, work).await {
                Ok(Some(next)) => ctx.memory.end(&key, next),
                Ok(None) => ctx.memory.end_anew(&key),
                Err(error) => ctx.memory.end(&key, Next::Backoff { error }),
            }
            ctx.trigger.reconcile(key);
        };
        tracing::Instrument::instrument(work, tracing::Span::current())
    });
    ctx.memory.hold(key, task.abort_handle());
    Next::UnderWay
}
