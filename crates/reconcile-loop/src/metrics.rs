//! Metrics with the names of Flux and controller-runtime.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{
    Histogram, exponential_buckets, exponential_buckets_range,
};
use prometheus_client::registry::Registry;

/// The metrics of a controller.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    duration: Family<ObjectLabels, Histogram, fn() -> Histogram>,
    reconciles: Family<ResultLabels, Counter>,
    errors: Family<ControllerLabels, Counter>,
    panics: Family<ControllerLabels, Counter>,
    time: Family<ControllerLabels, Histogram, fn() -> Histogram>,
    active: Family<ControllerLabels, Gauge>,
    concurrent: Family<ControllerLabels, Gauge>,
    leader: Family<LeaseLabels, Gauge>,
    cpu: Gauge<f64, AtomicU64>,
    resident: Gauge,
}

/// How a reconciliation ended, as controller-runtime counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It failed, and is tried again after a backoff.
    Error,
    /// It comes back after a known time.
    RequeueAfter,
    /// It waits for a change.
    Success,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ObjectLabels {
    kind: String,
    name: String,
    namespace: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ControllerLabels {
    controller: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ResultLabels {
    controller: String,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LeaseLabels {
    name: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let metrics = Self {
            registry: Arc::default(),
            duration: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets_range(0.01, 1800.0, 10))
            }),
            reconciles: Family::default(),
            errors: Family::default(),
            panics: Family::default(),
            time: Family::new_with_constructor(|| {
                Histogram::new(exponential_buckets(0.005, 2.0, 14))
            }),
            active: Family::default(),
            concurrent: Family::default(),
            leader: Family::default(),
            cpu: Gauge::default(),
            resident: Gauge::default(),
        };
        metrics.with_registry(|registry| {
            let controllers = "controller_runtime";
            registry.register(
                "gotk_reconcile_duration_seconds",
                "The duration in seconds of a reconciliation",
                metrics.duration.clone(),
            );
            registry.register(
                format!("{controllers}_reconcile"),
                "Reconciliations by result",
                metrics.reconciles.clone(),
            );
            registry.register(
                format!("{controllers}_reconcile_errors"),
                "Reconciliations that failed",
                metrics.errors.clone(),
            );
            registry.register(
                format!("{controllers}_reconcile_panics"),
                "Reconciliations that panicked",
                metrics.panics.clone(),
            );
            registry.register(
                format!("{controllers}_reconcile_time_seconds"),
                "The duration of reconciliations",
                metrics.time.clone(),
            );
            registry.register(
                format!("{controllers}_active_workers"),
                "Reconciliations under way",
                metrics.active.clone(),
            );
            registry.register(
                format!("{controllers}_max_concurrent_reconciles"),
                "The most reconciliations at once",
                metrics.concurrent.clone(),
            );
            registry.register(
                "leader_election_master_status",
                "Whether this process holds the Lease",
                metrics.leader.clone(),
            );
            registry.register(
                "process_cpu_seconds_total",
                "User and system CPU time spent",
                metrics.cpu.clone(),
            );
            registry.register(
                "process_resident_memory_bytes",
                "Resident memory",
                metrics.resident.clone(),
            );
        });
        metrics
    }
}

impl Metrics {
    /// Adds the metrics of one controller.
    pub fn with_registry(&self, register: impl FnOnce(&mut Registry)) {
        register(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Records that a reconciliation began; the guard records that it ended, however it did.
    pub fn begin(&self, controller: &str) -> Active {
        let gauge = self
            .active
            .get_or_create_owned(&ControllerLabels { controller: controller.to_owned() });
        gauge.inc();
        Active(gauge)
    }

    /// Records how a reconciliation ended.
    pub fn ended(&self, controller: &str, outcome: Outcome, took: Duration) {
        let labels = ControllerLabels { controller: controller.to_owned() };
        let result = match outcome {
            Outcome::Error => "error",
            Outcome::RequeueAfter => "requeue_after",
            Outcome::Success => "success",
        };
        if outcome == Outcome::Error {
            self.errors.get_or_create(&labels).inc();
        }
        self.time.get_or_create(&labels).observe(took.as_secs_f64());
        self.reconciles
            .get_or_create(&ResultLabels { controller: labels.controller, result })
            .inc();
    }

    /// Records how long the reconciliation of one object took.
    pub fn observe(&self, kind: &str, namespace: &str, name: &str, took: Duration) {
        self.duration.get_or_create(&object(kind, namespace, name)).observe(took.as_secs_f64());
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, kind: &str, namespace: &str, name: &str) {
        self.duration.remove(&object(kind, namespace, name));
    }

    /// Counts a panic.
    pub fn panicked(&self, controller: &str) {
        let labels = ControllerLabels { controller: controller.to_owned() };
        self.panics.get_or_create(&labels).inc();
    }

    /// Records the size of a worker pool.
    pub fn pool(&self, controller: &str, workers: u16) {
        let labels = ControllerLabels { controller: controller.to_owned() };
        self.concurrent.get_or_create(&labels).set(workers.into());
    }

    /// Records whether this process holds the Lease.
    pub fn leads(&self, lease: &str, leads: bool) {
        self.leader.get_or_create(&LeaseLabels { name: lease.to_owned() }).set(leads.into());
    }

    /// All metrics in the text format of Prometheus.
    pub fn text(&self) -> String {
        if let Some(usage) = Usage::read() {
            self.cpu.set(usage.cpu_seconds);
            self.resident.set(usage.resident_bytes);
        }
        let mut text = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        if encode(&mut text, &registry).is_err() {
            tracing::error!("metrics could not be printed");
        }
        text
    }
}

/// A reconciliation under way.
#[derive(Debug)]
pub struct Active(Gauge);

impl Drop for Active {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// What the kernel says this process has used.
struct Usage {
    cpu_seconds: f64,
    resident_bytes: i64,
}

impl Usage {
    /// Reads the figures of Linux; none elsewhere.
    fn read() -> Option<Self> {
        // Linux prints times in hundredths of a second and memory in pages of 4 KiB on all
        // architectures that we build for.
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index)?.parse::<f64>().ok();
        let pages: i64 = fields.get(21)?.parse().ok()?;
        Some(Self {
            cpu_seconds: (ticks(11)? + ticks(12)?) / 100.0,
            resident_bytes: pages.saturating_mul(4096),
        })
    }
}

fn object(kind: &str, namespace: &str, name: &str) -> ObjectLabels {
    ObjectLabels { kind: kind.to_owned(), name: name.to_owned(), namespace: namespace.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_dashboards_know() {
        let metrics = Metrics::default();
        metrics.ended("kustomization", Outcome::Error, Duration::from_millis(20));
        metrics.observe("Kustomization", "ns", "app", Duration::from_millis(20));
        let text = metrics.text();
        for line in [
            "gotk_reconcile_duration_seconds_count{kind=\"Kustomization\",name=\"app\",namespace=\"ns\"} 1",
            "controller_runtime_reconcile_total{controller=\"kustomization\",result=\"error\"} 1",
            "controller_runtime_reconcile_errors_total{controller=\"kustomization\"} 1",
        ] {
            assert!(text.contains(line), "{line} not in\n{text}");
        }
        metrics.forget("Kustomization", "ns", "app");
        assert!(!metrics.text().contains("name=\"app\""));
    }
}
