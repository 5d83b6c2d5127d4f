//! The flags of this controller besides the common ones.

use std::time::Duration;

use clap::Parser;
use cluster_apply::Identities;
use reconcile_loop::flags::{Flags, InvalidGates, boolean, duration};
use reconcile_loop::progress::Patience;

/// Feature gates with their defaults.
const GATES: &[(&str, bool)] = &[
    ("AdditiveCELDependencyCheck", false),
    ("AdoptLegacyReleases", false),
    ("AllowDNSLookups", false),
    ("CacheSecretsAndConfigMaps", false),
    ("CancelHealthCheckOnNewRevision", false),
    ("CorrectDrift", true),
    ("DefaultToRetryOnFailure", false),
    ("DetectDrift", false),
    ("DirectSourceFetch", false),
    ("DisableChartDigestTracking", false),
    ("DisableConfigWatchers", false),
    ("ExternalArtifact", false),
    ("OOMWatch", false),
    ("ObjectLevelWorkloadIdentity", false),
    ("ProgressPerStep", false),
    ("UseHelm3Defaults", false),
];

/// Installs, upgrades and removes the releases of Helm charts.
#[derive(Clone, Debug, Parser)]
#[command(name = "helm-controller", version)]
pub struct Arguments {
    /// The most reconciliations at once.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub concurrent: u16,
    /// How often a failed download of an artifact is repeated.
    #[arg(long, default_value_t = 9)]
    pub http_retry: u32,
    /// How long the artifact server may be silent.
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub http_timeout: Duration,
    /// The service account to act as where a HelmRelease names none.
    #[arg(long, default_value = "")]
    pub default_service_account: String,
    /// The service account for kubeconfigs without one of their own.
    #[arg(long, default_value = "")]
    pub default_kubeconfig_service_account: String,
    /// Accepted for compatibility: what is under way is persisted, so an end is never harmful.
    #[arg(long, default_value = "600s", value_parser = duration)]
    pub graceful_shutdown_timeout: Duration,
    /// Accepted for compatibility: memory is bounded by what is admitted at once.
    #[arg(long, default_value_t = 95)]
    pub oom_watch_memory_threshold: u8,
    /// Accepted for compatibility.
    #[arg(long, default_value = "500ms", value_parser = duration)]
    pub oom_watch_interval: Duration,
    /// Accepted for compatibility.
    #[arg(long, default_value = "")]
    pub oom_watch_max_memory_path: String,
    /// Accepted for compatibility.
    #[arg(long, default_value = "")]
    pub oom_watch_current_memory_path: String,
    /// Accepted for compatibility: the digests in the status are of SHA-256.
    #[arg(long, default_value = "sha256", value_parser = ["sha256", "sha384", "sha512"])]
    pub snapshot_digest_algo: String,
    /// Field managers whose fields are taken over where drift is looked for.
    #[arg(long, value_delimiter = ',')]
    pub override_manager: Vec<String>,
    /// Accepted for compatibility: nothing is cached here that would need a bound.
    #[arg(long, default_value_t = 100)]
    pub token_cache_max_size: u32,
    /// Refuse references to objects of other namespaces.
    #[arg(long, default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, value_parser = boolean())]
    pub no_cross_namespace_refs: bool,
    /// Run the programs that a kubeconfig names.
    #[arg(long, default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, value_parser = boolean())]
    pub insecure_kubeconfig_exec: bool,
    /// Accept kubeconfigs that do not verify the server.
    #[arg(long, default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, value_parser = boolean())]
    pub insecure_kubeconfig_tls: bool,
    /// The host and port to read artifacts from instead of the advertised one, for development.
    #[arg(long, env = "SOURCE_CONTROLLER_LOCALHOST", default_value = "", hide = true)]
    pub source_controller_localhost: String,
    /// The same for the artifacts of source-watcher.
    #[arg(long, env = "SOURCE_WATCHER_LOCALHOST", default_value = "", hide = true)]
    pub source_watcher_localhost: String,
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
    pub(crate) direct_source_fetch: bool,
    /// Versions of charts from OCI registries say nothing of the digest.
    pub(crate) plain_chart_versions: bool,
    pub(crate) config_watchers: bool,
    pub(crate) helm3_defaults: bool,
    pub(crate) dns_lookups: bool,
    pub(crate) retry_by_default: bool,
    /// Whether a change ends the wait of what it makes obsolete.
    pub(crate) cancel_health_checks: bool,
    pub(crate) additive_dependency_check: bool,
    pub(crate) patience: Patience,
    pub(crate) insecure_kubeconfig_exec: bool,
    pub(crate) insecure_kubeconfig_tls: bool,
    object_level_identity: bool,
    default_kubeconfig_account: Option<String>,
    source_host: Option<String>,
    watcher_host: Option<String>,
}

