//! What is counted: notifications and tokens by provider, requests by server.

mod token_uses;

use std::time::Duration;

use alert_message::Kind;
use crd_types::notification::Provider;
use kube::ResourceExt as _;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use reconcile_loop::metrics::Metrics;

pub(crate) use token_uses::TokenUses;

/// The type of a provider whose type is not known.
const UNKNOWN: &str = "unknown";

/// How notifications ended, by provider.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notifications {
    ended: Family<ProviderLabels, Counter>,
    duplicates: Counter,
    unremembered: Counter,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ProviderLabels {
    namespace: String,
    name: String,
    r#type: &'static str,
    result: &'static str,
}

/// How a notification ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The provider was told.
    Sent,
    /// It was not, though it should have been.
    Failed,
    /// There was no place for it to wait.
    Dropped,
    /// It had not to be: it is suspended, or not told of such events.
    Suppressed,
}

impl Ended {
    const ALL: [Self; 4] = [Self::Sent, Self::Failed, Self::Dropped, Self::Suppressed];

    const fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
            Self::Suppressed => "suppressed",
        }
    }
}

fn labels(of: &Provider, kind: &'static str, ended: Ended) -> ProviderLabels {
    let (namespace, name) = (of.namespace().unwrap_or_default(), of.name_any());
    ProviderLabels { namespace, name, r#type: kind, result: ended.name() }
}

impl Notifications {
    pub(crate) fn register(metrics: &Metrics) -> Self {
        let own = Self::default();
        metrics.with_registry(|registry| {
            registry.register(
                "gotk_notification",
                "Notifications by provider and how they ended",
                own.ended.clone(),
            );
            registry.register(
                "gotk_event_duplicates",
                "Events that were told already",
                own.duplicates.clone(),
            );
            registry.register(
                "gotk_event_unremembered",
                "Failures for whose incidents there was no memory",
                own.unremembered.clone(),
            );
        });
        own
    }

    /// Counts a notification.
    pub(crate) fn count(&self, of: &Provider, ended: Ended) {
        let kind = Kind::named(&of.spec.type_).map_or(UNKNOWN, Kind::name);
        self.ended.get_or_create(&labels(of, kind, ended)).inc();
    }

    /// Forgets what was counted of a Provider that is gone.
    pub(crate) fn forget(&self, provider: &Provider) {
        // Its type may have been another one.
        let kinds = || Kind::all().map(Kind::name).chain([UNKNOWN]);
        for (kind, ended) in kinds().flat_map(|kind| Ended::ALL.map(|ended| (kind, ended))) {
            self.ended.remove(&labels(provider, kind, ended));
        }
    }

    /// Counts an event that was told already.
    pub(crate) fn duplicate(&self) {
        self.duplicates.inc();
    }

    /// Counts a failure that is told as it is, as there is no memory for its incident.
    pub(crate) fn unremembered(&self) {
        self.unremembered.inc();
    }
}

/// Seconds, in Flux's buckets.
const DURATIONS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The requests of one server, with the names that Flux has for them.
#[derive(Clone, Debug)]
pub(crate) struct ServerMetrics {
    duration: Family<RequestLabels, Histogram, fn() -> Histogram>,
    size: Family<RequestLabels, Histogram, fn() -> Histogram>,
    in_flight: Family<HandlerLabels, Gauge>,
    /// What stands for all paths; none if each stands for itself.
    handler: Option<&'static str>,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    service: &'static str,
    handler: String,
    method: String,
    code: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct HandlerLabels {
    service: &'static str,
    handler: String,
}

impl ServerMetrics {
    /// The metrics `gotk_<server>_http_…`.
    pub(crate) fn register(metrics: &Metrics, server: &str, handler: Option<&'static str>) -> Self {
        let own = Self {
            duration: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
            size: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(100.0, 10.0, 8))
            }),
            in_flight: Family::default(),
            handler,
        };
        let prefix = format!("gotk_{server}_http");
        metrics.with_registry(|registry| {
            registry.register(
                format!("{prefix}_request_duration_seconds"),
                "The latency of the HTTP requests",
                own.duration.clone(),
            );
            registry.register(
                format!("{prefix}_response_size_bytes"),
                "The size of the HTTP responses",
                own.size.clone(),
            );
            registry.register(
                format!("{prefix}_requests_inflight"),
                "The number of inflight requests being handled at the same time",
                own.in_flight.clone(),
            );
        });
        own
    }

    /// A request has begun; it has ended when the guard goes.
    pub(crate) fn begin(&self, path: &str) -> UnderWay {
        let labels = HandlerLabels { service: "", handler: self.handler_of(path) };
        let gauge = self.in_flight.get_or_create_owned(&labels);
        gauge.inc();
        UnderWay(gauge)
    }

    /// Counts a request.
    pub(crate) fn ended(&self, path: &str, method: &str, code: u16, took: Duration, bytes: usize) {
        // A stranger may invent methods, and each would be a series of its own.
        let method = match method {
            "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS" => method,
            _ => "other",
        };
        let handler = self.handler_of(path);
        let labels = RequestLabels { service: "", handler, method: method.to_owned(), code };
        self.duration.get_or_create(&labels).observe(took.as_secs_f64());
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        self.size.get_or_create(&labels).observe(bytes.into());
    }

    fn handler_of(&self, path: &str) -> String {
        self.handler.unwrap_or(path).to_owned()
    }
}

/// A request under way.
#[derive(Debug)]
pub(crate) struct UnderWay(Gauge);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use crd_types::notification::ProviderSpec;

    use super::*;

    #[test]
    fn notifications_are_counted_until_the_provider_is_gone() {
        let metrics = Metrics::default();
        let notifications = Notifications::register(&metrics);
        let provider = |name: &str, kind: &str| {
            Provider::new(name, ProviderSpec { type_: kind.to_owned(), ..ProviderSpec::default() })
        };
        for (name, kind) in [("hub", "slack"), ("hub", "none"), ("chat", "slack"), ("chat", "none")]
        {
            for ended in Ended::ALL {
                notifications.count(&provider(name, kind), ended);
            }
        }
        let of = |name: &str| {
            let text = metrics.text();
            let name = format!("name=\"{name}\"");
            text.lines().filter(|line| line.contains(&name)).count()
        };
        assert_eq!((of("hub"), of("chat")), (8, 8));
        notifications.forget(&provider("hub", "matrix"));
        assert_eq!((of("hub"), of("chat")), (0, 8));
    }

    #[test]
    fn requests_have_the_buckets_of_flux() {
        let metrics = Metrics::default();
        let server = ServerMetrics::register(&metrics, "event", Some("/"));
        server.ended("/", "POST", 202, Duration::from_millis(3), 0);
        let text = metrics.text();
        let buckets = |of: &str| {
            let of = format!("gotk_event_http_{of}_bucket");
            let lines = text.lines().filter(|line| line.starts_with(&of));
            let bounds = lines.filter_map(|line| line.split("le=\"").nth(1)?.split('"').next());
            bounds
                .filter_map(|bound| bound.parse::<f64>().ok())
                .filter(|it| it.is_finite())
                .collect::<Vec<_>>()
        };
        assert_eq!(buckets("request_duration_seconds"), DURATIONS);
        assert_eq!(buckets("response_size_bytes"), [1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]);
    }
}
