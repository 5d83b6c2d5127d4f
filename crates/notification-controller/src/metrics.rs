//! What is counted: notifications and tokens by provider, requests by server.

mod token_uses;

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use reconcile_loop::metrics::Metrics;

pub(crate) use token_uses::TokenUses;

/// How notifications ended, by provider.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notifications {
    ended: Family<ProviderLabels, Counter>,
    duplicates: Counter,
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
        });
        own
    }

    /// Counts a notification.
    pub(crate) fn count(&self, namespace: &str, name: &str, kind: &'static str, ended: Ended) {
        let result = match ended {
            Ended::Sent => "sent",
            Ended::Failed => "failed",
            Ended::Dropped => "dropped",
            Ended::Suppressed => "suppressed",
        };
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        let labels = ProviderLabels { namespace, name, r#type: kind, result };
        self.ended.get_or_create(&labels).inc();
    }

    /// Counts an event that was told already.
    pub(crate) fn duplicate(&self) {
        self.duplicates.inc();
    }
}

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
            duration: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.005, 2.0, 12))
            }),
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
