//! One reconciliation of a Kustomization: resolve, fetch, render, apply, health, conclude.

mod apply;
pub(crate) mod conclude;
mod decrypt;
mod dependencies;
mod evidence;
mod fetch;
mod finalize;
mod halt;
mod health;
mod ignore;
pub(crate) mod inputs;
pub(crate) mod memory;
mod progress;
pub(crate) mod prune;
pub(crate) mod remote_bases;
mod render;
pub(crate) mod resolve;
mod spec;
mod tenant;

use std::sync::Arc;

use cluster_apply::{ChangeSet, TenantClient};
use crd_types::Artifact;
use crd_types::kustomize::Kustomization;
use crd_types::metadata::REQUESTED_AT;
use jiff::Timestamp;
use kube::ResourceExt as _;
use kube::runtime::reflector::ObjectRef;
use manifest::ObjectId;
use reconcile_loop::conditions::is_true;
use reconcile_loop::controller::{Finalized, Reconciler, api_error, own_annotations};
use reconcile_loop::requeue::Next;

use self::fetch::Checkout;
use self::halt::Halt;
use self::inputs::Variables;
use self::memory::{Basis, Outcome, Waiting};
use self::progress::{Health, Phase, Progress, Step};
use self::render::{Recipe, Rendered};
use self::spec::Timing;
use crate::context::Context;
use crate::watches;

/// How long health checks may take before the status says that they are under way.
const ANNOUNCE_WAIT: std::time::Duration = std::time::Duration::from_millis(500);

/// Reconciles Kustomizations.
#[derive(Debug)]
pub(crate) struct Kustomizations(pub(crate) Arc<Context>);

impl Reconciler for Kustomizations {
    type Kind = Kustomization;

    async fn reconcile(&self, object: Arc<Kustomization>) -> Next {
        Box::pin(Attempt::new(object, &self.0).run()).await
    }

    async fn finalize(&self, object: Arc<Kustomization>) -> Finalized {
        finalize::finalize(&object, &self.0).await
    }

    fn forget(&self, object: &ObjectRef<Kustomization>) {
        self.0.memory.forget(object);
        self.0.dependents.forget(object);
        prune::wake(object, &self.0);
    }

    fn seen(&self, object: &ObjectRef<Kustomization>) {
        dependencies::wake_dependents(object, &self.0);
        prune::wake(object, &self.0);
    }
}

/// One attempt to bring the cluster to the revision that the source advertises now.
struct Attempt<'a> {
    ks: Arc<Kustomization>,
    key: ObjectRef<Kustomization>,
    ctx: &'a Arc<Context>,
    timing: Timing,
    progress: Progress,
    basis: Option<Basis>,
    /// The variables, by which messages are masked.
    variables: Variables,
}

/// How far an attempt came.
enum Reached {
    /// Everything is as it should be, or as far as it gets without waiting.
    End,
    /// Nothing moved since the last attempt, which is therefore still good.
    Proven,
    /// Health is waited for, outside of any worker.
    Wait(Next),
}

impl<'a> Attempt<'a> {
    fn new(ks: Arc<Kustomization>, ctx: &'a Arc<Context>) -> Self {
        Self {
            key: ObjectRef::from_obj(&*ks),
            timing: Timing::of(&ks, ctx.runtime.flags.requeue_dependency),
            progress: Progress::resume(&ks),
            basis: None,
            variables: Variables::default(),
            ks,
            ctx,
        }
    }

    /// Attempt, conclude, record. Takes no decision of its own.
    async fn run(mut self) -> Next {
        if self.ks.spec.suspend {
            tracing::info!("Reconciliation is suspended for this object");
            return self.record(&conclude::suspended(&self.ks)).await.unwrap_or(Next::Await);
        }
        let end = match Box::pin(self.advance()).await {
            Ok(Reached::End) => Ok(()),
            Ok(Reached::Proven) => return Next::Interval(self.timing.interval),
            Ok(Reached::Wait(next)) => return next,
            Err(halt) => Err(halt),
        };
        let mut verdict =
            conclude::verdict(&self.ks, &self.progress, &end, &self.timing, Timestamp::now());
        verdict.mask(|text| self.variables.masked(text));
        if end.is_ok() && self.ctx.settings.patience.is_none() {
            // Flux: the conditions are written first, and what else a success says after them.
            let observed = self.ks.status.as_ref().and_then(|status| status.observed_generation);
            let mut first = verdict.status.clone();
            first.observed_generation = observed.or(Some(-1));
            if let Some(failed) = self.record(&first).await {
                return failed;
            }
        }
        // Status before events: an alert never runs ahead of the object.
        if let Some(failed) = self.record(&verdict.status).await {
            return failed;
        }
        if let Some(event) = verdict.event {
            tracing::info!(reason = event.reason, "{}", event.message);
            self.ctx.runtime.events.publish(&*self.ks, event).await;
        }
        if end.is_ok() {
            if let Some(basis) = self.basis.filter(|_| self.progress.come_back.is_none()) {
                self.ctx.memory.verify(&self.key, basis, self.progress.evidence);
            }
            for dependent in self.ctx.dependents.of(&self.key) {
                self.ctx.trigger.reconcile(dependent);
            }
        }
        verdict.next
    }

