//! The flags of this controller besides the common ones.

mod identity;

use std::net::SocketAddr;
use std::time::Duration;

use clap::Parser;
use key_services::{Ambient, Endpoints, Limits};
use reconcile_loop::flags::{Flags, InvalidGates, address, boolean, duration};

/// Feature gates with their defaults.
const GATES: &[(&str, bool)] = &[
    ("CacheSecretsAndConfigMaps", false),
    ("DisableConfigWatchers", false),
    ("ObjectLevelWorkloadIdentity", false),
    ("ProgressPerStep", false),
];
/// How long a token is kept at most.
const LONGEST: Duration = Duration::from_hours(1);
/// Where events are received, if the flag does not say.
const EVENTS_ADDR: &str = ":9090";

/// Tells people and services what happens, and lets services ask for reconciliations.
#[derive(Clone, Debug, Parser)]
#[command(name = "notification-controller", version)]
pub struct Arguments {
    /// The most reconciliations at once, for each kind.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub concurrent: u16,
    /// The address the webhook receiver endpoint binds to.
    #[arg(long = "receiverAddr", default_value = ":9292", value_parser = address)]
    pub receiver_addr: SocketAddr,
    /// The interval within which an event is not told twice.
    #[arg(long, default_value = "5m", value_parser = duration)]
    pub rate_limit_interval: Duration,
    /// Tell paths of requests in the metrics of the servers; there may be very many of them.
    #[arg(long, default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, value_parser = boolean())]
    pub export_http_path_metrics: bool,
    /// Refuse references to objects of other namespaces.
    #[arg(long, default_value = "false", default_missing_value = "true", num_args = 0..=1, require_equals = true, value_parser = boolean())]
    pub no_cross_namespace_refs: bool,
    /// The service account whose identity is used where a Provider names none.
    #[arg(long, default_value = "")]
    pub default_service_account: String,
    /// How many tokens of clouds and GitHub Apps are kept; none if it is zero.
    #[arg(long, default_value_t = 100)]
    pub token_cache_max_size: u32,
    /// How long such a token is kept at most; an hour if it is more.
    #[arg(long, default_value = "1h", value_parser = duration)]
    pub token_cache_max_duration: Duration,
    /// Who the controller is for clouds.
    #[command(flatten)]
    pub identity: identity::IdentityArguments,
    /// The flags that every controller has. Here, `--events-addr` is where events are received.
    #[command(flatten)]
    pub flags: Flags,
}

/// What the flags mean.
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) events_addr: SocketAddr,
    pub(crate) receiver_addr: SocketAddr,
    pub(crate) rate_limit_interval: Duration,
    pub(crate) paths_in_metrics: bool,
    pub(crate) no_cross_namespace_refs: bool,
    pub(crate) object_level_identity: bool,
    /// The service account of Providers that name none.
    pub(crate) default_service_account: Option<String>,
    /// What is kept of tokens.
    pub(crate) tokens: Limits,
    /// Where clouds hand out tokens.
    pub(crate) endpoints: Endpoints,
    /// Who the controller is for clouds.
    pub(crate) ambient: Ambient,
    /// What the names of Event Hubs of this cloud end with.
    pub(crate) event_hubs: &'static str,
    pub(crate) config_watchers: bool,
}

/// Why the controller cannot run with these flags.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidFlags {
    #[error(transparent)]
    Gates(#[from] InvalidGates),
    #[error("invalid value for --events-addr: {0}")]
    EventsAddr(String),
}

impl Arguments {
    /// The settings that these flags mean.
    ///
    /// # Errors
    /// If a feature gate is not known, a service account is given that may not be used, or the
    /// address for events is none.
    pub(crate) fn settings(&self) -> Result<Settings, InvalidFlags> {
        let gates = self.flags.gates(GATES).map_err(InvalidGates::from)?;
        gates.admit_identities(&[&self.default_service_account])?;
        let events_addr = match self.flags.events_addr.as_str() {
            "" => EVENTS_ADDR,
            given => given,
        };
        Ok(Settings {
            events_addr: address(events_addr).map_err(InvalidFlags::EventsAddr)?,
            receiver_addr: self.receiver_addr,
            rate_limit_interval: self.rate_limit_interval,
            paths_in_metrics: self.export_http_path_metrics,
            no_cross_namespace_refs: self.no_cross_namespace_refs,
            object_level_identity: gates.enabled("ObjectLevelWorkloadIdentity"),
            default_service_account: Some(self.default_service_account.clone())
                .filter(|account| !account.is_empty()),
            tokens: Limits {
                tokens: usize::try_from(self.token_cache_max_size).unwrap_or(usize::MAX),
                longest: self.token_cache_max_duration.min(LONGEST),
            },
            endpoints: self.identity.endpoints(),
            ambient: self.identity.ambient(),
            event_hubs: self.identity.event_hubs(),
            config_watchers: !gates.enabled("DisableConfigWatchers"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_flux_are_known() {
        let defaults = Arguments::try_parse_from(["x"]).unwrap().settings().unwrap();
        assert_eq!((defaults.events_addr.port(), defaults.receiver_addr.port()), (9090, 9292));
        assert_eq!(defaults.rate_limit_interval, Duration::from_mins(5));
        let flags = [
            "x",
            "--events-addr=127.0.0.1:1",
            "--receiverAddr=127.0.0.1:2",
            "--export-http-path-metrics",
            "--no-cross-namespace-refs=true",
            "--feature-gates=DisableConfigWatchers=true",
        ];
        let settings = Arguments::try_parse_from(flags).unwrap().settings().unwrap();
        assert_eq!((settings.events_addr.port(), settings.receiver_addr.port()), (1, 2));
        assert!(settings.no_cross_namespace_refs && !settings.config_watchers);
        let identity = Arguments::try_parse_from(["x", "--default-service-account=me"]).unwrap();
        assert!(identity.settings().is_err());
        let flags = [
            "x",
            "--default-service-account=me",
            "--feature-gates=ObjectLevelWorkloadIdentity=true",
            "--token-cache-max-size=7",
            "--token-cache-max-duration=2h",
        ];
        let settings = Arguments::try_parse_from(flags).unwrap().settings().unwrap();
        assert_eq!(settings.default_service_account.as_deref(), Some("me"));
        assert_eq!((settings.tokens.tokens, settings.tokens.longest), (7, LONGEST));
    }
}
