//! Events: to the cluster, and to the notification controller.
//!
//! A reconciliation hands its events over and goes on. Two queues, both bounded, carry them out in
//! order: one to the API server, one to the event receiver, so that a receiver that hangs delays
//! nothing else.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use k8s_openapi::api::core::v1::{Event as ClusterEvent, EventSource, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, Resource};
use serde_json::json;
use tokio::sync::mpsc;

use crate::redact::redact;

/// Annotations with this prefix are copied from an object to its events.
const METADATA_PREFIX: &str = "event.toolkit.fluxcd.io/";
/// Limit: events that wait for the API server; if it is slow, the reconciler then waits too.
const QUEUE: usize = 1024;
/// Limit: events that wait for the receiver; what it cannot take is dropped and logged. One commit may
/// concern thousands of objects at once.
const RECEIVER_QUEUE: usize = 16 * 1024;
/// Limit: distinct events whose repeats are counted rather than written again.
const REMEMBERED: usize = 4096;
const POST_TIMEOUT: Duration = Duration::from_secs(5);
const POST_RETRIES: u32 = 4;

/// How much an event matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Of use to whoever looks at the object; sent to no channel.
    Trace,
    /// News.
    Info,
    /// Something failed.
    Error,
}

/// Something worth telling about an object, as a reconciliation knows it.
///
/// Not an [`event_api::Event`]: that is what travels, with the object, the time and who says so, which
/// [`Recorder::publish`] adds, and with severities of others. An event of the cluster is made of this
/// one too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// How much it matters.
    pub severity: Severity,
    /// The reason, as conditions have it.
    pub reason: String,
    /// What happened.
    pub message: String,
    /// More facts, by annotation key.
    pub metadata: BTreeMap<String, String>,
}

impl Event {
    /// An event without further facts.
    pub fn new(severity: Severity, reason: impl Into<String>, message: impl Into<String>) -> Self {
        let (reason, message) = (reason.into(), message.into());
        Self { severity, reason, message, metadata: BTreeMap::new() }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.metadata.insert(key.to_owned(), value.into());
        self
    }
}

/// Takes the events of a controller.
#[derive(Clone, Debug)]
pub struct Recorder {
    cluster: mpsc::Sender<Occurrence>,
    receiver: Option<mpsc::Sender<Occurrence>>,
    /// How many events are handed over but not carried out.
    waiting: Arc<AtomicUsize>,
}

/// An event and the object it is about.
#[derive(Clone, Debug)]
struct Occurrence {
    about: ObjectReference,
    event: Event,
    at: jiff::Timestamp,
}

impl Recorder {
    /// Starts the queues of a controller. `receiver` is the address of the event receiver; empty
    /// for none.
    pub fn start(client: Client, controller: &'static str, receiver: &str) -> Self {
        let (cluster, occurrences) = mpsc::channel(QUEUE);
        let waiting = Arc::new(AtomicUsize::new(0));
        tokio::spawn(write_all(client, controller, occurrences, Arc::clone(&waiting)));
        let receiver = (!receiver.is_empty()).then(|| {
            let (sender, occurrences) = mpsc::channel(RECEIVER_QUEUE);
            let waiting = Arc::clone(&waiting);
            tokio::spawn(post_all(receiver.to_owned(), controller, occurrences, waiting));
            sender
        });
        Self { cluster, receiver, waiting }
    }