    /// Brings the cluster to the revision that the source advertises now.
    ///
    /// A phase consumes the previous phase's output, so skipping or reordering one does not
    /// compile.
    async fn advance(&mut self) -> Result<Reached, Halt> {
        let ctx = self.ctx;
        let evaluator = health::evaluator(&self.ks)?;
        spec::supported(&self.ks, &ctx.settings)?;
        let source = resolve::source(&self.ks, ctx).await?;
        tracing::debug!(revision = source.artifact.revision, "attempt");
        self.progress.advertised_revision = Some(source.artifact.revision.clone());
        dependencies::check(&self.ks, &source, ctx).await?;
        watches::cover(&self.ks, ctx);
        let variables = inputs::variables(&self.ks, ctx).await;
        if let Ok(variables) = &variables {
            self.variables = variables.clone();
        }
        let decryptor = decrypt::of(&self.ks, ctx).await;
        let digest = inputs::digest(&variables, &decryptor);
        let basis = self.basis(&source.artifact, digest);
        self.basis = Some(basis.clone());
        match ctx.memory.waiting(&self.key, &basis) {
            Waiting::UnderWay => return Ok(self.announce_wait().await),
            Waiting::Ended(progress, outcome) => return self.waited(*progress, outcome).await,
            Waiting::No => {}
        }
        let recorded = self.says_applied(&source.artifact.revision);
        let interval = self.timing.interval;
        if recorded && ctx.memory.proves(&self.key, &basis, interval) && self.nothing_moved() {
            return Ok(Reached::Proven);
        }
        let evidence = ctx
            .memory
            .evidence(&self.key, &basis, interval)
            .filter(|(revision, _)| self.says_applied(revision) && self.nothing_moved())
            .filter(|_| !self.holds_deletions());
        ctx.memory.distrust(&self.key);
        let artifact = &source.artifact;
        let object = Arc::clone(&self.ks);
        let checkout =
            self.step(Phase::Fetch, artifact, fetch::checkout(&object, artifact, ctx)).await?;
        self.progress.attempted_revision = Some(artifact.revision.clone());
        self.progress.origin_revision =
            artifact.metadata.get("org.opencontainers.image.revision").cloned();
        let evidence = evidence.filter(|(_, evidence)| evidence.holds_in(&checkout.tree));
        let (tenant, applied) = if let Some((_, evidence)) = evidence {
            let inventory = self.progress.inventory.as_deref().unwrap_or_default();
            let applied = evidence.nothing_done(inventory);
            self.progress.build_digest = Some(evidence.build_digest.clone());
            self.progress.evidence = Some(evidence);
            (tenant::client(&object, ctx).await?, applied)
        } else {
            let strict = ctx.settings.strict_substitution;
            let fetcher = remote_bases::Fetcher::of(ctx, self.timing.timeout);
            let recipe = Recipe::of(&object, variables, decryptor, strict, fetcher);
            self.build_and_apply(checkout, recipe, artifact).await?
        };
        let targets = health::targets(&object, applied);
        if targets.is_empty() {
            self.progress.health = Health::Unwanted;
            return Ok(Reached::End);
        }
        self.progress.step = Some(self.under_way(Phase::Health, &artifact.revision));
        let timeout = ctx.memory.patience(&self.key, &basis, self.timing.timeout);
        let progress = self.progress.clone();
        let checks = health::Checks { targets, evaluator, timeout };
        health::start(&object, basis, checks, tenant, progress, ctx);
        // An inventory that is nowhere but in memory would be lost with the next turn.
        let recorded = self.ks.status.as_ref().and_then(|status| status.inventory.as_ref());
        let moved = self.progress.status_inventory().as_ref() != recorded;
        if moved || ctx.settings.patience.is_none() {
            return Ok(self.announce_wait().await);
        }
        Ok(Reached::Wait(Next::After(ANNOUNCE_WAIT)))
    }

    /// Builds the directory of the artifact and applies what comes out.
    async fn build_and_apply(
        &mut self,
        checkout: Checkout,
        recipe: Recipe,
        artifact: &Artifact,
    ) -> Result<(TenantClient, ChangeSet), Halt> {
        let (ctx, object) = (self.ctx, Arc::clone(&self.ks));
        let build = Box::pin(async {
            let tenant = tenant::client(&object, ctx).await?;
            let render = move || {
                let mut secrets = Vec::new();
                (recipe.render(&checkout.tree, &checkout.root, &mut secrets), secrets)
            };
            let (rendered, secrets) = tokio::task::spawn_blocking(render)
                .await
                .unwrap_or_else(|_panic| (Err(render::Error::Panicked), Vec::new()));
            Ok((tenant, rendered, secrets))
        });
        let (tenant, rendered, secrets) =
            self.step::<Result<_, Halt>>(Phase::Build, artifact, build).await?;
        self.variables.hide(secrets);
        let Rendered { objects, mut evidence } = rendered?;
        self.progress.build_digest = Some(evidence.build_digest.clone());
        let mut progress = self.progress.clone();
        let apply = Box::pin(apply::execute(&object, objects, &tenant, ctx, &mut progress));
        let applied = self.step(Phase::Apply, artifact, apply).await;
        self.progress = Progress { step: self.progress.step.clone(), ..progress };
        let applied = applied?;
        evidence.applied(&applied);
        self.progress.evidence = Some(Arc::new(evidence));
        Ok((tenant, applied))
    }

