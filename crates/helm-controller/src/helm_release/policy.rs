//! What the specification wants of actions, tests and failures. Pure.

use std::time::Duration;

use crd_types::GoDuration;
use crd_types::helm::{HelmRelease, HelmReleaseStatus, Snapshot};
use crd_types::metadata::REQUESTED_AT;
use helm_release::{Counters, ReleaseAction, Remedy, Strategy, TestPolicy};
use kube::ResourceExt as _;

use super::spec;

/// How long to wait before a failed action is tried again, unless the object says.
const RETRY_INTERVAL: Duration = Duration::from_mins(5);

/// How failures of installs are met.
pub(crate) fn install_strategy(hr: &HelmRelease, retry_by_default: bool) -> Strategy {
    let install = hr.spec.install.as_ref();
    let strategy = install.and_then(|install| install.strategy.as_ref());
    let named = strategy.map(|strategy| (strategy.name.as_str(), &strategy.retry_interval));
    if let Some(interval) = retries(named, retry_by_default) {
        return Strategy::Retry { interval };
    }
    let remediation = install.and_then(|install| install.remediation.clone()).unwrap_or_default();
    Strategy::Remediate {
        retries: remediation.retries,
        remediate_last_failure: remediation.remediate_last_failure.unwrap_or(false),
        ignore_test_failures: remediation
            .ignore_test_failures
            .unwrap_or_else(|| ignores_failures(hr)),
        remedy: Remedy::Uninstall,
    }
}

/// How failures of upgrades are met.
pub(crate) fn upgrade_strategy(hr: &HelmRelease, retry_by_default: bool) -> Strategy {
    let upgrade = hr.spec.upgrade.as_ref();
    let strategy = upgrade.and_then(|upgrade| upgrade.strategy.as_ref());
    let named = strategy.map(|strategy| (strategy.name.as_str(), &strategy.retry_interval));
    if let Some(interval) = retries(named, retry_by_default) {
        return Strategy::Retry { interval };
    }
    let remediation = upgrade.and_then(|upgrade| upgrade.remediation.clone()).unwrap_or_default();
    Strategy::Remediate {
        retries: remediation.retries,
        remediate_last_failure: remediation
            .remediate_last_failure
            .unwrap_or(remediation.retries > 0),
        ignore_test_failures: remediation
            .ignore_test_failures
            .unwrap_or_else(|| ignores_failures(hr)),
        remedy: match remediation.strategy.as_deref() {
            Some("uninstall") => Remedy::Uninstall,
            _ => Remedy::Rollback,
        },
    }
}

fn retries(
    strategy: Option<(&str, &Option<GoDuration>)>,
    retry_by_default: bool,
) -> Option<Duration> {
    match strategy {
        Some(("RetryOnFailure", interval)) => {
            Some(spec::read(interval.as_ref()).unwrap_or(RETRY_INTERVAL))
        }
        None if retry_by_default => Some(RETRY_INTERVAL),
        _ => None,
    }
}

/// What was tried so far, and how failures are met.
pub(crate) fn counters(
    hr: &HelmRelease,
    status: &HelmReleaseStatus,
    retry_by_default: bool,
    is_forced: bool,
) -> Counters {
    Counters {
        install: install_strategy(hr, retry_by_default),
        upgrade: upgrade_strategy(hr, retry_by_default),
        install_failures: status.install_failures.unwrap_or_default(),
        upgrade_failures: status.upgrade_failures.unwrap_or_default(),
        last: last_action(status),
        is_forced,
        corrects_drift: drift_mode(hr) == DriftMode::Enabled,
    }
}

fn last_action(status: &HelmReleaseStatus) -> Option<ReleaseAction> {
    match status.last_attempted_release_action.as_deref() {
        Some("install") => Some(ReleaseAction::Install),
        Some("upgrade") => Some(ReleaseAction::Upgrade),
        _ => None,
    }
}

/// What tests mean.
///
/// Flux: without an attempt that is on record, failed tests are no failure.
pub(crate) fn tests(hr: &HelmRelease, counters: &Counters) -> TestPolicy {
    let ignore_failures = match counters.active() {
        None => true,
        Some((Strategy::Remediate { ignore_test_failures, .. }, _)) => ignore_test_failures,
        Some((Strategy::Retry { .. }, _)) => ignores_failures(hr),
    };
    TestPolicy { enabled: tests_enabled(hr), ignore_failures }
}

/// Whether tests run.
pub(crate) fn tests_enabled(hr: &HelmRelease) -> bool {
    hr.spec.test.as_ref().is_some_and(|test| test.enable)
}

/// Whether a failed test is no failure of the release.
pub(crate) fn ignores_failures(hr: &HelmRelease) -> bool {
    hr.spec.test.as_ref().is_some_and(|test| test.ignore_failures)
}

/// What is done about drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DriftMode {
    Disabled,
    Warn,
    Enabled,
}

