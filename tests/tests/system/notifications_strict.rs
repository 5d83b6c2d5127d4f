//! A notification-controller that forbids references to other namespaces.

use std::time::Duration;

use crate::incidents::{Notified, unheard, words};
use crate::notifications::{notifier, post, secret, world};
use anyhow::{Result, ensure};
use serde_json::{Value, json};
use system_tests::{Kind, Replica};
use testbed::{Namespace, eventually};

const PATIENCE: Duration = Duration::from_mins(1);
const ASKED: &str = "reconcile.fluxcd.io/requestedAt";

/// An event about a Kustomization of another namespace.
fn event(namespace: &Namespace, message: &str) -> Value {
    json!({
        "involvedObject": {
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "name": "app",
            "namespace": namespace.name(),
        },
        "severity": "error", "timestamp": "2026-01-02T03:04:05Z", "message": message,
        "reason": "BuildFailed", "reportingController": "test",
    })
}

fn source(name: &str) -> Value {
    json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": {"name": name},
        "spec": {"interval": "1h", "url": "http://127.0.0.1:1/none", "suspend": true},
    })
}

#[tokio::test]
async fn an_alert_hears_nothing_of_another_namespace() {
    let replica = Replica::start(world(), &["--no-cross-namespace-refs=true"], &[]).unwrap();
    let notified = Notified { events: replica.events(), ..Notified::new("strict-alerts").await };
    let other = world().cluster().namespace("strict-elsewhere").unwrap();
    notified.alert("near", &json!({}));
    let address = format!("{}/far", notified.sink.url());
    let source = json!({"kind": "Kustomization", "name": "*", "namespace": other.name()});
    let spec = json!({"providerRef": {"name": "far"}, "eventSources": [source]});
    notified
        .scene
        .apply_all(&[
            notifier("Provider", "far", &json!({"type": "generic", "address": address})),
            notifier("Alert", "far", &spec),
        ])
        .unwrap();
    let own = notified.scene.namespace().name();
    let wanted = format!(
        "failed to dispatch notification for Kustomization/{other}/app: discarding event, access \
         denied to cross-namespace sources: alert '{own}/far' can't process event from \
         'Kustomization/{other}/app', cross-namespace references have been blocked",
        other = other.name(),
    );
    let refused = eventually(PATIENCE, || async {
        let event = event(&other, &words(unheard())).to_string();
        post(&notified.events, "/", &[], &event).await?;
        let remarks = notified.remarks("far", "NotificationDispatchFailed").await?;
        ensure!(remarks.contains(&wanted), "{remarks:?} instead of {wanted}");
        Ok(())
    });
    let refused: Result<()> = refused.await;
    refused.unwrap();
    notified.until_known(&["near"]).await;
    assert!(notified.sink.received("/far").is_empty(), "it was told all the same");
}

#[tokio::test]
async fn a_receiver_wakes_nothing_of_another_namespace() {
    let replica = Replica::start(world(), &["--no-cross-namespace-refs=true"], &[]).unwrap();
    let notified = Notified::new("strict-receivers").await;
    let scene = &notified.scene;
    let other = world().cluster().namespace("strict-target").unwrap();
    other.apply(&source("far").to_string()).unwrap();
    let receiver = |name: &str, resources: Value| {
        json!({
            "apiVersion": "notification.toolkit.fluxcd.io/v1", "kind": "Receiver",
            "metadata": {"name": name},
            "spec": {"type": "generic", "secretRef": {"name": "token"}, "resources": resources},
        })
    };
    let (far, near) = (
        json!({"kind": "GitRepository", "name": "far", "namespace": other.name()}),
        json!({"kind": "GitRepository", "name": "near"}),
    );
    let receivers = [receiver("both", json!([far, near])), receiver("one", json!([near]))];
    let objects = [secret("token", &json!({"token": "t0ken"})), source("near")];
    scene.apply_all(&[&objects[..], &receivers].concat()).unwrap();
    for (name, wanted) in [("both", 500), ("one", 200)] {
        scene.until_ready(Kind::Receiver, name, "Receiver initialized").await.unwrap();
        let receiver = scene.get(Kind::Receiver, name).await.unwrap();
        let path = receiver["status"]["webhookPath"].as_str().unwrap().to_owned();
        eventually(PATIENCE, || async {
            let status = post(&replica.webhooks(), &path, &[], "{}").await?;
            // It may have to hear of the Receiver first.
            ensure!(status == wanted, "{name}: {status}");
            Ok(())
        })
        .await
        .unwrap();
    }
    let asked = |object: &Value| !object["metadata"]["annotations"][ASKED].is_null();
    assert!(asked(&scene.get(Kind::GitRepository, "near").await.unwrap()));
    let far = other.kubectl(&["get", "gitrepository", "far", "--output=yaml"]).unwrap();
    assert!(!far.contains(ASKED), "{far}");
}
