//! The flags of this controller besides the common ones.

mod key_services;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ::key_services::Endpoints;
use clap::Parser;
use cluster_apply::Identities;
use reconcile_loop::flags::{Flags, InvalidGates, boolean, duration};
use reconcile_loop::progress::Patience;

pub(crate) use self::key_services::{Ambient, VaultConfig};
use crate::kustomization::prune::{Guard, Mode};

/// Feature gates with their defaults.
const GATES: &[(&str, bool)] = &[
    ("AdditiveCELDependencyCheck", false),
    ("CacheSecretsAndConfigMaps", false),
    ("CancelHealthCheckOnNewRevision", false),
    ("DirectSourceFetch", false),
    ("DisableConfigWatchers", false),
    ("DisableFailFastBehavior", false),
    ("DisableStatusPollerCache", true),
    ("ExternalArtifact", false),
    ("GroupChangeLog", false),
    ("MigrateAPIVersion", false),
    ("ObjectLevelWorkloadIdentity", false),
    ("ProgressPerStep", false),
    ("StrictPostBuildSubstitutions", true),
];

/// Applies the manifests of sources to clusters.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Clone, Debug, Parser)]
#[command(name = "kustomize-controller", version)]
pub struct Arguments {
    /// The most reconciliations at once.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub concurrent: u16,
    /// The most requests to the API server at once for one Kustomization.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub concurrent_ssa: u16,
    /// Refuse bases of other git repositories. Flux accepts them.
    #[arg(long, default_value = "true", default_missing_value = "true", num_args = 0..=1, require_equals = true, value_parser = boolean())]
    pub no_remote_bases: bool,
    /// With `--no-remote-bases=false`: hosts that bases are fetched from though their addresses are
    /// private or plain http, as in `git.corp.example:8443`.
    #[arg(long, value_delimiter = ',')]
    pub remote_base_hosts: Vec<String>,
    /// How often a failed download of an artifact is repeated.
    #[arg(long, default_value_t = 9)]
    pub http_retry: u32,
    /// The service account to act as where a Kustomization names none.
    #[arg(long, default_value = "")]
    pub default_service_account: String,
    /// Field managers whose fields are taken over, besides kubectl's.
    #[arg(long, value_delimiter = ',')]
    pub override_manager: Vec<String>,
    /// Kinds that are applied in a stage of their own, as in `apps/Deployment,batch/Job`.
    #[arg(long, value_delimiter = ',')]
    pub custom_apply_stage_kinds: Vec<String>,
    /// Refuse references to objects of other namespaces.
    #[arg(long, default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, value_parser = boolean())]
    pub no_cross_namespace_refs: bool,
    /// The Secret in the controller's namespace with age keys for Kustomizations that name no Secret.
    #[arg(long, default_value = "")]
    pub sops_age_secret: String,
    /// The service account whose identity key services are shown where a Kustomization names none.
    #[arg(long, default_value = "")]
    pub default_decryption_service_account: String,
    /// The service account for clusters of `kubeConfig.configMapRef` that name none of their own.
    #[arg(long, default_value = "")]
    pub default_kubeconfig_service_account: String,
    /// The ConfigMap in the controller's namespace that lists the Vault servers to trust with tokens
    /// of service accounts.
    #[arg(long, default_value = "")]
    pub sops_vault_configmap: String,
    /// Refuse files that were changed after sops wrote them. Flux accepts them.
    #[arg(long, default_value = "true", default_missing_value = "true", num_args = 0..=1, require_equals = true, value_parser = boolean())]
    pub sops_verify_mac: bool,
    /// Which deletions wait until an annotation confirms them.
    #[arg(long, value_enum, default_value = "empty")]
    pub prune_guard: Mode,
    /// With `--prune-guard=full`: deletions of more than this share of an inventory, in percent, wait.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(0..=100))]
    pub prune_guard_share: u8,
    /// Fewer deletions than this never count as many: small inventories are pruned as in Flux.
    #[arg(long, default_value_t = 10)]
    pub prune_guard_minimum: usize,
    /// How long a deletion waits for Kustomizations of the same source that may claim the object at
    /// the same revision; 0s waits for none.
    #[arg(long, default_value = "2m", value_parser = duration)]
    pub hand_over_timeout: Duration,
    /// Apply what can be applied although other objects are refused. Flux applies nothing of a stage.
    #[arg(long, default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, value_parser = boolean())]
    pub best_effort_apply: bool,
    /// Delete objects in the reverse order of application, each stage when those after it are gone.
    /// Flux does not wait.
    #[arg(long, default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, value_parser = boolean())]
    pub ordered_deletion: bool,
    /// Run the programs that a kubeconfig names.
    #[arg(long, default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, value_parser = boolean())]
    pub insecure_kubeconfig_exec: bool,
    /// Accept kubeconfigs that do not verify the server.
    #[arg(long, default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, value_parser = boolean())]
    pub insecure_kubeconfig_tls: bool,
    /// The host and port to read artifacts from instead of the advertised one, for development.
    #[arg(long, env = "SOURCE_CONTROLLER_LOCALHOST", default_value = "", hide = true)]
    pub source_controller_localhost: String,
    /// Where key services are, and who the controller is for them.
    #[command(flatten)]
    pub key_services: key_services::KeyServiceArguments,
    /// The flags that every controller has.
    #[command(flatten)]
    pub flags: Flags,
}

