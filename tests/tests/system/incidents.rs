//! Alerts that tell incidents, wait, use words of their own, or only rehearse.

use std::time::Duration;

use crate::notifications::{notifier, post, world};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use system_tests::{Kind, Scene, World};
use testbed::{Sink, eventually};

const PATIENCE: Duration = Duration::from_mins(1);
/// The object whose events only show which alerts are known.
const PROBE: &str = "probe";
/// Objects that wait for one source.
const CHILDREN: u32 = 300;

/// A scene with a sink, and a provider for each alert.
pub(crate) struct Notified {
    pub(crate) scene: Scene,
    pub(crate) sink: Sink,
    /// Where events are told.
    pub(crate) events: String,
}

impl Notified {
    pub(crate) async fn new(name: &str) -> Self {
        let events = world().stack().lock().await.events();
        Self::on(world(), name, &events).await
    }

    /// The same in another world, whose events are told at `events`.
    pub(crate) async fn on(world: &'static World, name: &str, events: &str) -> Self {
        let scene = Scene::on(world, name).await.unwrap();
        let events = events.trim_end_matches('/').to_owned();
        Self { scene, sink: Sink::start().unwrap(), events }
    }

    /// An alert to the sink's path of its name.
    pub(crate) fn alert(&self, name: &str, annotations: &Value) {
        self.alert_by("generic", name, annotations);
    }

    /// The same with a provider of that type.
    pub(crate) fn alert_by(&self, provider: &str, name: &str, annotations: &Value) {
        let address = format!("{}/{name}", self.sink.url());
        let provider = json!({"type": provider, "address": address});
        let kinds = ["GitRepository", "Kustomization", "HelmRelease"];
        let sources = kinds.map(|kind| json!({"kind": kind, "name": "*"}));
        let spec = json!({"providerRef": {"name": name}, "eventSources": sources});
        let mut alert = notifier("Alert", name, &spec);
        alert["metadata"]["annotations"] = annotations.clone();
        self.scene.apply_all(&[notifier("Provider", name, &provider), alert]).unwrap();
    }

    pub(crate) async fn tell(
        &self,
        kind: &str,
        name: &str,
        severity: &str,
        message: &str,
    ) -> Result<()> {
        let (api_version, reason) = match kind {
            "GitRepository" => ("source.toolkit.fluxcd.io/v1", "GitOperationSucceeded"),
            "HelmRelease" => ("helm.toolkit.fluxcd.io/v2", "UpgradeSucceeded"),
            _ => ("kustomize.toolkit.fluxcd.io/v1", "ReconciliationSucceeded"),
        };
        let event = json!({
            "involvedObject": {
                "apiVersion": api_version, "kind": kind, "name": name,
                "namespace": self.scene.namespace().name(),
            },
            "severity": severity, "timestamp": "2026-01-02T03:04:05Z", "message": message,
            "reason": if severity == "error" { "Failed" } else { reason },
            "reportingController": "test",
        });
        let status = post(&self.events, "/", &[], &event.to_string()).await?;
        ensure!(status == 202, "answered {status}");
        Ok(())
    }

    /// Comes back when alerts are known: all have told of something.
    pub(crate) async fn until_known(&self, alerts: &[&str]) {
        let known = eventually(PATIENCE, || async {
            self.tell("Kustomization", PROBE, "info", &words(unheard())).await?;
            for alert in alerts {
                let path = format!("/{alert}");
                ensure!(!self.sink.received(&path).is_empty(), "{alert} is not known yet");
            }
            Ok(())
        });
        known.await.unwrap();
    }

    /// What one alert told, but for the probes.
    pub(crate) fn told(&self, alert: &str) -> Vec<Value> {
        let told = self.sink.received(&format!("/{alert}")).into_iter().map(|told| told.body);
        told.filter(|event| event["involvedObject"]["name"] != PROBE).collect()
    }

    /// The same, once there is so much of it.
    pub(crate) async fn messages(&self, alert: &str, count: usize) -> Result<Vec<Value>> {
        eventually(PATIENCE, || async {
            let told = self.told(alert);
            ensure!(told.len() >= count, "{alert} was told {} times", told.len());
            Ok(told)
        })
        .await
    }

    /// The event at an alert of a reason.
    pub(crate) async fn remark(&self, alert: &str, reason: &str) -> Result<String> {
        eventually(PATIENCE, || async {
            let remarks = self.remarks(alert, reason).await?;
            remarks.into_iter().next().context("nothing is told")
        })
        .await
    }

    /// All events at an alert of a reason, up to now.
    pub(crate) async fn remarks(&self, alert: &str, reason: &str) -> Result<Vec<String>> {
        let events = self.scene.list(Kind::Event).await?;
        let found = events
            .into_iter()
            .filter(|event| event["involvedObject"]["name"] == alert && event["reason"] == reason);
        Ok(found.filter_map(|event| Some(event["message"].as_str()?.to_owned())).collect())
    }
}

