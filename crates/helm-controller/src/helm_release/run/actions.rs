//! One action: carried out, told in history, conditions and counters.

use std::ops::ControlFlow;

use crd_types::inventory::{ResourceInventory, ResourceRef};
use futures::FutureExt as _;
use helm_action::Attempt;
use helm_release::{Counters, IntentAction, ReleaseAction, Strategy};
use reconcile_loop::events::{Event, Severity};
use reconcile_loop::requeue::Next;

use super::{Kind, Run, Step, definitions, transient};
use crate::helm_release::conclude::outcome::{Outcome, REMEDIATED, Subject, TEST_SUCCESS};
use crate::helm_release::{history, options, policy, spec};

impl Run {
    /// Installs or upgrades.
    pub(super) async fn release(
        &mut self,
        action: ReleaseAction,
        resumed: bool,
        counters: &Counters,
    ) -> ControlFlow<Next> {
        let is_install = action == ReleaseAction::Install;
        let options = if is_install {
            options::install(&self.hr, &self.common)
        } else {
            options::upgrade(&self.hr, &self.common)
        };
        let name = if is_install { "install" } else { "upgrade" };
        let step = Step { kind: Kind::Release, name, timeout: options.timeout };
        self.admit(step, counters).await?;
        self.report.status.last_attempted_release_action = Some(name.to_owned());
        let began = tokio::time::Instant::now();
        let crds = options::crds(&self.hr, is_install);
        let (target, desired) = (self.target.clone(), self.desired.clone());
        let stored = self.stored.clone().unwrap_or_default();
        let work = async move {
            if resumed {
                return helm_action::resume(&target, &stored, &options).await;
            }
            if let Err(error) = definitions::apply(&target, &stored, &desired, &options, crds).await
            {
                return definitions::failed(error);
            }
            if is_install {
                helm_action::install(&target, &stored, &desired, &options).await
            } else {
                helm_action::upgrade(&target, &stored, &desired, &options).await
            }
        };
        let attempt = self.during(step, work.boxed()).await;
        self.report.status.last_attempted_release_action_duration =
            Some(go_duration::format(began.elapsed()).as_str().into());
        let told = if is_install { history::INSTALL } else { history::UPGRADE };
        let oci_digest = self.oci_digest.clone();
        let mut written = attempt.written.clone();
        if resumed {
            written.extend(self.superseded_unnoted());
        }
        let known = &mut self.report.status.history;
        history::released(known, &written, told, oci_digest.as_deref());
        self.take_stock(&attempt).await;
        let error = attempt.result.as_ref().err().map(|error| reconcile_loop::chain(error));
        let outcome = match (error, is_install) {
            (None, true) => Outcome::Installed,
            (None, false) => Outcome::Upgraded,
            (Some(error), true) => Outcome::InstallFailed { error },
            (Some(error), false) => Outcome::UpgradeFailed { error },
        };
        let subject = if outcome.failed() { self.attempted() } else { self.latest() };
        self.conclude(&outcome, &subject, &attempt);
        if !outcome.failed() {
            self.report.conditions.remove(TEST_SUCCESS);
            self.report.conditions.remove(REMEDIATED);
            let strategy = if is_install { counters.install } else { counters.upgrade };
            if matches!(strategy, Strategy::Retry { .. }) {
                self.report.forget_failures();
            }
            if policy::tests_enabled(&self.hr) {
                self.report.await_tests(&subject);
            }
        } else if attempt.has_written() && !is_transient(&attempt) {
            self.report.count_failure(action);
        }
        self.settle(step, attempt, counters).await
    }

    pub(super) async fn test(&mut self, counters: &Counters) -> ControlFlow<Next> {
        let options = options::test(&self.hr, &self.common);
        let step = Step { kind: Kind::Test, name: "test", timeout: options.timeout };
        if self.report.holds(REMEDIATED) {
            let subject = self.latest();
            self.report.undo_remedy(&subject);
        }
        self.admit(step, counters).await?;
        let target = self.target.clone();
        let stored = self.stored.clone().unwrap_or_default();
        let work = async move { helm_action::test(&target, &stored, &options).await };
        let attempt = self.during(step, work.boxed()).await;
        let written = attempt.release().cloned();
        history::tested(&mut self.report.status.history, written.as_deref());
        let outcome = match &attempt.result {
            Ok(()) => Outcome::Tested { message: self.tests_message() },
            Err(error) => Outcome::TestFailed { error: reconcile_loop::chain(error) },
        };
        let subject = self.latest();
        self.conclude(&outcome, &subject, &attempt);
        let counts = !policy::tests(&self.hr, counters).ignore_failures;
        if outcome.failed() && counts && !is_transient(&attempt) {
            self.report.count_failure(counters.last.unwrap_or(ReleaseAction::Upgrade));
        }
        self.settle(step, attempt, counters).await
    }

    /// How many tests ran, in Flux's words.
    pub(super) fn tests_message(&self) -> String {
        let latest = policy::latest(&self.report.status.history);
        let hooks = latest.and_then(|latest| latest.test_hooks.as_ref());
        let ran = hooks.into_iter().flat_map(std::collections::BTreeMap::values);
        match ran.filter(|hook| hook.phase.is_some()).count() {
            0 => "no test hooks".to_owned(),
            1 => "1 test hook completed successfully".to_owned(),
            n => format!("{n} test hooks completed successfully"),
        }
    }