/// What is done about drift.
pub(crate) fn drift_mode(hr: &HelmRelease) -> DriftMode {
    let detection = hr.spec.drift_detection.as_ref();
    match detection.and_then(|detection| detection.mode.as_deref()) {
        Some("enabled") => DriftMode::Enabled,
        Some("warn") => DriftMode::Warn,
        _ => DriftMode::Disabled,
    }
}

/// Whether a request by annotation `key` counts now. Notes it as handled in `handled`, whether it
/// counts or not.
///
/// Flux: it counts if it has the token of `requestedAt`, and neither was handled before.
pub(crate) fn is_requested(
    hr: &HelmRelease,
    key: &str,
    handled: &mut Option<String>,
    handled_request: Option<&str>,
) -> bool {
    let Some(token) = hr.annotations().get(key) else { return false };
    let is_new = handled.as_deref() != Some(token);
    *handled = Some(token.clone());
    let requested = hr.annotations().get(REQUESTED_AT);
    is_new && requested == Some(token) && handled_request != Some(token)
}

/// Why what was installed is not where the specification wants it, so that it must go first. The
/// words are Flux's.
pub(crate) fn moved(hr: &HelmRelease, chart_name: &str) -> Option<&'static str> {
    let status = hr.status.as_ref()?;
    let storage = status.storage_namespace.as_deref().filter(|namespace| !namespace.is_empty())?;
    let latest = latest(&status.history)?;
    let in_place = hr.spec.upgrade.as_ref().and_then(|it| it.chart_name_change_strategy.as_deref())
        == Some("InPlaceUpdate");
    if storage != spec::storage_namespace(hr) {
        Some("storage namespace")
    } else if latest.namespace != spec::release_namespace(hr) {
        Some("release namespace")
    } else if latest.name != spec::release_name(hr) {
        Some("release name")
    } else if latest.chart_name != chart_name && !in_place {
        Some("chart name")
    } else {
        None
    }
}

/// The newest snapshot.
pub(crate) fn latest(history: &[Snapshot]) -> Option<&Snapshot> {
    history.iter().max_by_key(|snapshot| snapshot.version)
}

/// Why failures of before do not count any more. The words are Flux's.
pub(crate) fn changed_since(
    hr: &HelmRelease,
    status: &HelmReleaseStatus,
    chart_version: &str,
    config_digest: &str,
) -> Option<&'static str> {
    if status.last_attempted_generation != hr.metadata.generation {
        Some("generation differs from last attempt")
    } else if status.last_attempted_revision.as_deref() != Some(chart_version) {
        Some("chart version differs from last attempt")
    } else if status.last_attempted_config_digest.as_deref() != Some(config_digest) {
        Some("values differ from last attempt")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use crd_types::helm::{HelmReleaseSpec, Install, InstallStrategy, Upgrade, UpgradeRemediation};

    use super::*;
    use crd_types::metadata::FORCE_AT;

    #[test]
    fn a_failure_is_met_as_the_object_says() {
        let mut hr = HelmRelease::new("app", HelmReleaseSpec::default());
        assert!(install_strategy(&hr, false).is_exhausted(1));
        assert!(!install_strategy(&hr, true).is_exhausted(100));
        let strategy =
            InstallStrategy { name: "RemediateOnFailure".to_owned(), retry_interval: None };
        hr.spec.install = Some(Install { strategy: Some(strategy), ..Install::default() });
        assert!(install_strategy(&hr, true).is_exhausted(1));
        let remediation = UpgradeRemediation { retries: 2, ..UpgradeRemediation::default() };
        hr.spec.upgrade = Some(Upgrade { remediation: Some(remediation), ..Upgrade::default() });
        let Strategy::Remediate { remediate_last_failure, remedy, .. } =
            upgrade_strategy(&hr, false)
        else {
            panic!("it remedies");
        };
        assert!(remediate_last_failure && remedy == Remedy::Rollback);
    }

    #[test]
    fn a_request_counts_once() {
        let mut hr = HelmRelease::new("app", HelmReleaseSpec::default());
        let mut handled = None;
        assert!(!is_requested(&hr, FORCE_AT, &mut handled, None));
        let tokens = [(FORCE_AT, "1"), (REQUESTED_AT, "1")];
        let tokens = tokens.map(|(key, token)| (key.to_owned(), token.to_owned()));
        hr.metadata.annotations = Some(tokens.into());
        assert!(!is_requested(&hr, FORCE_AT, &mut None, Some("1")));
        assert!(is_requested(&hr, FORCE_AT, &mut handled, None));
        assert!(!is_requested(&hr, FORCE_AT, &mut handled, None));
        hr.annotations_mut().insert(REQUESTED_AT.to_owned(), "2".to_owned());
        let mut handled = None;
        assert!(!is_requested(&hr, FORCE_AT, &mut handled, None));
        assert_eq!(handled.as_deref(), Some("1"));
    }
}
