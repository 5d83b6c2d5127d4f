//! How each Helm action is carried out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::GoDuration;

/// How to install.
#[expect(clippy::struct_excessive_bools, reason = "the API has this many switches")]
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Install {
    /// What to do with the custom resource definitions of the chart; `Create` when absent.
    #[schemars(extend("enum" = ["Skip", "Create", "CreateReplace"]))]
    pub crds: Option<String>,
    /// Whether the target namespace is created.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub create_namespace: bool,
    /// Whether hooks are left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_hooks: bool,
    /// Whether rendered objects are not checked against the OpenAPI schema.
    #[serde(
        rename = "disableOpenAPIValidation",
        default,
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub disable_open_api_validation: bool,
    /// Whether values are not checked against the chart's schema.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_schema_validation: bool,
    /// Whether existing objects are not taken over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_take_ownership: bool,
    /// Whether readiness is not awaited.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_wait: bool,
    /// Whether the end of jobs is not awaited.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_wait_for_jobs: bool,
    /// How a failure is remedied.
    pub remediation: Option<InstallRemediation>,
    /// Whether the name of a deleted release is used again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replace: bool,
    /// Whether objects are applied on the server's side; true when absent.
    pub server_side_apply: Option<bool>,
    /// Whether custom resource definitions are left out; `crds` is used instead.
    #[serde(rename = "skipCRDs", default, skip_serializing_if = "std::ops::Not::not")]
    pub skip_crds: bool,
    /// What to do on failure.
    pub strategy: Option<InstallStrategy>,
    /// Limit; the release's timeout when absent.
    pub timeout: Option<GoDuration>,
}

/// What to do when an install fails.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!has(self.retryInterval) || self.name != 'RemediateOnFailure'",
    "message": ".retryInterval cannot be set when .name is 'RemediateOnFailure'",
}]))]
pub struct InstallStrategy {
    /// Whether a failure is remedied or the action tried again.
    #[schemars(extend("enum" = ["RemediateOnFailure", "RetryOnFailure"]))]
    pub name: String,
    /// How long to wait before trying again; five minutes when absent.
    pub retry_interval: Option<GoDuration>,
}

/// How a failed install is remedied.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstallRemediation {
    /// Whether failed tests are no failure; as `test.ignoreFailures` says when absent.
    pub ignore_test_failures: Option<bool>,
    /// Whether the last failure is remedied as well.
    pub remediate_last_failure: Option<bool>,
    /// How often to try again after remedying; without end if negative.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(extend("format" = null))]
    pub retries: i64,
}

/// How to upgrade.
#[expect(clippy::struct_excessive_bools, reason = "the API has this many switches")]
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Upgrade {
    /// What to do when the chart has another name than before; `Reinstall` when absent.
    #[schemars(extend("enum" = ["InPlaceUpdate", "Reinstall"]))]
    pub chart_name_change_strategy: Option<String>,
    /// Whether new objects are deleted on failure.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cleanup_on_fail: bool,
    /// What to do with the custom resource definitions of the chart; `Skip` when absent.
    #[schemars(extend("enum" = ["Skip", "Create", "CreateReplace"]))]
    pub crds: Option<String>,
    /// Whether hooks are left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_hooks: bool,
    /// Whether rendered objects are not checked against the OpenAPI schema.
    #[serde(
        rename = "disableOpenAPIValidation",
        default,
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub disable_open_api_validation: bool,
    /// Whether values are not checked against the chart's schema.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_schema_validation: bool,
    /// Whether existing objects are not taken over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_take_ownership: bool,
    /// Whether readiness is not awaited.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_wait: bool,
    /// Whether the end of jobs is not awaited.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_wait_for_jobs: bool,
    /// Whether objects are replaced where they cannot be updated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// Whether the values of the last release are used again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preserve_values: bool,
    /// How a failure is remedied.
    pub remediation: Option<UpgradeRemediation>,
    /// Whether objects are applied on the server's side; `auto` when absent.
    #[schemars(extend("enum" = ["enabled", "disabled", "auto"]))]
    pub server_side_apply: Option<String>,
    /// What to do on failure.
    pub strategy: Option<UpgradeStrategy>,
    /// Limit; the release's timeout when absent.
    pub timeout: Option<GoDuration>,
}

/// What to do when an upgrade fails.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!has(self.retryInterval) || self.name == 'RetryOnFailure'",
    "message": ".retryInterval can only be set when .name is 'RetryOnFailure'",
}]))]
pub struct UpgradeStrategy {
    /// Whether a failure is remedied or the action tried again.
    #[schemars(extend("enum" = ["RemediateOnFailure", "RetryOnFailure"]))]
    pub name: String,
    /// How long to wait before trying again; five minutes when absent.
    pub retry_interval: Option<GoDuration>,
}

/// How a failed upgrade is remedied.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpgradeRemediation {
    /// Whether failed tests are no failure; as `test.ignoreFailures` says when absent.
    pub ignore_test_failures: Option<bool>,
    /// Whether the last failure is remedied as well.
    pub remediate_last_failure: Option<bool>,
    /// How often to try again after remedying; without end if negative.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(extend("format" = null))]
    pub retries: i64,
    /// Which action is the remedy; `rollback` when absent.
    #[schemars(extend("enum" = ["rollback", "uninstall"]))]
    pub strategy: Option<String>,
}

/// Whether and how to run the chart's tests.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Test {
    /// Whether tests run after installing and upgrading.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub enable: bool,
    /// Which tests run; all when absent.
    pub filters: Option<Vec<TestFilter>>,
    /// Whether failed tests are no failure.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore_failures: bool,
    /// Limit; the release's timeout when absent.
    pub timeout: Option<GoDuration>,
}

/// Chooses a test by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestFilter {
    /// Whether the test is left out rather than taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exclude: bool,
    /// Name of the test.
    #[schemars(extend("minLength" = 1, "maxLength" = 253))]
    pub name: String,
}

/// How to roll back.
#[expect(clippy::struct_excessive_bools, reason = "the API has this many switches")]
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rollback {
    /// Whether new objects are deleted on failure.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cleanup_on_fail: bool,
    /// Whether hooks are left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_hooks: bool,
    /// Whether readiness is not awaited.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_wait: bool,
    /// Whether the end of jobs is not awaited.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_wait_for_jobs: bool,
    /// Whether objects are replaced where they cannot be updated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// Whether pods are restarted; without effect.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recreate: bool,
    /// Whether objects are applied on the server's side; `auto` when absent.
    #[schemars(extend("enum" = ["enabled", "disabled", "auto"]))]
    pub server_side_apply: Option<String>,
    /// Limit; the release's timeout when absent.
    pub timeout: Option<GoDuration>,
}

/// How to uninstall.
#[serde_with::skip_serializing_none]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Uninstall {
    /// How dependents are deleted.
    #[schemars(extend("enum" = ["background", "foreground", "orphan"], "default" = "background"))]
    pub deletion_propagation: Option<String>,
    /// Whether hooks are left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_hooks: bool,
    /// Whether readiness is not awaited.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disable_wait: bool,
    /// Whether Helm's records are kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_history: bool,
    /// Limit; the release's timeout when absent.
    pub timeout: Option<GoDuration>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
const fn is_zero(number: &i64) -> bool {
    *number == 0
}
