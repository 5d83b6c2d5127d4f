//! The actions of a release, one after the other, until it is as it shall be or nothing more can be
//! done. Outside of any worker: actions wait.

mod actions;
mod definitions;
mod ending;
mod transient;
mod unnoted;

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use crd_types::helm::HelmRelease;
use crd_types::metadata::FORCE_AT;
use futures::future::BoxFuture;
use helm_action::{Desired, DriftReport, History, Target};
use helm_release::{Counters, Decision, Drift, Record, ReleaseAction, State, observe};
use reconcile_loop::events::Event;
use reconcile_loop::requeue::Next;

use super::conclude::Report;
use super::options::Common;
use super::policy::{self, DriftMode};
use super::values::Values;
use super::{drift, spec};
use crate::context::Context;

/// A release that is being brought to what its object says.
pub(super) struct Run {
    pub(super) hr: Arc<HelmRelease>,
    pub(super) ctx: Arc<Context>,
    pub(super) report: Report,
    pub(super) target: Target,
    pub(super) desired: Desired,
    /// What the release shall be, for whom only looks.
    pub(super) wanted: helm_release::Desired,
    pub(super) values: Values,
    pub(super) oci_digest: Option<String>,
    pub(super) common: Common,
    /// What is in storage, as far as it is known.
    pub(super) stored: Option<History>,
    /// How the cluster differs from the release, if somebody looked.
    pub(super) drift: Option<DriftReport>,
    pub(super) done: Vec<Kind>,
    /// Whether it ended early because something else is wanted.
    pub(super) is_called_off: bool,
    /// Events that wait for the status to be written.
    pub(super) events: Vec<Event>,
}

/// Kinds of actions. Each takes place at most once in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Release,
    Remedy,
    Test,
    Unlock,
    Drift,
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    decision: Decision,
    counters: Counters,
}

/// An action and how it is told.
#[derive(Clone, Copy, Debug)]
struct Step {
    kind: Kind,
    name: &'static str,
    timeout: Duration,
}

impl Run {
    /// Looks at the release and says what comes next, or when to look again.
    pub(super) async fn look(&mut self) -> Result<Look, Next> {
        let counters = self.counters();
        let state = match self.observe(&counters).await {
            Ok(state) => state,
            Err(error) => return Err(self.state_unknown(&error).await),
        };
        if matches!(state, State::Failed { .. }) {
            self.truncate(&counters);
        }
        let known = &self.report.status.history;
        let mut decision = helm_release::decide(&state, known, &counters);
        if let Decision::Rollback { to } = decision
            && !self.is_intact(to)
        {
            // Flux: what cannot be gone back to is gone on from.
            decision = Decision::Upgrade { forget_history: false };
        }
        tracing::debug!(?state, ?decision, "release state");
        if decision == Decision::Nothing {
            return Err(self.in_sync(&counters).await);
        }
        Ok(Look { decision, counters })
    }

    /// Goes on until nothing is left to do in this run. None if the next one begins anew.
    pub(super) async fn run(mut self, first: Look) -> Option<Next> {
        let mut look = first;
        let next = loop {
            let step: BoxFuture<'_, ControlFlow<Next>> = Box::pin(self.take(look));
            if let ControlFlow::Break(next) = step.await {
                break next;
            }
            look = match Box::pin(self.look()).await {
                Ok(look) => look,
                Err(next) => break next,
            };
        };
        (!self.is_called_off).then_some(next)
    }

    /// Takes the next action.
    async fn take(&mut self, Look { decision, counters }: Look) -> ControlFlow<Next> {
        match decision {
            Decision::Nothing => ControlFlow::Continue(()),
            Decision::ReportDrift => {
                let warned = drift::warn(self);
                self.events.extend(warned);
                ControlFlow::Break(self.succeed().await)
            }
            Decision::CorrectDrift => {
                let timeout = spec::timeout(&self.hr, None);
                let step = Step { kind: Kind::Drift, name: "correct cluster drift", timeout };
                self.admit(step, &counters).await?;
                let warned = drift::warn(self);
                self.events.extend(warned);
                self.report.running(step.name, step.timeout, false);
                if self.ctx.settings.patience.is_none() {
                    self.record().await?;
                }
                drift::correct(self, timeout).await;
                ControlFlow::Continue(())
            }
            Decision::Stop(terminal) => ControlFlow::Break(self.stop(terminal, &counters).await),
            Decision::Record(action) => {
                self.note(action, &counters);
                ControlFlow::Continue(())
            }
            Decision::Unlock => self.unlock(&counters).await,
            Decision::Resume(action) => self.resume(action, &counters).await,
            Decision::Install => {
                self.report.status.history.clear();
                self.report.forget_tests_and_remedies();
                self.release(ReleaseAction::Install, false, &counters).await
            }
            Decision::Upgrade { forget_history } => {
                if forget_history {
                    self.report.status.history.clear();
                }
                self.release(ReleaseAction::Upgrade, false, &counters).await
            }
            Decision::Test => self.test(&counters).await,
            Decision::Rollback { to } => self.roll_back(Some(to), &counters).await,
            Decision::UninstallRemedy => self.uninstall_remedy(&counters).await,
        }
    }

    /// What was tried so far. Takes in whether a person asks for an action.
    fn counters(&mut self) -> Counters {
        let status = &mut self.report.status;
        let handled_request = self.hr.status.as_ref();
        let handled_request =
            handled_request.and_then(|status| status.last_handled_reconcile_at.as_deref());
        let is_forced = policy::is_requested(
            &self.hr,
            FORCE_AT,
            &mut status.last_handled_force_at,
            handled_request,
        );
        policy::counters(&self.hr, status, self.ctx.settings.retry_by_default, is_forced)
    }

    async fn observe(&mut self, counters: &Counters) -> Result<State, String> {
        if self.stored.is_none() {
            let stored = self.target.storage().history().await;
            let stored = stored.map_err(|error| reconcile_loop::chain(&error))?;
            stored.check().map_err(|error| reconcile_loop::chain(&error))?;
            self.stored = Some(stored);
        }
        let last = self.last_record();
        let tests = policy::tests(&self.hr, counters);
        let known = &self.report.status.history;
        let state = |drift| {
            observe(last.as_deref(), known, &self.wanted, tests, drift)
                .map_err(|error| reconcile_loop::chain(&error))
        };
        let seen = state(Drift::None)?;
        if seen != State::InSync || policy::drift_mode(&self.hr) == DriftMode::Disabled {
            return Ok(seen);
        }
        let Some(record) = &last else { return Ok(seen) };
        if drift::find(self, record).await? { Ok(State::Drifted) } else { Ok(seen) }
    }

    fn last_record(&self) -> Option<Arc<Record>> {
        self.stored.as_ref().and_then(|stored| stored.last().cloned())
    }

    /// Revisions that a process before this one superseded and did not come to tell of.
    fn superseded_unnoted(&self) -> Vec<Arc<Record>> {
        let known = &self.report.status.history;
        let stored = self.stored.iter().flat_map(|stored| &stored.records);
        let is_unnoted = |record: &&Arc<Record>| {
            known.iter().any(|known| helm_release::is_superseded_since(known, record))
        };
        stored.filter(is_unnoted).cloned().collect()
    }

    /// Whether a revision is in storage as it was when we last saw it.
    fn is_intact(&self, version: i64) -> bool {
        let known = self.report.status.history.iter().find(|snapshot| snapshot.version == version);
        let stored = self.stored.as_ref().and_then(|stored| stored.get(version));
        let (Some(known), Some(stored)) = (known, stored) else { return false };
        helm_release::verify(known, stored).is_ok()
    }
}