    /// Comes back when all events are carried out, or after `patience`.
    pub async fn drain(&self, patience: Duration) {
        let drained = async {
            while self.waiting.load(Ordering::Relaxed) > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(patience, drained).await.is_err() {
            tracing::error!("some events were not sent");
        }
    }

    /// Hands an event over. Waits only when a queue is full.
    pub async fn publish<K: Resource<DynamicType = ()>>(&self, object: &K, mut event: Event) {
        for (key, value) in object.meta().annotations.iter().flatten() {
            if key.starts_with(METADATA_PREFIX) {
                event.metadata.insert(key.clone(), value.clone());
            }
        }
        event.message = redact(&event.message).into_owned();
        let at = jiff::Timestamp::now();
        let resource_version = object.meta().resource_version.clone();
        let about = ObjectReference { resource_version, ..object.object_ref(&()) };
        let occurrence = Occurrence { about, event, at };
        if let Some(receiver) = &self.receiver
            && occurrence.event.severity != Severity::Trace
        {
            // A receiver that is down must not hold up the work that it would hear of.
            self.waiting.fetch_add(1, Ordering::Relaxed);
            if receiver.try_send(occurrence.clone()).is_err() {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                tracing::error!("the receiver of events is too slow, an event is dropped");
            }
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        if self.cluster.send(occurrence).await.is_err() {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            tracing::debug!("the process ends, an event is dropped");
        }
    }
}

/// An event that is being carried out; counts it off when that has ended, however it did.
struct CarriedOut<'a>(&'a AtomicUsize);

impl Drop for CarriedOut<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Writes events to the cluster, one after the other.
async fn write_all(
    client: Client,
    controller: &'static str,
    mut occurrences: mpsc::Receiver<Occurrence>,
    waiting: Arc<AtomicUsize>,
) {
    let mut written: HashMap<u64, (String, i32)> = HashMap::new();
    let mut sequence = 0_u64;
    while let Some(Occurrence { about, event, at }) = occurrences.recv().await {
        let _carried_out = CarriedOut(&waiting);
        let namespace = about.namespace.as_deref().unwrap_or("default");
        let api = Api::<ClusterEvent>::namespaced(client.clone(), namespace);
        let key = likeness(&about, &event);
        if let Some((name, count)) = written.get_mut(&key) {
            *count += 1;
            let patch = json!({"count": *count, "lastTimestamp": Time(at)});
            let repeated = api.patch(name, &PatchParams::default(), &Patch::Merge(patch)).await;
            if repeated.is_ok() {
                continue;
            }
            // The event has expired, so the next one is the first again.
            written.remove(&key);
        }
        sequence += 1;
        let name = format!(
            "{}.{:x}{:04x}",
            about.name.as_deref().unwrap_or_default(),
            at.as_nanosecond(),
            sequence & 0xffff,
        );
        let record = cluster_event(&name, controller, about, event, at);
        match api.create(&PostParams::default(), &record).await {
            Ok(_) => {
                if written.len() >= REMEMBERED {
                    written.clear();
                }
                written.insert(key, (name, 1));
            }
            Err(error) => tracing::debug!(%error, "an event was not written"),
        }
    }
}

/// What makes two occurrences the same event.
fn likeness(about: &ObjectReference, event: &Event) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&about.uid, &about.kind, event.severity == Severity::Error).hash(&mut hasher);
    (&event.reason, &event.message, &event.metadata).hash(&mut hasher);
    hasher.finish()
}

fn cluster_event(
    name: &str,
    controller: &str,
    about: ObjectReference,
    event: Event,
    at: jiff::Timestamp,
) -> ClusterEvent {
    let kind = if event.severity == Severity::Error { "Warning" } else { "Normal" };
    ClusterEvent {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: about.namespace.clone(),
            annotations: (!event.metadata.is_empty()).then_some(event.metadata),
            ..ObjectMeta::default()
        },
        involved_object: about,
        reason: Some(event.reason),
        message: Some(event.message),
        type_: Some(kind.to_owned()),
        source: Some(EventSource { component: Some(controller.to_owned()), host: None }),
        reporting_component: Some(controller.to_owned()),
        count: Some(1),
        first_timestamp: Some(Time(at)),
        last_timestamp: Some(Time(at)),
        ..ClusterEvent::default()
    }
}

