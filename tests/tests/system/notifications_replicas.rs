//! Two notification-controllers: both take events and webhooks, the one with the Lease writes status.

use std::sync::OnceLock;
use std::time::Duration;

use crate::incidents::Notified;
use crate::notifications::{notifier, post, secret};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use system_tests::{Kind, Replica, Scene, World};
use testbed::{Reply, Sink, StackFlags, eventually};

const PATIENCE: Duration = Duration::from_mins(1);
const ASKED: &str = "reconcile.fluxcd.io/requestedAt";

/// Nobody else cares for notifications here.
pub(crate) fn world() -> &'static World {
    static WORLD: OnceLock<&'static World> = OnceLock::new();
    WORLD.get_or_init(|| World::own_with(StackFlags::default()))
}

fn replica() -> Result<Replica> {
    let flags = [
        "--enable-leader-election=true",
        "--leader-election-lease-duration=3s",
        "--leader-election-renew-deadline=2s",
        "--leader-election-retry-period=500ms",
    ];
    Replica::start(world(), &flags, &[])
}

/// Who holds the Lease.
fn holder() -> Result<String> {
    let name = "notification-controller-leader-election";
    let path = "--output=jsonpath={.spec.holderIdentity}";
    world().cluster().kubectl(&["-n", "flux-system", "get", "lease", name, path])
}

fn receiver(name: &str) -> Value {
    json!({
        "apiVersion": "notification.toolkit.fluxcd.io/v1", "kind": "Receiver",
        "metadata": {"name": name},
        "spec": {
            "type": "generic", "secretRef": {"name": "token"},
            "resources": [{"kind": "GitRepository", "name": "app"}],
        },
    })
}

/// Tells of something new until the sink has heard of something new.
async fn told(replica: &Replica, scene: &Scene, sink: &Sink) -> Result<()> {
    let before = sink.received("/hook").len();
    eventually(PATIENCE, || async {
        let message = format!("{before} {:?}", std::time::Instant::now());
        let event = json!({
            "involvedObject": {
                "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "name": "app",
                "namespace": scene.namespace().name(),
            },
            "severity": "info", "timestamp": "2026-01-02T03:04:05Z", "message": message,
            "reason": "Succeeded", "reportingController": "test",
        });
        let status = post(&replica.events(), "/", &[], &event.to_string()).await?;
        ensure!(status == 202, "answered {status}");
        ensure!(sink.received("/hook").len() > before, "the sink heard nothing");
        Ok(())
    })
    .await
}

/// Asks for a reconciliation, and waits until somebody asked the object.
async fn wakes(replica: &Replica, scene: &Scene, path: &str) -> Result<()> {
    let asked = |object: &Value| object["metadata"]["annotations"][ASKED].clone();
    let before = asked(&scene.get(Kind::GitRepository, "app").await?);
    eventually(PATIENCE, || async {
        let status = post(&replica.webhooks(), path, &[], "{}").await?;
        ensure!(status == 200, "answered {status}");
        Ok(())
    })
    .await?;
    let woken = |object: &Value| asked(object) != before;
    scene.until_object(PATIENCE, Kind::GitRepository, "app", woken).await.map(drop)
}