/// The settings that a reconciliation asks for.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) default_service_account: Option<String>,
    pub(crate) no_cross_namespace_refs: bool,
    pub(crate) external_artifacts: bool,
    pub(crate) strict_substitution: bool,
    pub(crate) fail_fast: bool,
    pub(crate) additive_ready_expressions: bool,
    pub(crate) patience: Patience,
    pub(crate) prune_guard: Guard,
    pub(crate) hand_over_timeout: Duration,
    pub(crate) ordered_deletion: bool,
    pub(crate) best_effort_apply: bool,
    pub(crate) sops_age_secret: Option<String>,
    pub(crate) sops_verify_mac: bool,
    pub(crate) sops_vault_config: Option<VaultConfig>,
    pub(crate) default_decryption_service_account: Option<String>,
    pub(crate) key_services: Endpoints,
    pub(crate) ambient: Arc<Ambient>,
    pub(crate) object_level_identity: bool,
    pub(crate) insecure_kubeconfig_exec: bool,
    pub(crate) insecure_kubeconfig_tls: bool,
    /// Where files are kept that are needed for a moment.
    pub(crate) scratch: PathBuf,
    default_kubeconfig_account: Option<String>,
    source_host: Option<String>,
}

impl Arguments {
    /// The settings that these flags mean.
    ///
    /// # Errors
    /// If a feature gate is not known, or service accounts are given that may not be used.
    pub(crate) fn settings(&self) -> Result<Settings, InvalidGates> {
        let gates = self.flags.gates(GATES)?;
        gates.admit_identities(&[
            &self.default_decryption_service_account,
            &self.default_kubeconfig_service_account,
        ])?;
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let patience =
            if gates.enabled("ProgressPerStep") { Patience::NONE } else { Patience::default() };
        Ok(Settings {
            default_service_account: given(&self.default_service_account),
            no_cross_namespace_refs: self.no_cross_namespace_refs,
            external_artifacts: gates.enabled("ExternalArtifact"),
            strict_substitution: gates.enabled("StrictPostBuildSubstitutions"),
            additive_ready_expressions: gates.enabled("AdditiveCELDependencyCheck"),
            fail_fast: !gates.enabled("DisableFailFastBehavior"),
            patience,
            hand_over_timeout: self.hand_over_timeout,
            ordered_deletion: self.ordered_deletion,
            best_effort_apply: self.best_effort_apply,
            prune_guard: Guard {
                mode: self.prune_guard,
                share_percent: self.prune_guard_share,
                minimum: self.prune_guard_minimum,
            },
            sops_age_secret: given(&self.sops_age_secret),
            sops_verify_mac: self.sops_verify_mac,
            sops_vault_config: given(&self.sops_vault_configmap)
                .map(|name| VaultConfig { namespace: self.flags.runtime_namespace.clone(), name }),
            default_decryption_service_account: given(&self.default_decryption_service_account),
            key_services: self.key_services.endpoints(),
            ambient: Arc::new(self.key_services.ambient()),
            object_level_identity: gates.enabled("ObjectLevelWorkloadIdentity"),
            insecure_kubeconfig_exec: self.insecure_kubeconfig_exec,
            insecure_kubeconfig_tls: self.insecure_kubeconfig_tls,
            scratch: std::env::temp_dir(),
            default_kubeconfig_account: given(&self.default_kubeconfig_service_account),
            source_host: given(&self.source_controller_localhost),
        })
    }
}

impl Settings {
    /// How objects may use identities of service accounts on other clusters.
    pub(crate) fn identities(&self) -> Identities<'_> {
        Identities {
            object_level: self.object_level_identity,
            default_account: self.default_kubeconfig_account.as_deref(),
        }
    }

    /// The URL to read an artifact from: the advertised one, or the same path on another host.
    pub(crate) fn artifact_url(&self, advertised: &str) -> String {
        artifact::fetch::address(advertised, self.source_host.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_can_be_read_from_another_host() {
        let parse = |arguments: &[&str]| Arguments::try_parse_from(arguments).unwrap();
        let there = parse(&["x", "--source-controller-localhost=localhost:9"]).settings().unwrap();
        assert_eq!(there.artifact_url("http://svc/a/b.tgz"), "http://localhost:9/a/b.tgz");
        let here = parse(&["x"]).settings().unwrap();
        assert_eq!(here.artifact_url("http://svc/a"), "http://svc/a");
    }

    #[test]
    fn flags_of_flux_are_known() {
        let arguments = [
            "x",
            "--events-addr=http://127.0.0.1:9/",
            "--requeue-dependency=5s",
            "--concurrent=12",
            "--override-manager=helm",
            "--feature-gates=StrictPostBuildSubstitutions=false",
        ];
        let settings = Arguments::try_parse_from(arguments).unwrap().settings().unwrap();
        assert!(!settings.strict_substitution && settings.fail_fast);
        let unknown = Arguments::try_parse_from(["x", "--feature-gates=Nope=true"]).unwrap();
        assert!(unknown.settings().is_err());
    }
}
