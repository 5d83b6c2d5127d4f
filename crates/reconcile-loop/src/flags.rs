//! The flags that every controller has, with the names and defaults of the Go controllers.

use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use clap::Args;
use clap::builder::{BoolishValueParser, TypedValueParser as _};
use kube::runtime::watcher;

/// Flags common to all controllers.
#[derive(Clone, Debug, Args)]
pub struct Flags {
    /// The address the metric endpoint binds to.
    #[arg(long, env = "METRICS_ADDR", default_value = ":8080", value_parser = address)]
    pub metrics_addr: SocketAddr,
    /// The address of the events receiver; empty sends no events.
    #[arg(long, env = "EVENTS_ADDR", default_value = "")]
    pub events_addr: String,
    /// The address the health endpoint binds to.
    #[arg(long, default_value = ":9440", value_parser = address)]
    pub health_addr: SocketAddr,
    /// How long to wait before a dependency that is not ready is looked at again.
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub requeue_dependency: Duration,
    /// Log level: trace, debug, info or error.
    #[arg(long, default_value = "info", value_parser = ["trace", "debug", "info", "error"])]
    pub log_level: String,
    /// Log encoding: json or console.
    #[arg(long, default_value = "json", value_parser = ["json", "console"])]
    pub log_encoding: String,
    /// Hold a Lease, so that only one replica is active.
    #[arg(long, default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, value_parser = boolean())]
    pub enable_leader_election: bool,
    /// Give the Lease back on shutdown.
    #[arg(long, default_value = "true", default_missing_value = "true", num_args = 0..=1, require_equals = true, value_parser = boolean())]
    pub leader_election_release_on_cancel: bool,
    /// How long a replica waits before it takes over a Lease that is not renewed.
    #[arg(long, default_value = "35s", value_parser = duration)]
    pub leader_election_lease_duration: Duration,
    /// How long the holder goes on without a renewal before it steps down.
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub leader_election_renew_deadline: Duration,
    /// How long to wait between two looks at the Lease.
    #[arg(long, default_value = "5s", value_parser = duration)]
    pub leader_election_retry_period: Duration,
    /// Watch all namespaces; otherwise only the one in `RUNTIME_NAMESPACE`.
    #[arg(long, default_value = "true", default_missing_value = "true", num_args = 0..=1, require_equals = true, value_parser = boolean())]
    pub watch_all_namespaces: bool,
    /// Watch only objects with these labels, as in `sharding.fluxcd.io/key=shard1`.
    #[arg(long, default_value = "")]
    pub watch_label_selector: String,
    /// Accepted for compatibility: what an object refers to is watched, whatever its labels.
    #[arg(long, default_value = "reconcile.fluxcd.io/watch=Enabled")]
    pub watch_configs_label_selector: String,
    /// After how long the API server is to end a watch, which is then opened again. One that is silent
    /// for longer is dead, although nobody said so.
    #[arg(long, default_value = "290s", value_parser = watch_timeout)]
    pub watch_timeout: Duration,
    /// The first delay after a failure; it doubles up to `--max-retry-delay`.
    #[arg(long, default_value = "750ms", value_parser = duration)]
    pub min_retry_delay: Duration,
    /// The longest delay after repeated failures.
    #[arg(long, default_value = "15m", value_parser = duration)]
    pub max_retry_delay: Duration,
    /// By how many percent an interval varies in either direction; 0 turns jitter off.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(0..100))]
    pub interval_jitter_percentage: u8,
    /// Accepted for compatibility: the API server's own priority and fairness limits requests.
    #[arg(long, default_value_t = 50.0)]
    pub kube_api_qps: f32,
    /// Accepted for compatibility: the API server's own priority and fairness limits requests.
    #[arg(long, default_value_t = 300)]
    pub kube_api_burst: u32,
    /// Feature gates, as in `A=true,B=false`.
    #[arg(long, value_delimiter = ',', value_parser = gate)]
    pub feature_gates: Vec<(String, bool)>,
    /// The namespace the controller runs in.
    #[arg(long, env = "RUNTIME_NAMESPACE", default_value = "flux-system", hide = true)]
    pub runtime_namespace: String,
}

/// A feature gate that the controller does not have.
#[derive(Debug, thiserror::Error)]
#[error("feature-gate '{name}' not supported")]
pub struct UnknownGate {
    /// The gate as it was written.
    pub name: String,
}

/// Why the feature gates cannot be as they are given.
#[derive(Debug, thiserror::Error)]
pub enum InvalidGates {
    /// There is no such gate.
    #[error(transparent)]
    Unknown(#[from] UnknownGate),
    /// Objects may not use service accounts, yet they are given some.
    #[error(
        "cannot set default service accounts when the feature gate ObjectLevelWorkloadIdentity is \
         not enabled"
    )]
    Identities,
}