/// Words in which no two numbers look alike.
pub(crate) fn words(number: u32) -> String {
    number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'k')).collect()
}

#[tokio::test]
async fn an_outage_with_one_cause_is_one_message_and_one_recovery() {
    let notified = Notified::new("outage").await;
    notified.alert("one", &json!({"ferroflux.dev/incidents": "true"}));
    notified.alert("every", &json!({}));
    let children: Vec<_> = (0..CHILDREN).map(|n| format!("app-{n}")).collect();
    let waits = |name: &String| {
        json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": name},
            "spec": {
                "interval": "1h", "prune": false, "suspend": true,
                "sourceRef": {"kind": "GitRepository", "name": "fleet"},
            },
        })
    };
    notified.scene.apply_all(&children.iter().map(waits).collect::<Vec<_>>()).unwrap();
    notified.until_known(&["one", "every"]).await;

    notified
        .tell("GitRepository", "fleet", "error", "failed to clone: no such host")
        .await
        .unwrap();
    notified.messages("one", 1).await.unwrap();
    for (name, n) in children.iter().zip(0..) {
        let message = format!("no artifact {}", words(n));
        notified.tell("Kustomization", name, "error", &message).await.unwrap();
    }
    let count = usize::try_from(CHILDREN).unwrap();
    notified.messages("every", count + 1).await.unwrap();
    notified.tell("GitRepository", "fleet", "info", "stored artifact").await.unwrap();
    for name in &children {
        notified.tell("Kustomization", name, "info", &format!("applied {name}")).await.unwrap();
    }
    let every = notified.messages("every", 2 * (count + 1)).await.unwrap();
    assert_eq!(every.len(), 2 * (count + 1), "as many as in Flux");
    // What comes last has been told, so nothing more is to come.
    notified.tell("Kustomization", "last", "info", "something else").await.unwrap();
    let one = notified.messages("one", 3).await.unwrap();
    let told: Vec<_> = one
        .iter()
        .map(|event| (event["reason"].as_str().unwrap(), event["severity"].as_str().unwrap()))
        .collect();
    let last = ("ReconciliationSucceeded", "info");
    assert_eq!(told, [("Failed", "error"), ("IncidentResolved", "info"), last]);
    let over = one[1]["message"].as_str().unwrap();
    assert!(over.contains("301 objects (GitRepository/"), "{over}");
}

#[tokio::test]
async fn alerts_wait_word_their_messages_and_rehearse() {
    let notified = Notified::new("wordings").await;
    notified.alert("patient", &json!({"ferroflux.dev/for": "2s"}));
    let template = "{{ .involvedObject.name | upper }} says {{ .message }}";
    notified.alert("worded", &json!({"ferroflux.dev/message-template": template}));
    notified.alert("careful", &json!({"ferroflux.dev/dry-run": "true"}));
    notified.alert("wrong", &json!({"ferroflux.dev/message-template": "{{ .message"}));
    let failing = json!({"ferroflux.dev/message-template": "{{ fail \"no words\" }}"});
    notified.alert("failing", &failing);
    let wrong = notified.remark("wrong", "InvalidConfig").await.unwrap();
    assert!(wrong.contains("annotation ferroflux.dev/message-template: "), "{wrong}");
    notified.until_known(&["patient", "worded", "wrong", "failing"]).await;
    notified.tell("Kustomization", "blip", "error", "a blip").await.unwrap();
    notified.tell("Kustomization", "blip", "info", "well again").await.unwrap();
    notified.tell("Kustomization", "web", "error", "it lasts").await.unwrap();
    let patient = notified.messages("patient", 1).await.unwrap();
    let told: Vec<_> = patient.iter().map(|event| &event["message"]).collect();
    assert_eq!(told, ["it lasts"]);
    let worded = notified.messages("worded", 3).await.unwrap();
    assert!(worded.iter().any(|event| event["message"] == "WEB says it lasts"), "{worded:#?}");
    let failing = notified.messages("failing", 3).await.unwrap();
    assert!(failing.iter().any(|event| event["message"] == "it lasts"), "its own message");
    let remark = notified.remark("failing", "TemplateFailed").await.unwrap();
    assert!(remark.contains("the message template failed: ") && remark.contains("no words"));
    let rehearsal = notified.remark("careful", "DryRun").await.unwrap();
    assert!(rehearsal.starts_with("dry run, nothing is sent for Kustomization/"), "{rehearsal}");
    assert!(rehearsal.contains("POST http://127.0.0.1 {\"involvedObject\""), "{rehearsal}");
    assert!(notified.sink.received("/careful").is_empty());
    let wrong = notified.messages("wrong", 3).await.unwrap();
    assert!(wrong.iter().any(|event| event["message"] == "it lasts"), "{wrong:#?}");
}

/// Something that was not told before: equal events are told once.
pub(crate) fn unheard() -> u32 {
    static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}
