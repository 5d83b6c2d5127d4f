//! The flags of this controller besides the common ones.

use std::{path::PathBuf, time::Duration};

use artifact::{Algorithm, digest, store::Retention};
use clap::Parser;
use reconcile_loop::{
    events::host_name,
    flags::{Flags, UnknownGate, duration},
    progress::Patience,
};

use crate::indexes;

/// Feature gates with their defaults.
const GATES: &[(&str, bool)] = &[
    ("CacheSecretsAndConfigMaps", false),
    ("ObjectLevelWorkloadIdentity", false),
    ("ProgressPerStep", false),
];

/// Makes artifacts from sources.
#[derive(Clone, Debug, Parser)]
#[command(name = "source-controller", version)]
pub struct Arguments {
    /// The most reconciliations at once, for each kind.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    pub concurrent: u16,
    /// The directory that artifacts are stored in.
    #[arg(long, env = "STORAGE_PATH", default_value = "/data")]
    pub storage_path: PathBuf,
    /// The address the artifact server binds to.
    #[arg(long, env = "STORAGE_ADDRESS", default_value = ":9090")]
    pub storage_addr: String,
    /// The address that artifacts are advertised under.
    #[arg(long, env = "STORAGE_ADV_ADDR", default_value = "")]
    pub storage_adv_addr: String,
    /// How long a superseded artifact stays.
    #[arg(long, default_value = "60s", value_parser = duration)]
    pub artifact_retention_ttl: Duration,
    /// How many artifacts of an object stay within that time.
    #[arg(long, default_value_t = 2)]
    pub artifact_retention_records: usize,
    /// How the digests of artifacts are computed: sha256, sha384, sha512 or blake3.
    #[arg(long, default_value = "sha256")]
    pub artifact_digest_algo: String,
    /// The service account to act as where an object names none.
    #[arg(long, default_value = "")]
    pub default_service_account: String,
    /// The largest index of a Helm repository, in bytes.
    #[arg(long, default_value_t = 50 << 20)]
    pub helm_index_max_size: u64,
    /// The largest chart, in bytes.
    #[arg(long, default_value_t = 10 << 20)]
    pub helm_chart_max_size: u64,
    /// The largest file of a chart, in bytes.
    #[arg(long, default_value_t = 5 << 20)]
    pub helm_chart_file_max_size: u64,
    /// How many indexes of Helm repositories are kept in memory.
    #[arg(long, default_value_t = 0)]
    pub helm_cache_max_size: u32,
    /// How long they are kept.
    #[arg(long, default_value = "15m", value_parser = duration)]
    pub helm_cache_ttl: Duration,
    /// How often old ones are looked for.
    #[arg(long, default_value = "1m", value_parser = duration)]
    pub helm_cache_purge_interval: Duration,
    /// The key exchange algorithms for SSH.
    #[arg(long, value_delimiter = ',')]
    pub ssh_kex_algos: Vec<String>,
    /// The host key algorithms for SSH.
    #[arg(long, value_delimiter = ',')]
    pub ssh_hostkey_algos: Vec<String>,
    /// How many tokens of cloud providers are kept.
    #[arg(long, default_value_t = 100)]
    pub token_cache_max_size: u32,
    /// The longest time they are kept.
    #[arg(long, default_value = "1h", value_parser = duration)]
    pub token_cache_max_duration: Duration,
    /// The flags that every controller has.
    #[command(flatten)]
    pub flags: Flags,
}

/// The settings that a reconciliation asks for.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) digest_algorithm: Algorithm,
    pub(crate) retention: Retention,
    pub(crate) patience: Patience,
    /// What charts may weigh.
    pub(crate) helm: HelmLimits,
    /// Which indexes are kept in memory.
    pub(crate) indexes: indexes::Settings,
    /// Where artifacts are advertised, with scheme and without a slash at the end.
    base_url: String,
}

/// What charts may weigh, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HelmLimits {
    /// The index of a repository.
    pub(crate) index: u64,
    /// The archive of a chart.
    pub(crate) chart: u64,
    /// One file of a chart.
    pub(crate) file: u64,
}

/// Why the controller cannot run with these flags.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidFlags {
    /// A gate that there is not.
    #[error(transparent)]
    Gate(#[from] UnknownGate),
    /// An algorithm that there is not, or not any more.
    #[error("invalid value `{name}` for --artifact-digest-algo")]
    DigestAlgorithm {
        /// As written.
        name: String,
        /// What is wrong with it.
        source: digest::ParseError,
    },
}

impl Arguments {
    /// The settings that these flags mean.
    ///
    /// # Errors
    /// If a feature gate or the digest algorithm is not known.
    pub(crate) fn settings(&self) -> Result<Settings, InvalidFlags> {
        let gates = self.flags.gates(GATES)?;
        let name = &self.artifact_digest_algo;
        let digest_algorithm = name
            .parse()
            .map_err(|source| InvalidFlags::DigestAlgorithm { name: name.clone(), source })?;
        let patience =
            if gates.enabled("ProgressPerStep") { Patience::NONE } else { Patience::default() };
        Ok(Settings {
            digest_algorithm,
            retention: Retention {
                ttl: self.artifact_retention_ttl,
                records: self.artifact_retention_records,
            },
            patience,
            helm: HelmLimits {
                index: self.helm_index_max_size,
                chart: self.helm_chart_max_size,
                file: self.helm_chart_file_max_size,
            },
            indexes: indexes::Settings {
                max_count: usize::try_from(self.helm_cache_max_size).unwrap_or(usize::MAX),
                ttl: self.helm_cache_ttl,
                purge_interval: self.helm_cache_purge_interval,
            },
            base_url: base_url(&self.storage_adv_addr, &self.storage_addr),
        })
    }
}

/// The advertised address, or one made from the address that is listened on.
fn base_url(advertised: &str, listened: &str) -> String {
    if advertised.starts_with("http://") || advertised.starts_with("https://") {
        return advertised.trim_end_matches('/').to_owned();
    }
    if !advertised.is_empty() {
        return format!("http://{}", advertised.trim_end_matches('/'));
    }
    let (host, port) = listened.rsplit_once(':').unwrap_or((listened, "9090"));
    let host = match host {
        "" => "localhost".to_owned(),
        "0.0.0.0" | "[::]" => host_name(),
        host => host.to_owned(),
    };
    format!("http://{host}:{port}")
}

impl Settings {
    /// The URL of the artifact at `path`.
    pub(crate) fn artifact_url(&self, path: &str) -> String {
        format!("{}/{path}", self.base_url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifacts_are_advertised_where_they_can_be_reached() {
        for (advertised, listened, url) in [
            ("", ":9090", "http://localhost:9090"),
            ("", "127.0.0.1:81", "http://127.0.0.1:81"),
            ("source.flux-system.svc.", ":9090", "http://source.flux-system.svc."),
            ("https://x/", ":9090", "https://x"),
        ] {
            assert_eq!(base_url(advertised, listened), url);
        }
    }

    #[test]
    fn flags_of_flux_are_known() {
        let arguments = [
            "x",
            "--storage-path=/tmp/x",
            "--storage-addr=127.0.0.1:1",
            "--requeue-dependency=5s",
            "--concurrent=8",
            "--helm-cache-max-size=10",
            "--feature-gates=ProgressPerStep=true",
        ];
        let settings = Arguments::try_parse_from(arguments).unwrap().settings().unwrap();
        assert!(settings.patience.is_none());
        let sha1 = Arguments::try_parse_from(["x", "--artifact-digest-algo=sha1"]).unwrap();
        assert!(sha1.settings().is_err());
    }
}