/// Posts events to the event receiver, one after the other.
async fn post_all(
    address: String,
    controller: &'static str,
    mut occurrences: mpsc::Receiver<Occurrence>,
    waiting: Arc<AtomicUsize>,
) {
    let client = match reqwest::Client::builder().timeout(POST_TIMEOUT).build() {
        Ok(client) => client,
        Err(error) => {
            tracing::error!(%error, "events cannot be sent");
            return;
        }
    };
    let instance = host_name();
    while let Some(occurrence) = occurrences.recv().await {
        let _carried_out = CarriedOut(&waiting);
        post(&client, &address, &notification(occurrence, controller, &instance)).await;
    }
}

/// An event as the event receiver takes it.
fn notification(occurrence: Occurrence, controller: &str, instance: &str) -> event_api::Event {
    let Occurrence { about, event, at } = occurrence;
    event_api::Event {
        involved_object: event_api::InvolvedObject {
            kind: about.kind.unwrap_or_default(),
            namespace: about.namespace.unwrap_or_default(),
            name: about.name.unwrap_or_default(),
            uid: about.uid.unwrap_or_default(),
            api_version: about.api_version.unwrap_or_default(),
            resource_version: about.resource_version.unwrap_or_default(),
            field_path: about.field_path.unwrap_or_default(),
        },
        severity: match event.severity {
            Severity::Trace => event_api::Severity::Trace,
            Severity::Info => event_api::Severity::Info,
            Severity::Error => event_api::Severity::Error,
        },
        timestamp: Some(at),
        message: event.message,
        reason: event.reason,
        metadata: event.metadata,
        reporting_controller: controller.to_owned(),
        reporting_instance: instance.to_owned(),
    }
}

/// Posts one event; a failure of the connection or the server is tried again a few times.
async fn post(client: &reqwest::Client, address: &str, body: &event_api::Event) {
    let mut delay = Duration::from_secs(1);
    for attempt in 0..=POST_RETRIES {
        let failure = match client.post(address).json(body).send().await {
            Ok(response) if response.status().is_server_error() => response.status().to_string(),
            Ok(response) if response.status().as_u16() == 429 => {
                tracing::debug!("the receiver has seen this event already");
                return;
            }
            Ok(response) if response.status().is_success() => return,
            Ok(response) => {
                tracing::error!(status = %response.status(), "the receiver refused an event");
                return;
            }
            Err(error) => error.without_url().to_string(),
        };
        if attempt == POST_RETRIES {
            tracing::error!(error = failure, "an event was not sent");
            return;
        }
        tokio::time::sleep(delay).await;
        delay = delay.saturating_mul(2).min(Duration::from_secs(30));
    }
}

/// The name of this host, which in a cluster is the name of the pod.
pub fn host_name() -> String {
    std::env::var("HOSTNAME").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| {
        let read = std::fs::read_to_string("/proc/sys/kernel/hostname");
        read.map_or_else(|_| "localhost".to_owned(), |name| name.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_has_the_shape_that_flux_posts() {
        let about = ObjectReference { kind: Some("GitRepository".into()), ..Default::default() };
        let event = Event::new(Severity::Info, "NewArtifact", "stored").with("a/revision", "main");
        let occurrence = Occurrence { about, event, at: jiff::Timestamp::UNIX_EPOCH };
        let body = notification(occurrence, "source-controller", "pod");
        assert_eq!(
            serde_json::to_value(&body).unwrap(),
            json!({
                "involvedObject": {"kind": "GitRepository"}, "severity": "info",
                "timestamp": "1970-01-01T00:00:00Z", "message": "stored", "reason": "NewArtifact",
                "metadata": {"a/revision": "main"}, "reportingController": "source-controller",
                "reportingInstance": "pod",
            })
        );
    }

    #[test]
    fn a_failure_is_a_warning() {
        let event = Event::new(Severity::Error, "Failed", "no").with("k", "v");
        let at = jiff::Timestamp::UNIX_EPOCH;
        let record = cluster_event("x.1", "c", ObjectReference::default(), event, at);
        assert_eq!(record.type_.as_deref(), Some("Warning"));
        assert_eq!(record.metadata.annotations.unwrap()["k"], "v");
    }
}