    /// Goes back to a revision; without one, goes on with going back.
    pub(super) async fn roll_back(
        &mut self,
        to: Option<i64>,
        counters: &Counters,
    ) -> ControlFlow<Next> {
        let options = options::rollback(&self.hr, &self.common);
        let step = Step { kind: Kind::Remedy, name: "rollback", timeout: options.timeout };
        self.admit(step, counters).await?;
        let intent = self.last_record().and_then(|record| record.intent.clone());
        let of = to.or_else(|| intent.and_then(|intent| intent.from)).unwrap_or_default();
        let previous = self.snapshot(of);
        let target = self.target.clone();
        let stored = self.stored.clone().unwrap_or_default();
        let work = async move {
            match to {
                Some(to) => helm_action::rollback(&target, &stored, to, &options).await,
                None => helm_action::resume(&target, &stored, &options).await,
            }
        };
        let attempt = self.during(step, work.boxed()).await;
        let mut written = attempt.written.clone();
        if to.is_none() {
            written.extend(self.superseded_unnoted());
        }
        history::rolled_back(&mut self.report.status.history, &written);
        self.take_stock(&attempt).await;
        let outcome = match &attempt.result {
            Ok(()) => Outcome::RolledBack,
            Err(error) => Outcome::RollbackFailed { error: reconcile_loop::chain(error) },
        };
        self.conclude(&outcome, &previous, &attempt);
        self.settle(step, attempt, counters).await
    }

    /// Removes what failed.
    pub(super) async fn uninstall_remedy(&mut self, counters: &Counters) -> ControlFlow<Next> {
        let options = options::uninstall(&self.hr, &self.common);
        let step = Step { kind: Kind::Remedy, name: "uninstall", timeout: options.timeout };
        self.admit(step, counters).await?;
        let subject = self.latest();
        let target = self.target.clone();
        let stored = self.stored.clone().unwrap_or_default();
        let work = async move { helm_action::uninstall(&target, &stored, &options).await };
        let attempt = self.during(step, work.boxed()).await;
        let known = &mut self.report.status.history;
        history::touched(known, &attempt.written, Some(history::UNINSTALL_REMEDIATION));
        let outcome = match &attempt.result {
            Ok(()) => Outcome::RemedyUninstalled,
            Err(error) => Outcome::RemedyUninstallFailed { error: reconcile_loop::chain(error) },
        };
        self.conclude(&outcome, &subject, &attempt);
        self.settle(step, attempt, counters).await
    }

    pub(super) async fn unlock(&mut self, counters: &Counters) -> ControlFlow<Next> {
        let timeout = spec::timeout(&self.hr, None);
        let step = Step { kind: Kind::Unlock, name: "unlock", timeout };
        self.admit(step, counters).await?;
        let Some(pending) = self.last_record() else { return ControlFlow::Continue(()) };
        let status = pending.info.status.to_string();
        let subject = Subject::of(&helm_release::snapshot(&pending, None, None));
        let target = self.target.clone();
        let stored = self.stored.clone().unwrap_or_default();
        let work = async move { helm_action::unlock(&target, &stored).await };
        let attempt = self.during(step, work.boxed()).await;
        history::touched(&mut self.report.status.history, &attempt.written, None);
        let outcome = match &attempt.result {
            Ok(()) => Outcome::Unlocked { status },
            Err(error) => Outcome::UnlockFailed { status, error: reconcile_loop::chain(error) },
        };
        self.conclude(&outcome, &subject, &attempt);
        self.settle(step, attempt, counters).await
    }

    /// Goes on where a process before this one was ended.
    pub(super) async fn resume(
        &mut self,
        action: IntentAction,
        counters: &Counters,
    ) -> ControlFlow<Next> {
        tracing::info!(?action, "going on with what was interrupted");
        match action {
            IntentAction::Install => self.release(ReleaseAction::Install, true, counters).await,
            IntentAction::Upgrade => self.release(ReleaseAction::Upgrade, true, counters).await,
            IntentAction::Rollback => self.roll_back(None, counters).await,
            IntentAction::Uninstall => self.uninstall_remedy(counters).await,
            IntentAction::Test => self.test(counters).await,
        }
    }

    /// The inventory of what is installed now.
    async fn take_stock(&mut self, attempt: &Attempt) {
        let Some(record) = attempt.release() else { return };
        match helm_action::inventory(&self.target, record, Some(&self.desired.chart)).await {
            Ok(entries) => {
                let entry = |(id, v): (manifest::ObjectId, String)| ResourceRef {
                    id: id.inventory_id(),
                    v,
                };
                let entries = entries.into_iter().map(entry).collect();
                self.report.status.inventory = Some(ResourceInventory { entries });
            }
            Err(error) => {
                let (release, error) = (self.attempted().release(), reconcile_loop::chain(&error));
                let message = format!("failed to build inventory for {release}: {error}");
                self.events.push(Event::new(Severity::Error, "InventoryBuildFailed", message));
            }
        }
    }
}

/// Whether the attempt failed by something that passes by itself.
fn is_transient(attempt: &Attempt) -> bool {
    attempt.result.as_ref().is_err_and(transient::is_transient)
}
