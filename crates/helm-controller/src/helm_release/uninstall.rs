//! Removes a release because its object goes, or wants it elsewhere.

use cluster_apply::TenantClient;
use crd_types::helm::{HelmRelease, HelmReleaseStatus};
use helm_action::{ActionError, Leave, Origin, Target};
use helm_release::Record;
use kube::ResourceExt as _;
use reconcile_loop::events::Event;

use super::conclude::Report;
use super::conclude::outcome::{Outcome, Subject};
use super::options::Common;
use super::{history, options, policy, spec, values};
use crate::context::Context;

/// The release that the status tells of, or that the specification would make.
pub(super) fn target(hr: &HelmRelease, client: TenantClient) -> Target {
    let status = hr.status.as_ref();
    let latest = status.and_then(|status| policy::latest(&status.history));
    let recorded = status.and_then(|status| status.storage_namespace.clone());
    Target {
        client,
        storage_namespace: recorded
            .filter(|namespace| !namespace.is_empty())
            .unwrap_or_else(|| spec::storage_namespace(hr)),
        namespace: latest
            .map_or_else(|| spec::release_namespace(hr), |latest| latest.namespace.clone()),
        name: latest.map_or_else(|| spec::release_name(hr), |latest| latest.name.clone()),
        origin: Origin { name: hr.name_any(), namespace: hr.namespace().unwrap_or_default() },
        leave: Leave::default(),
    }
}

/// Whether the status says that something was installed.
pub(super) fn is_recorded(status: Option<&HelmReleaseStatus>) -> bool {
    let storage = status.and_then(|status| status.storage_namespace.as_deref());
    storage.is_some_and(|namespace| !namespace.is_empty())
}

/// Whether a record is one that we began and did not come to note.
pub(super) fn is_ours(record: &Record) -> bool {
    record.intent.is_some()
}

/// Uninstalls, and tells it in `report`, without secrets. Answers the event, and what failed.
///
/// Flux: a release that is gone already counts as uninstalled.
pub(super) async fn uninstall(
    hr: &HelmRelease,
    target: &Target,
    common: &Common,
    report: &mut Report,
    ctx: &Context,
) -> (Option<Event>, Result<(), String>) {
    let options = options::uninstall(hr, common);
    let stored = match target.storage().history().await {
        Ok(stored) => stored,
        Err(error) => return (None, Err(reconcile_loop::chain(&error))),
    };
    let latest = policy::latest(&report.status.history).map(Subject::of);
    let of_record =
        || stored.last().map(|record| Subject::of(&helm_release::snapshot(record, None, None)));
    let Some(subject) = latest.or_else(of_record) else { return (None, Ok(())) };
    let values = values::to_mask(hr, stored.last().map(AsRef::as_ref), ctx).await;
    let attempt = helm_action::uninstall(target, &stored, &options).await;
    let known = &mut report.status.history;
    history::touched(known, &attempt.written, Some(history::UNINSTALL));
    let outcome = match &attempt.result {
        Ok(()) => Outcome::Uninstalled,
        Err(ActionError::NotFound) => Outcome::UninstalledAlready {
            message: format!(
                "Release {} was not found, assuming it is uninstalled",
                subject.full()
            ),
        },
        Err(ActionError::AlreadyDeleted { .. }) => Outcome::UninstalledAlready {
            message: format!("Release {} was already uninstalled", subject.full()),
        },
        Err(error) => Outcome::UninstallFailed { error: reconcile_loop::chain(error) },
    };
    report.claim(outcome.claim(&subject));
    let mut event = outcome.event(&subject, &attempt.logs.to_string());
    event.message = values.masked(&event.message);
    if !outcome.failed() {
        report.status.inventory = None;
        return (Some(event), Ok(()));
    }
    report.status.failures = Some(report.status.failures.unwrap_or_default() + 1);
    report.summarise(false, false);
    report.mask(|text| values.masked(text));
    (Some(event), Err(report.ready_message()))
}