impl Arguments {
    /// The settings that these flags mean.
    ///
    /// # Errors
    /// If a feature gate is not known, or service accounts are given that may not be used.
    pub(crate) fn settings(&self) -> Result<Settings, InvalidGates> {
        let gates = self.flags.gates(GATES)?;
        gates.admit_identities(&[&self.default_kubeconfig_service_account])?;
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let patience =
            if gates.enabled("ProgressPerStep") { Patience::NONE } else { Patience::default() };
        Ok(Settings {
            default_service_account: given(&self.default_service_account),
            no_cross_namespace_refs: self.no_cross_namespace_refs,
            external_artifacts: gates.enabled("ExternalArtifact"),
            direct_source_fetch: gates.enabled("DirectSourceFetch"),
            plain_chart_versions: gates.enabled("DisableChartDigestTracking"),
            config_watchers: !gates.enabled("DisableConfigWatchers"),
            helm3_defaults: gates.enabled("UseHelm3Defaults"),
            dns_lookups: gates.enabled("AllowDNSLookups"),
            cancel_health_checks: gates.enabled("CancelHealthCheckOnNewRevision"),
            retry_by_default: gates.enabled("DefaultToRetryOnFailure"),
            additive_dependency_check: gates.enabled("AdditiveCELDependencyCheck"),
            patience,
            insecure_kubeconfig_exec: self.insecure_kubeconfig_exec,
            insecure_kubeconfig_tls: self.insecure_kubeconfig_tls,
            object_level_identity: gates.enabled("ObjectLevelWorkloadIdentity"),
            default_kubeconfig_account: given(&self.default_kubeconfig_service_account),
            source_host: given(&self.source_controller_localhost),
            watcher_host: given(&self.source_watcher_localhost),
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
        let host = if advertised.contains("//source-watcher") {
            &self.watcher_host
        } else {
            &self.source_host
        };
        artifact::fetch::address(advertised, host.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_artifact_can_be_read_from_another_host() {
        let parse = |arguments: &[&str]| Arguments::try_parse_from(arguments).unwrap();
        let flags = ["x", "--source-controller-localhost=a:9", "--source-watcher-localhost=b:9"];
        let there = parse(&flags).settings().unwrap();
        assert_eq!(there.artifact_url("http://svc/a/b.tgz"), "http://a:9/a/b.tgz");
        assert_eq!(there.artifact_url("http://source-watcher.ns/x"), "http://b:9/x");
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
            "--http-timeout=1m",
            "--graceful-shutdown-timeout=10m",
            "--oom-watch-interval=1s",
            "--snapshot-digest-algo=sha512",
            "--override-manager=kubectl-client-side-apply",
            "--feature-gates=ExternalArtifact=true,DetectDrift=true,OOMWatch=true",
        ];
        let settings = Arguments::try_parse_from(arguments).unwrap().settings().unwrap();
        assert!(settings.external_artifacts && settings.config_watchers);
        let unknown = Arguments::try_parse_from(["x", "--feature-gates=Nope=true"]).unwrap();
        assert!(unknown.settings().is_err());
        let account = "--default-kubeconfig-service-account=tenant";
        let parse = |arguments: &[&str]| Arguments::try_parse_from(arguments).unwrap().settings();
        let refused = parse(&["x", account]).unwrap_err().to_string();
        assert!(refused.contains("ObjectLevelWorkloadIdentity is not enabled"), "{refused}");
        let gate = "--feature-gates=ObjectLevelWorkloadIdentity=true";
        let identities = parse(&["x", account, gate]).unwrap();
        assert_eq!(identities.identities().default_account, Some("tenant"));
    }
}
