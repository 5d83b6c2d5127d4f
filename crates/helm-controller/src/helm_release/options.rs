//! How the specification wants each Helm action to be carried out. Pure.

use std::sync::Arc;

use cluster_apply::HealthEvaluator;
use crd_types::helm::HelmRelease;
use helm_action::{
    CrdPolicy, Options, Propagation, ServerSideApply, TestFilters, TestOptions, UninstallOptions,
    WaitStrategy,
};

use super::spec;
use crate::settings::Settings;

/// What all actions of an object have in common.
#[derive(Clone, Debug)]
pub(crate) struct Common {
    /// Whether Helm 3's defaults are used where the object says nothing.
    pub(crate) helm3_defaults: bool,
    /// Whether templates may ask for addresses of hosts.
    pub(crate) dns_lookups: bool,
    /// Tells the health of some kinds in its own way.
    pub(crate) health: Option<Arc<dyn HealthEvaluator>>,
}

impl Common {
    pub(crate) fn of(settings: &Settings, health: Option<Arc<dyn HealthEvaluator>>) -> Self {
        let Settings { helm3_defaults, dns_lookups, .. } = *settings;
        Self { helm3_defaults, dns_lookups, health }
    }
}

/// How to install.
pub(crate) fn install(hr: &HelmRelease, common: &Common) -> Options {
    let spec = hr.spec.install.clone().unwrap_or_default();
    let server_side = spec.server_side_apply.unwrap_or(!common.helm3_defaults);
    Options {
        timeout: spec::timeout(hr, spec.timeout.as_ref()),
        wait: wait(hr, spec.disable_wait, common),
        wait_for_jobs: !spec.disable_wait_for_jobs,
        health: common.health.clone(),
        hooks: !spec.disable_hooks,
        server_side_apply: if server_side {
            ServerSideApply::Enabled
        } else {
            ServerSideApply::Disabled
        },
        take_ownership: !spec.disable_take_ownership,
        validate_objects: !spec.disable_open_api_validation,
        validate_values: !spec.disable_schema_validation,
        dns_lookups: common.dns_lookups,
        create_namespace: spec.create_namespace && hr.spec.target_namespace.is_some(),
        replace: spec.replace,
        max_history: 0,
        ..Options::default()
    }
}

/// How to upgrade.
pub(crate) fn upgrade(hr: &HelmRelease, common: &Common) -> Options {
    let spec = hr.spec.upgrade.clone().unwrap_or_default();
    Options {
        timeout: spec::timeout(hr, spec.timeout.as_ref()),
        wait: wait(hr, spec.disable_wait, common),
        wait_for_jobs: !spec.disable_wait_for_jobs,
        health: common.health.clone(),
        hooks: !spec.disable_hooks,
        server_side_apply: server_side(spec.server_side_apply.as_deref()),
        force_replace: spec.force,
        take_ownership: !spec.disable_take_ownership,
        validate_objects: !spec.disable_open_api_validation,
        validate_values: !spec.disable_schema_validation,
        dns_lookups: common.dns_lookups,
        cleanup_on_fail: spec.cleanup_on_fail,
        reuse_values: spec.preserve_values,
        max_history: spec::max_history(hr).unwrap_or(0),
        ..Options::default()
    }
}

/// How to roll back.
pub(crate) fn rollback(hr: &HelmRelease, common: &Common) -> Options {
    let spec = hr.spec.rollback.clone().unwrap_or_default();
    if spec.recreate {
        tracing::warn!("spec.rollback.recreate is deprecated and has no effect");
    }
    Options {
        timeout: spec::timeout(hr, spec.timeout.as_ref()),
        wait: wait(hr, spec.disable_wait, common),
        wait_for_jobs: !spec.disable_wait_for_jobs,
        health: common.health.clone(),
        hooks: !spec.disable_hooks,
        server_side_apply: server_side(spec.server_side_apply.as_deref()),
        force_replace: spec.force,
        cleanup_on_fail: spec.cleanup_on_fail,
        max_history: spec::max_history(hr).unwrap_or(0),
        ..Options::default()
    }
}

/// How to test.
pub(crate) fn test(hr: &HelmRelease, common: &Common) -> TestOptions {
    let spec = hr.spec.test.clone().unwrap_or_default();
    let (mut include, mut exclude) = (Vec::new(), Vec::new());
    for filter in spec.filters.unwrap_or_default() {
        if filter.exclude { &mut exclude } else { &mut include }.push(filter.name);
    }
    TestOptions {
        timeout: spec::timeout(hr, spec.timeout.as_ref()),
        health: common.health.clone(),
        filters: TestFilters { include, exclude },
    }
}

/// How to uninstall.
pub(crate) fn uninstall(hr: &HelmRelease, common: &Common) -> UninstallOptions {
    let spec = hr.spec.uninstall.clone().unwrap_or_default();
    UninstallOptions {
        timeout: spec::timeout(hr, spec.timeout.as_ref()),
        wait: wait(hr, spec.disable_wait, common),
        health: common.health.clone(),
        hooks: !spec.disable_hooks,
        keep_history: spec.keep_history,
        propagation: match spec.deletion_propagation.as_deref() {
            Some("foreground") => Propagation::Foreground,
            Some("orphan") => Propagation::Orphan,
            _ => Propagation::Background,
        },
    }
}

/// What becomes of the chart's definitions on installs, or on upgrades.
///
/// Flux: without a word they are created either way, whatever the documentation says of upgrades.
pub(crate) fn crds(hr: &HelmRelease, is_install: bool) -> CrdPolicy {
    let policy = if is_install {
        hr.spec.install.as_ref().and_then(|install| install.crds.as_deref())
    } else {
        hr.spec.upgrade.as_ref().and_then(|upgrade| upgrade.crds.as_deref())
    };
    match policy {
        Some("Skip") => CrdPolicy::Skip,
        Some("CreateReplace") => CrdPolicy::CreateReplace,
        _ => CrdPolicy::Create,
    }
}

fn wait(hr: &HelmRelease, disabled: bool, common: &Common) -> WaitStrategy {
    if disabled {
        return WaitStrategy::HooksOnly;
    }
    match hr.spec.wait_strategy.as_ref().map(|strategy| strategy.name.as_str()) {
        Some("legacy") => WaitStrategy::Legacy,
        None if common.helm3_defaults => WaitStrategy::Legacy,
        _ => WaitStrategy::Status,
    }
}

fn server_side(mode: Option<&str>) -> ServerSideApply {
    match mode {
        Some("enabled") => ServerSideApply::Enabled,
        Some("disabled") => ServerSideApply::Disabled,
        _ => ServerSideApply::Auto,
    }
}
