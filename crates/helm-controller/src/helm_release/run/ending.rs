//! How a step ends, and how a run does.

use std::ops::ControlFlow;
use std::sync::Arc;

use crd_types::conditions::READY;
use crd_types::reasons::HEALTH_CHECK_CANCELED;
use futures::future::BoxFuture;
use helm_action::{ActionError, Attempt};
use helm_release::{Counters, IntentAction, ReleaseAction, Remedy, Strategy, Terminal};
use kube::runtime::reflector::ObjectRef;
use reconcile_loop::conditions::Status::False;
use reconcile_loop::controller::api_error;
use reconcile_loop::events::{Event, Severity};
use reconcile_loop::requeue::Next;

use super::{Kind, Run, Step, unnoted};
use crate::helm_release::conclude::outcome::{Outcome, Subject};
use crate::helm_release::memory::Cause;
use crate::helm_release::{history, policy, spec};

impl Run {
    /// Whether a step may take place: each kind does so once in a run.
    pub(super) async fn admit(&mut self, step: Step, counters: &Counters) -> ControlFlow<Next> {
        if !self.done.contains(&step.kind) {
            self.done.push(step.kind);
            return ControlFlow::Continue(());
        }
        let counters = self.recounted(counters);
        if let Some(next) = self.retry(&counters).await {
            return ControlFlow::Break(next);
        }
        if counters.active().is_some_and(|(strategy, failures)| !strategy.is_exhausted(failures)) {
            return ControlFlow::Break(self.again().await);
        }
        ControlFlow::Break(self.succeed().await)
    }

    /// Carries a step out; the status tells it, if it lasts.
    pub(super) async fn during(
        &mut self,
        step: Step,
        work: BoxFuture<'static, Attempt>,
    ) -> Attempt {
        self.report.running(step.name, step.timeout, step.kind == Kind::Release);
        let status = self.report.status();
        let (writer, hr) = (&self.ctx.writer, &mut self.hr);
        let report = async move {
            if let Err(error) = writer.status(hr, &status).await {
                tracing::debug!(error = api_error(&error), "progress was not recorded");
            }
        };
        self.ctx.settings.patience.during(work, report).await
    }

    /// Tells what became of a step.
    pub(super) fn conclude(&mut self, outcome: &Outcome, of: &Subject, attempt: &Attempt) {
        self.report.claim(outcome.claim(of));
        if outcome.failed() {
            let failures = &mut self.report.status.failures;
            *failures = Some(failures.unwrap_or_default() + 1);
        }
        self.events.push(outcome.event(of, &attempt.logs.to_string()));
    }

    /// Goes on after a step, or ends the run.
    pub(super) async fn settle(
        &mut self,
        step: Step,
        attempt: Attempt,
        counters: &Counters,
    ) -> ControlFlow<Next> {
        let counters = self.recounted(counters);
        self.summarise();
        self.remember(&attempt);
        let has_written = attempt.has_written();
        if let Err(ActionError::CalledOff) = &attempt.result
            && let Some(cause) = self.ctx.memory.cause(&ObjectRef::from_obj(&*self.hr))
        {
            return ControlFlow::Break(self.called_off(&cause).await);
        }
        if let Err(error) = attempt.result
            && !has_written
        {
            if let ActionError::TooLarge(_) = &error {
                return ControlFlow::Break(self.too_large(&error).await);
            }
            if let Some(next) = self.retry(&counters).await {
                return ControlFlow::Break(next);
            }
            let error = reconcile_loop::chain(&error);
            if self.report.holds(READY) {
                self.report.conditions.set(READY, False, "ReconcileError", error.clone());
            }
            return ControlFlow::Break(self.fail(error).await);
        }
        if step.kind == Kind::Remedy {
            return ControlFlow::Break(self.remedied(&counters).await);
        }
        if self.ctx.settings.patience.is_none() {
            self.record().await?;
        }
        ControlFlow::Continue(())
    }

    /// A remedy ends a run: what follows starts anew.
    async fn remedied(&mut self, counters: &Counters) -> Next {
        if let Some(next) = self.retry(counters).await {
            return next;
        }
        let Some((strategy, failures)) = counters.active() else { return self.again().await };
        let uninstalls = matches!(strategy, Strategy::Remediate { remedy: Remedy::Uninstall, .. });
        if uninstalls || !strategy.is_exhausted(failures) {
            return self.again().await;
        }
        self.stop(Terminal::Remedy, counters).await
    }

    /// Nothing is left to do.
    pub(super) async fn in_sync(&mut self, counters: &Counters) -> Next {
        tracing::info!("release in-sync with desired state");
        self.truncate(counters);
        if let Some(latest) = policy::latest(&self.report.status.history) {
            let subject = Subject::of(latest);
            let installed = latest.action.as_deref() == Some(history::INSTALL);
            self.report.confirm(&subject, installed);
        }
        self.succeed().await
    }