    /// Runs a phase; if it lasts, the status says so.
    async fn step<T>(
        &mut self,
        phase: Phase,
        artifact: &Artifact,
        work: impl Future<Output = T>,
    ) -> T {
        let step = self.under_way(phase, &artifact.revision);
        let status = conclude::under_way(&self.ks, &self.progress, &step, Timestamp::now());
        self.progress.step = Some(step);
        let (writer, ks) = (&self.ctx.writer, &mut self.ks);
        let report = async move {
            if let Err(error) = writer.status(ks, &status).await {
                tracing::debug!(error = api_error(&error), "progress was not recorded");
            }
        };
        self.ctx.settings.patience.during(work, report).await
    }

    /// Health checks go on for long enough to be told.
    async fn announce_wait(&mut self) -> Reached {
        let revision = self.progress.advertised_revision.clone().unwrap_or_default();
        self.progress.attempted_revision = Some(revision.clone());
        if let Some(progress) = self.ctx.memory.waiting_progress(&self.key) {
            self.progress = progress;
        }
        let step = self.under_way(Phase::Health, &revision);
        let status = conclude::under_way(&self.ks, &self.progress, &step, Timestamp::now());
        Reached::Wait(self.record(&status).await.unwrap_or(Next::Await))
    }

    /// Health checks ended.
    async fn waited(&mut self, progress: Progress, outcome: Outcome) -> Result<Reached, Halt> {
        self.progress = progress;
        if let Some(message) = outcome.failure {
            return Err(Halt::Unhealthy { message, after: outcome.after });
        }
        let conditions = self.ks.status.as_ref().map_or(&[][..], |status| &status.conditions);
        let was_healthy = is_true(conditions, crd_types::conditions::HEALTHY);
        let applied = self.ks.status.as_ref().and_then(|s| s.last_applied_revision.as_ref());
        let news = applied != self.progress.attempted_revision.as_ref() && self.progress.changed;
        if !was_healthy || news {
            let event = conclude::news(&self.ks, &self.progress, conclude::passed(outcome.after));
            self.ctx.runtime.events.publish(&*self.ks, event).await;
        }
        self.progress.health = Health::Passed(outcome.after);
        if self.ctx.settings.patience.is_none()
            && let Some(step) = self.progress.step.clone()
        {
            let status = conclude::under_way(&self.ks, &self.progress, &step, Timestamp::now());
            self.record(&status).await;
        }
        Ok(Reached::End)
    }

    /// Writes the status; answers what to do next if that failed.
    async fn record(&mut self, status: &crd_types::kustomize::KustomizationStatus) -> Option<Next> {
        match self.ctx.writer.status(&mut self.ks, status).await {
            Ok(_) => None,
            Err(error) => Some(Next::Backoff { error: api_error(&error) }),
        }
    }

    /// Whether the objects of the inventory are where the last attempt left them, by proof of the
    /// watches. There is no such proof for other clusters.
    fn nothing_moved(&self) -> bool {
        let inventory: Option<Vec<ObjectId>> = self
            .progress
            .inventory
            .as_ref()
            .map(|all| all.iter().map(|tracked| tracked.id.clone()).collect());
        self.ks.spec.kube_config.is_none()
            && inventory.is_some_and(|inventory| self.ctx.drift.unmoved(&inventory))
    }

    /// Whether the inventory has objects that are not wanted any more.
    fn holds_deletions(&self) -> bool {
        let conditions = self.ks.status.as_ref().map_or(&[][..], |status| &status.conditions);
        is_true(conditions, conclude::PRUNE_HELD)
    }

    /// Whether the status says that this revision is applied. Where it says something else, a proof
    /// is not enough: whoever reads the status must see how things are.
    fn says_applied(&self, revision: &str) -> bool {
        self.ks.status.as_ref().is_some_and(|status| {
            is_true(&status.conditions, crd_types::conditions::READY)
                && status.observed_generation == self.ks.metadata.generation
                && status.last_applied_revision.as_deref() == Some(revision)
        })
    }

    fn basis(&self, artifact: &Artifact, inputs_digest: String) -> Basis {
        Basis {
            uid: self.ks.uid(),
            generation: self.ks.metadata.generation,
            requested_at: self.ks.annotations().get(REQUESTED_AT).cloned(),
            own_annotations: own_annotations(&*self.ks)
                .map(|(key, said)| (key.clone(), said.clone()))
                .collect(),
            revision: artifact.revision.clone(),
            artifact_digest: artifact.digest.clone(),
            inputs_digest,
        }
    }

    fn under_way(&self, phase: Phase, revision: &str) -> Step {
        Step { phase, revision: revision.to_owned(), timeout: self.timing.timeout }
    }
}