impl Flags {
    /// The state of a feature gate of this controller.
    ///
    /// `known` holds every gate with its default.
    ///
    /// # Errors
    /// If a gate was given that the controller does not have.
    pub fn gates(&self, known: &[(&'static str, bool)]) -> Result<Gates, UnknownGate> {
        let mut gates = known.to_vec();
        for (name, enabled) in &self.feature_gates {
            match gates.iter_mut().find(|(gate, _)| gate == name) {
                Some((_, state)) => *state = *enabled,
                None => return Err(UnknownGate { name: name.clone() }),
            }
        }
        Ok(Gates(gates))
    }

    /// How objects are watched.
    pub(crate) fn watch_config(&self) -> watcher::Config {
        let seconds = u32::try_from(self.watch_timeout.as_secs()).unwrap_or(u32::MAX);
        watcher::Config::default().timeout(seconds)
    }

    /// The namespace to watch; none for all of them.
    pub(crate) fn watched_namespace(&self) -> Option<&str> {
        (!self.watch_all_namespaces).then_some(self.runtime_namespace.as_str())
    }
}

/// The feature gates of a controller and their state.
#[derive(Clone, Debug)]
pub struct Gates(Vec<(&'static str, bool)>);

impl Gates {
    /// Whether a gate is on; one that does not exist is off.
    pub fn enabled(&self, gate: &str) -> bool {
        self.0.iter().any(|(name, state)| *name == gate && *state)
    }

    /// Accepts the service accounts whose identities objects are to use by default; empty ones are
    /// none.
    ///
    /// # Errors
    /// If there is one although `ObjectLevelWorkloadIdentity` is off. Flux does not start then
    /// either: tenants would have the controller's identity.
    pub fn admit_identities(&self, accounts: &[&str]) -> Result<(), InvalidGates> {
        let is_given = accounts.iter().any(|account| !account.is_empty());
        if is_given && !self.enabled("ObjectLevelWorkloadIdentity") {
            return Err(InvalidGates::Identities);
        }
        Ok(())
    }
}

/// Reads an address as Go does: the host may be absent, which means all of them.
///
/// # Errors
/// If it is no `host:port`.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    if let Some(port) = text.strip_prefix(':') {
        let port = port.parse().map_err(|_invalid| format!("`{port}` is not a port"))?;
        return Ok(SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)));
    }
    let text = text.replacen("localhost:", "127.0.0.1:", 1);
    text.parse().map_err(|_invalid| format!("`{text}` is not an address, want host:port"))
}

/// Reads a duration as Go does.
///
/// # Errors
/// If it is no duration, or a negative one.
pub fn duration(text: &str) -> Result<Duration, String> {
    let parsed = go_duration::parse(text).map_err(|error| error.to_string())?;
    Duration::try_from(parsed).map_err(|_negative| format!("`{text}` is negative"))
}

/// How long a watch may last, in whole seconds. The client allows no more.
fn watch_timeout(text: &str) -> Result<Duration, String> {
    let limit = duration(text)?;
    if limit.subsec_nanos() != 0 || !(1..=290).contains(&limit.as_secs()) {
        return Err(format!("`{text}` is not a number of seconds from 1s to 290s"));
    }
    Ok(limit)
}

/// Booleans as Go's flags take them: `--x`, `--x=true`, `--x=false`.
pub fn boolean() -> impl clap::builder::TypedValueParser<Value = bool> {
    BoolishValueParser::new().map(|value| value)
}

fn gate(text: &str) -> Result<(String, bool), String> {
    let (name, state) = text.split_once('=').unwrap_or((text, "true"));
    let state = state.parse().map_err(|_invalid| format!("`{state}` is neither true nor false"))?;
    Ok((name.trim().to_owned(), state))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        flags: Flags,
    }

    fn parse(arguments: &[&str]) -> Result<Flags, clap::Error> {
        let all = std::iter::once("program").chain(arguments.iter().copied());
        Program::try_parse_from(all).map(|program| program.flags)
    }

    #[test]
    fn defaults_are_those_of_the_go_controllers() {
        let flags = parse(&[]).unwrap();
        assert_eq!(flags.metrics_addr.port(), 8080);
        assert_eq!(flags.requeue_dependency, Duration::from_secs(30));
        assert_eq!(flags.max_retry_delay, Duration::from_mins(15));
        assert!(flags.watch_all_namespaces && !flags.enable_leader_election);
    }

    #[test]
    fn booleans_need_no_value() {
        assert!(parse(&["--enable-leader-election"]).unwrap().enable_leader_election);
        assert!(!parse(&["--watch-all-namespaces=false"]).unwrap().watch_all_namespaces);
    }

    #[test]
    fn an_unknown_flag_or_gate_is_an_error() {
        assert!(parse(&["--no-such-flag"]).is_err());
        assert!(parse(&["--watch-timeout=1s"]).is_ok());
        for wrong in ["0s", "1500ms", "5m"] {
            assert!(parse(&[&format!("--watch-timeout={wrong}")]).is_err(), "{wrong}");
        }
        let flags = parse(&["--feature-gates=A=true,B=false"]).unwrap();
        assert!(flags.gates(&[("A", false), ("B", true)]).unwrap().enabled("A"));
        let error = flags.gates(&[("A", false)]).unwrap_err();
        assert_eq!(error.to_string(), "feature-gate 'B' not supported");
    }
}