    /// Drops what of the history no remedy can need.
    pub(super) fn truncate(&mut self, counters: &Counters) {
        let (may_roll_back, ignore) = match counters.active() {
            Some((Strategy::Remediate { ignore_test_failures, .. }, _)) => {
                (true, ignore_test_failures)
            }
            Some((Strategy::Retry { .. }, _)) => (false, false),
            None => (true, policy::ignores_failures(&self.hr)),
        };
        let known = &mut self.report.status.history;
        *known = helm_release::truncated(known, may_roll_back, ignore);
    }

    /// The release is as it shall be.
    pub(super) async fn succeed(&mut self) -> Next {
        self.report.settle();
        self.summarise();
        if self.ctx.settings.patience.is_none()
            && let ControlFlow::Break(failed) = self.record().await
        {
            return failed;
        }
        self.report.observe();
        self.report.acknowledge(&self.hr);
        if let ControlFlow::Break(failed) = self.record().await {
            return failed;
        }
        for dependent in self.ctx.dependents.of(&ObjectRef::from_obj(&*self.hr)) {
            self.ctx.wake(dependent);
        }
        Next::Interval(spec::interval(&self.hr))
    }

    /// Nothing more is done until an input changes.
    pub(super) async fn stop(&mut self, terminal: Terminal, counters: &Counters) -> Next {
        let failures = counters.active().map_or(0, |(_, failures)| failures);
        let action = match counters.last {
            Some(ReleaseAction::Install) => "install",
            _ => "upgrade",
        };
        tracing::error!("terminal error: {terminal}");
        match terminal {
            Terminal::NoRollbackTarget => self.report.stall(
                "MissingRollbackTarget",
                format!("Failed to perform remediation: {terminal}"),
            ),
            Terminal::Install | Terminal::Upgrade | Terminal::Remedy => self.report.stall(
                "RetriesExceeded",
                format!("Failed to {action} after {failures} attempt(s)"),
            ),
        }
        self.report.observe();
        self.report.acknowledge(&self.hr);
        if let ControlFlow::Break(failed) = self.record().await {
            return failed;
        }
        Next::Await
    }

    /// Something else is wanted meanwhile: the next run begins anew.
    async fn called_off(&mut self, cause: &Cause) -> Next {
        tracing::info!(trigger = %cause, "New reconciliation triggered, canceling health checks");
        self.is_called_off = true;
        self.report.called_off(cause);
        let message =
            format!("Health checks canceled due to new reconciliation triggered by {cause}");
        self.events.push(Event::new(Severity::Info, HEALTH_CHECK_CANCELED, message));
        match self.record().await {
            ControlFlow::Break(failed) => failed,
            ControlFlow::Continue(()) => Next::UnderWay,
        }
    }

    /// No Secret holds the release, whenever it is tried.
    ///
    /// Differs: Flux tries it again and again, with a message of the API server.
    async fn too_large(&mut self, error: &ActionError) -> Next {
        self.report.stall("ReleaseTooLarge", reconcile_loop::chain(error));
        self.report.observe();
        self.report.acknowledge(&self.hr);
        match self.record().await {
            ControlFlow::Break(failed) => failed,
            ControlFlow::Continue(()) => Next::Await,
        }
    }

    /// Comes back after the interval of retries, if failures are met by retries.
    async fn retry(&mut self, counters: &Counters) -> Option<Next> {
        let Some((Strategy::Retry { interval }, _)) = counters.active() else { return None };
        self.report.retrying(format!("retrying after {}", go_duration::format(interval)));
        self.report.observe();
        self.report.acknowledge(&self.hr);
        if let ControlFlow::Break(failed) = self.record().await {
            return Some(failed);
        }
        Some(Next::Interval(interval))
    }

    /// Comes back soon.
    async fn again(&mut self) -> Next {
        let message = self.report.ready_message();
        self.report.retrying(message.clone());
        self.report.acknowledge(&self.hr);
        if let ControlFlow::Break(failed) = self.record().await {
            return failed;
        }
        Next::Backoff { error: message }
    }

    /// Comes back after a while that grows.
    async fn fail(&mut self, error: String) -> Next {
        self.report.acknowledge(&self.hr);
        if let ControlFlow::Break(failed) = self.record().await {
            return failed;
        }
        Next::Backoff { error: self.values.masked(&error) }
    }

    /// Storage does not say what state the release is in.
    pub(super) async fn state_unknown(&mut self, error: &str) -> Next {
        let message = format!("Could not determine release state: {error}");
        self.report.conditions.set(READY, False, "StateError", message.clone());
        self.fail(message).await
    }

