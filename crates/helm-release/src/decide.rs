//! What follows from the state of a release.

use std::time::Duration;

use crd_types::helm::Snapshot;

use crate::intent::IntentAction;
use crate::observe::State;
use crate::snapshot::can_be_target;

/// An action that makes a revision of the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ReleaseAction {
    Install,
    Upgrade,
}

/// What to do when an action fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// Undo it, then try again (`RemediateOnFailure`).
    Remediate {
        /// How often to try again; without end if negative.
        retries: i64,
        /// Whether the last failure is undone as well.
        remediate_last_failure: bool,
        /// Whether a failed test is no failure.
        ignore_test_failures: bool,
        /// How it is undone.
        remedy: Remedy,
    },
    /// Leave it as it is and try again (`RetryOnFailure`).
    Retry {
        /// How long to wait.
        interval: Duration,
    },
}

/// How a failed action is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Remedy {
    Rollback,
    Uninstall,
}

/// What was tried so far, and how failures are met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    /// How a failed install is met.
    pub install: Strategy,
    /// How a failed upgrade is met.
    pub upgrade: Strategy,
    /// Failed installs since the last change (`status.installFailures`).
    pub install_failures: i64,
    /// Failed upgrades since the last change (`status.upgradeFailures`).
    pub upgrade_failures: i64,
    /// What was tried last (`status.lastAttemptedReleaseAction`).
    pub last: Option<ReleaseAction>,
    /// Whether a person asked for it now (`reconcile.fluxcd.io/forceAt`).
    pub is_forced: bool,
    /// Whether drift is corrected, and not only told.
    pub corrects_drift: bool,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing: the release is as it shall be. The history may be truncated.
    Nothing,
    /// Go on with what a killed controller was doing.
    Resume(IntentAction),
    /// Note in the status what a killed controller had done: take a snapshot of the newest record.
    Record(IntentAction),
    /// Mark a release that somebody left in the middle of a change as failed.
    Unlock,
    /// Install. The history begins anew.
    Install,
    /// Upgrade.
    Upgrade {
        /// Whether the history is forgotten before: it is of another release.
        forget_history: bool,
    },
    /// Run the tests.
    Test,
    /// Undo a failed upgrade.
    Rollback {
        /// The revision to go back to. It must be verified against storage first; if it is gone or
        /// was changed there, upgrade instead.
        to: i64,
    },
    /// Undo a failed install or upgrade by uninstalling.
    UninstallRemedy,
    /// Tell about drift and correct it.
    CorrectDrift,
    /// Tell about drift.
    ReportDrift,
    /// Nothing more, until an input changes.
    Stop(Terminal),
}

/// Why nothing more is done. The words are Flux's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Terminal {
    /// `RetriesExceeded`.
    #[error("exceeded maximum retries: cannot install release")]
    Install,
    /// `RetriesExceeded`.
    #[error("exceeded maximum retries: cannot upgrade release")]
    Upgrade,
    /// `RetriesExceeded`.
    #[error("exceeded maximum retries: cannot remediate failed release")]
    Remedy,
    /// `MissingRollbackTarget`.
    #[error("missing target release for rollback: cannot remediate failed release")]
    NoRollbackTarget,
}

impl Strategy {
    /// Whether no further try is allowed after so many failures.
    pub const fn is_exhausted(&self, failures: i64) -> bool {
        match self {
            Self::Remediate { retries, .. } => *retries >= 0 && failures > *retries,
            Self::Retry { .. } => false,
        }
    }
}

impl Counters {
    /// The strategy of what was tried last, with its failures.
    pub const fn active(&self) -> Option<(Strategy, i64)> {
        match self.last {
            Some(ReleaseAction::Install) => Some((self.install, self.install_failures)),
            Some(ReleaseAction::Upgrade) => Some((self.upgrade, self.upgrade_failures)),
            None => None,
        }
    }

    const fn are_installs_exhausted(&self) -> bool {
        self.install.is_exhausted(self.install_failures)
    }

    const fn are_upgrades_exhausted(&self) -> bool {
        self.upgrade.is_exhausted(self.upgrade_failures)
    }
}

/// What follows from a state.
pub fn decide(state: &State, history: &[Snapshot], counters: &Counters) -> Decision {
    match state {
        State::Interrupted { action, is_wanted: true } => Decision::Resume(*action),
        State::Interrupted { is_wanted: false, .. } | State::Locked { .. } => Decision::Unlock,
        State::Unrecorded { action } => Decision::Record(*action),
        State::Absent { .. } if counters.are_installs_exhausted() && !counters.is_forced => {
            Decision::Stop(Terminal::Install)
        }
        State::Absent { .. } => Decision::Install,
        State::Unmanaged { .. } => Decision::Upgrade { forget_history: true },
        State::OutOfSync(_) if counters.are_upgrades_exhausted() && !counters.is_forced => {
            Decision::Stop(Terminal::Upgrade)
        }
        State::OutOfSync(_) => Decision::Upgrade { forget_history: false },
        State::Drifted if counters.corrects_drift => Decision::CorrectDrift,
        State::Drifted => Decision::ReportDrift,
        State::Untested => Decision::Test,
        State::Failed { .. } => of_failed(history, counters),
        State::InSync if counters.is_forced => Decision::Upgrade { forget_history: false },
        State::InSync => Decision::Nothing,
    }
}

fn of_failed(history: &[Snapshot], counters: &Counters) -> Decision {
    let upgrade = Decision::Upgrade { forget_history: false };
    let Some((strategy, failures)) = counters.active() else { return upgrade };
    let Strategy::Remediate { remediate_last_failure, ignore_test_failures, remedy, .. } = strategy
    else {
        return upgrade;
    };
    // Without a failure counted, what it failed under has changed since.
    if failures <= 0 || counters.is_forced {
        return upgrade;
    }
    if strategy.is_exhausted(failures) && !remediate_last_failure {
        return Decision::Stop(Terminal::Remedy);
    }
    if remedy == Remedy::Uninstall {
        return Decision::UninstallRemedy;
    }
    let newest = history.iter().map(|snapshot| snapshot.version).max();
    let target = history
        .iter()
        .filter(|snapshot| Some(snapshot.version) != newest)
        .filter(|snapshot| can_be_target(snapshot, ignore_test_failures))
        .max_by_key(|snapshot| snapshot.version);
    target.map_or(Decision::Stop(Terminal::NoRollbackTarget), |snapshot| Decision::Rollback {
        to: snapshot.version,
    })
}
