//! How the specification wants each Helm action to be carried out. Pure.

use std::sync::Arc;

use cluster_apply::HealthEvaluator;
use crd_types::helm::HelmRelease;
use helm_action::{
    CallOff, CrdPolicy, Options, Propagation, ServerSideApply, TestFilters, TestOptions,
    UninstallOptions, WaitStrategy,
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
    /// Ends waits early (`CancelHealthCheckOnNewRevision`).
    pub(crate) call_off: CallOff,
}

impl Common {
    pub(crate) fn of(settings: &Settings, health: Option<Arc<dyn HealthEvaluator>>) -> Self {
        let Settings { helm3_defaults, dns_lookups, .. } = *settings;
        Self { helm3_defaults, dns_lookups, health, call_off: CallOff::default() }
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
        call_off: common.call_off.clone(),
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
        call_off: common.call_off.clone(),
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
        call_off: common.call_off.clone(),
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// How an action is carried out, as text.
    fn told(action: &str, spec: &Value) -> String {
        let mut spec = spec.clone();
        spec["interval"] = json!("1m");
        let hr = HelmRelease::new("app", serde_json::from_value(spec).unwrap());
        let common = Common {
            helm3_defaults: false,
            dns_lookups: false,
            health: None,
            call_off: CallOff::default(),
        };
        match action {
            "install" => format!("{:?} {:?}", install(&hr, &common), crds(&hr, true)),
            "upgrade" => format!("{:?} {:?}", upgrade(&hr, &common), crds(&hr, false)),
            "rollback" => format!("{:?}", rollback(&hr, &common)),
            "test" => format!("{:?}", test(&hr, &common)),
            "uninstall" => format!("{:?}", uninstall(&hr, &common)),
            other => panic!("there is no action {other}"),
        }
    }

    /// Fields that several actions have: what is set, and what becomes of it.
    fn shared() -> Vec<(Vec<&'static str>, Value, &'static str)> {
        vec![
            (
                vec!["install", "upgrade", "rollback", "test", "uninstall"],
                json!({"timeout": "7s"}),
                "timeout: 7s",
            ),
            (
                vec!["install", "upgrade", "rollback", "uninstall"],
                json!({"disableWait": true}),
                "wait: HooksOnly",
            ),
            (
                vec!["install", "upgrade", "rollback"],
                json!({"disableWaitForJobs": true}),
                "wait_for_jobs: false",
            ),
            (
                vec!["install", "upgrade", "rollback", "uninstall"],
                json!({"disableHooks": true}),
                "hooks: false",
            ),
            (
                vec!["install", "upgrade"],
                json!({"disableTakeOwnership": true}),
                "take_ownership: false",
            ),
            (
                vec!["install", "upgrade"],
                json!({"disableOpenAPIValidation": true}),
                "validate_objects: false",
            ),
            (
                vec!["install", "upgrade"],
                json!({"disableSchemaValidation": true}),
                "validate_values: false",
            ),
            (vec!["install", "upgrade"], json!({"crds": "Skip"}), " Skip"),
            (vec!["install", "upgrade"], json!({"crds": "CreateReplace"}), " CreateReplace"),
            (vec!["upgrade", "rollback"], json!({"force": true}), "force_replace: true"),
            (vec!["upgrade", "rollback"], json!({"cleanupOnFail": true}), "cleanup_on_fail: true"),
            (
                vec!["upgrade", "rollback"],
                json!({"serverSideApply": "enabled"}),
                "server_side_apply: Enabled",
            ),
            (
                vec!["upgrade", "rollback"],
                json!({"serverSideApply": "disabled"}),
                "server_side_apply: Disabled",
            ),
        ]
    }

    /// Fields of one action.
    fn own() -> Vec<(&'static str, Value, &'static str)> {
        vec![
            ("install", json!({"serverSideApply": false}), "server_side_apply: Disabled"),
            ("install", json!({"replace": true}), "replace: true"),
            ("upgrade", json!({"preserveValues": true}), "reuse_values: true"),
            ("uninstall", json!({"keepHistory": true}), "keep_history: true"),
            ("uninstall", json!({"deletionPropagation": "orphan"}), "propagation: Orphan"),
            ("uninstall", json!({"deletionPropagation": "foreground"}), "propagation: Foreground"),
            ("test", json!({"filters": [{"name": "a"}]}), "include: [\"a\"]"),
            ("test", json!({"filters": [{"name": "a", "exclude": true}]}), "exclude: [\"a\"]"),
        ]
    }

    #[test]
    fn every_field_of_an_action_has_an_effect() {
        let shared = shared().into_iter().flat_map(|(actions, fields, effect)| {
            actions.into_iter().map(move |action| (action, fields.clone(), effect))
        });
        for (action, fields, effect) in shared.chain(own()) {
            assert!(!told(action, &json!({})).contains(effect), "{action} has {effect} anyway");
            let given = told(action, &json!({ action: fields }));
            assert!(given.contains(effect), "{action} {fields}: {given}");
        }
    }

    #[test]
    fn fields_of_the_whole_release_count_for_its_actions() {
        let cases = [
            ("install", json!({"timeout": "9s"}), "timeout: 9s"),
            ("upgrade", json!({"timeout": "9s", "upgrade": {"timeout": "7s"}}), "timeout: 7s"),
            ("upgrade", json!({"maxHistory": 3}), "max_history: 3"),
            ("rollback", json!({"maxHistory": 3}), "max_history: 3"),
            ("upgrade", json!({"maxHistory": 0}), "max_history: 0"),
            ("install", json!({"waitStrategy": {"name": "legacy"}}), "wait: Legacy"),
            (
                "install",
                json!({"targetNamespace": "a", "install": {"createNamespace": true}}),
                "create_namespace: true",
            ),
        ];
        for (action, spec, effect) in cases {
            assert!(!told(action, &json!({})).contains(effect), "{action} has {effect} anyway");
            let given = told(action, &spec);
            assert!(given.contains(effect), "{action} {spec}: {given}");
        }
        let here = json!({"install": {"createNamespace": true}});
        assert!(told("install", &here).contains("create_namespace: false"));
    }
}