    /// Notes in the status what a process before this one did and did not come to note.
    pub(super) fn note(&mut self, action: IntentAction, counters: &Counters) {
        let Some(record) = self.last_record() else { return };
        let mut written = vec![Arc::clone(&record)];
        written.extend(self.superseded_unnoted());
        let known = &mut self.report.status.history;
        let oci_digest = self.oci_digest.as_deref();
        let status = &mut self.report.status.last_attempted_release_action;
        match action {
            IntentAction::Install => {
                written.truncate(1);
                history::released(known, &written, history::INSTALL, oci_digest);
                *status = Some("install".to_owned());
            }
            IntentAction::Upgrade => {
                history::released(known, &written, history::UPGRADE, oci_digest);
                *status = Some("upgrade".to_owned());
            }
            IntentAction::Rollback => history::rolled_back(known, &written),
            IntentAction::Test => history::tested(known, Some(&record)),
            IntentAction::Uninstall => return,
        }
        let Some(outcome) = unnoted::outcome(action, &record, || self.tests_message()) else {
            return;
        };
        if outcome.failed() {
            let failures = &mut self.report.status.failures;
            *failures = Some(failures.unwrap_or_default() + 1);
            let tests_count = !policy::tests(&self.hr, counters).ignore_failures;
            match action {
                IntentAction::Install => self.report.count_failure(ReleaseAction::Install),
                IntentAction::Upgrade => self.report.count_failure(ReleaseAction::Upgrade),
                IntentAction::Test if tests_count => {
                    self.report.count_failure(counters.last.unwrap_or(ReleaseAction::Upgrade));
                }
                IntentAction::Test | IntentAction::Rollback | IntentAction::Uninstall => {}
            }
        }
        let subject = self.latest();
        self.report.claim(outcome.claim(&subject));
        self.events.push(outcome.event(&subject, ""));
        self.summarise();
    }

    /// Writes the status, then tells the events that waited for it.
    pub(super) async fn record(&mut self) -> ControlFlow<Next> {
        self.mask();
        match self.ctx.writer.status(&mut self.hr, &self.report.status()).await {
            Ok(_) => {}
            Err(error) => return ControlFlow::Break(Next::Backoff { error: api_error(&error) }),
        }
        for mut event in std::mem::take(&mut self.events) {
            event.message = self.values.masked(&event.message);
            tracing::info!(reason = event.reason, "{}", event.message);
            self.ctx.runtime.events.publish(&*self.hr, event).await;
        }
        ControlFlow::Continue(())
    }

    fn mask(&mut self) {
        let values = &self.values;
        self.report.mask(|text| values.masked(text));
    }

    fn summarise(&mut self) {
        let (enabled, ignored) =
            (policy::tests_enabled(&self.hr), policy::ignores_failures(&self.hr));
        self.report.digests(&self.hr);
        self.report.summarise(enabled, !ignored);
    }

    /// Keeps what is known of storage as the attempt left it.
    fn remember(&mut self, attempt: &Attempt) {
        let Some(stored) = &mut self.stored else { return };
        stored.records.retain(|record| {
            !attempt.purged.contains(&record.version)
                && !attempt.written.iter().any(|written| written.version == record.version)
        });
        stored.records.extend(attempt.written.iter().cloned());
        stored.records.sort_by_key(|record| record.version);
    }

    fn recounted(&self, counters: &Counters) -> Counters {
        let retry = self.ctx.settings.retry_by_default;
        policy::counters(&self.hr, &self.report.status, retry, counters.is_forced)
    }

    /// The newest release, for messages.
    pub(in crate::helm_release) fn latest(&self) -> Subject {
        let latest = policy::latest(&self.report.status.history);
        latest.map_or_else(|| self.attempted(), Subject::of)
    }

    /// A revision that is known, for messages.
    pub(super) fn snapshot(&self, version: i64) -> Subject {
        let mut known = self.report.status.history.iter();
        let known = known.find(|snapshot| snapshot.version == version);
        known.map_or_else(|| self.attempted(), Subject::of)
    }

    /// What is being tried, for messages.
    pub(super) fn attempted(&self) -> Subject {
        let metadata = &self.desired.chart.metadata;
        Subject {
            namespace: self.target.namespace.clone(),
            name: self.target.name.clone(),
            version: self.last_record().map_or(0, |record| record.version),
            chart_name: metadata.name.clone(),
            chart_version: metadata.version.clone(),
            app_version: metadata.app_version.clone(),
            config_digest: self.wanted.config_digest.clone(),
            oci_digest: self.oci_digest.clone(),
        }
    }
}