#[tokio::test]
async fn a_replica_serves_without_the_lease_and_takes_it_over() {
    let scene = Scene::on(world(), "replicas").await.unwrap();
    // The Lease is where the controllers are.
    let home =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "flux-system"}});
    world().cluster().apply(&home.to_string()).unwrap();
    let sink = Sink::start().unwrap();
    let source = json!({"kind": "GitRepository", "name": "*"});
    let spec = json!({"providerRef": {"name": "hook"}, "eventSources": [source]});
    let address = format!("{}/hook", sink.url());
    scene.apply_source("app", &json!({"suspend": true})).unwrap();
    scene
        .apply_all(&[
            notifier("Provider", "hook", &json!({"type": "generic", "address": address})),
            notifier("Alert", "hook", &spec),
            secret("token", &json!({"token": "t0ken"})),
            receiver("first"),
        ])
        .unwrap();

    let leader = replica().unwrap();
    scene.until_ready(Kind::Receiver, "first", "Receiver initialized").await.unwrap();
    let first = holder().unwrap();
    let other = replica().unwrap();
    let receiver_now = scene.get(Kind::Receiver, "first").await.unwrap();
    let path = receiver_now["status"]["webhookPath"].as_str().unwrap().to_owned();
    for replica in [&leader, &other] {
        told(replica, &scene, &sink).await.unwrap();
        wakes(replica, &scene, &path).await.unwrap();
    }
    assert_eq!(holder().unwrap(), first, "two lead");
    assert!(
        !other.log().unwrap().contains("Reconciliation finished"),
        "it writes without the Lease"
    );

    leader.kill().unwrap();
    told(&other, &scene, &sink).await.unwrap();
    wakes(&other, &scene, &path).await.unwrap();
    scene.apply_all(&[receiver("second")]).unwrap();
    scene.until_ready(Kind::Receiver, "second", "Receiver initialized").await.unwrap();
    let second = holder().context("the Lease").unwrap();
    assert_ne!(second, first);
    told(&other, &scene, &sink).await.unwrap();
}

#[tokio::test]
async fn what_was_taken_is_told_before_an_end() {
    let replica = Replica::start(crate::notifications::world(), &[], &[]).unwrap();
    let notified = Notified { events: replica.events(), ..Notified::new("ends").await };
    notified.alert("all", &json!({}));
    notified.until_known(&["all"]).await;
    notified.sink.reply("/all", Reply::Header(503, "retry-after", "1".to_owned()));
    notified.tell("Kustomization", "app", "error", "the last words").await.unwrap();
    notified.messages("all", 1).await.unwrap();
    // It has to be told once more, a second later.
    notified.sink.answer("/all", 200);
    replica.stop().unwrap();
    let told = notified.told("all");
    let told: Vec<_> = told.iter().map(|event| event["message"].as_str().unwrap()).collect();
    assert_eq!(told, ["the last words"; 2]);
}

/// Events whose objects are still looked at when the process is to end are told all the same.
#[tokio::test]
async fn what_was_taken_in_is_told_at_the_end() {
    let mut notified = Notified::on(world(), "told-at-end", "").await;
    let namespace = format!("--runtime-namespace={}", notified.scene.namespace().name());
    let flags = [namespace.as_str(), "--watch-all-namespaces=false"];
    let replica = Replica::start(world(), &flags, &[]).unwrap();
    notified.events = replica.events();
    let names: Vec<_> = (0..100).map(|n| format!("app-{n}")).collect();
    let labelled = |name: &String| {
        json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
            "metadata": {"name": name, "labels": {"team": "web"}},
            "spec": {"interval": "1h", "url": "https://git.example.org/r", "suspend": true},
        })
    };
    let mut objects: Vec<_> = names.iter().map(labelled).collect();
    let address = format!("{}/labelled", notified.sink.url());
    objects.push(notifier("Provider", "p", &json!({"type": "generic", "address": address})));
    let sources = json!([
        {"kind": "GitRepository", "name": "*", "matchLabels": {"team": "web"}},
    ]);
    let spec = json!({"providerRef": {"name": "p"}, "eventSources": sources});
    objects.push(notifier("Alert", "labelled", &spec));
    notified.scene.apply_all(&objects).unwrap();
    let heard = |of: &str| {
        let told = notified.sink.received("/labelled");
        told.iter().filter(|told| told.body["message"] == of).count()
    };
    let mut probes = 0;
    while heard(&format!("probe {probes}")) == 0 {
        probes += 1;
        let probe = format!("probe {probes}");
        notified.tell("GitRepository", "app-0", "info", &probe).await.unwrap();
        let heard = eventually(Duration::from_secs(2), || async {
            ensure!(heard(&probe) == 1, "the alert is not known yet");
            Ok(())
        });
        assert!(heard.await.is_ok() || probes < 30);
    }
    let all = names.iter().map(|name| notified.tell("GitRepository", name, "info", "the end"));
    futures::future::try_join_all(all).await.unwrap();
    replica.stop().unwrap();
    assert_eq!(heard("the end"), names.len());
}
