//! Alerts reach people, and webhooks reach objects.

use std::sync::OnceLock;
use std::time::Duration;

use crate::config_map;
use crate::plain_http::ask;
use anyhow::{Context as _, Result};
use axum::http::StatusCode;
use serde_json::{Value, json};
use system_tests::{Kind, Scene, World};
use testbed::{ChartServer, Received, Sink, StackFlags, eventually};

const PATIENCE: Duration = Duration::from_mins(1);

/// The other tests need not tell anybody of what they do.
pub(crate) fn world() -> &'static World {
    static WORLD: OnceLock<&'static World> = OnceLock::new();
    WORLD.get_or_init(|| {
        World::own_with(StackFlags { notification: Some(Vec::new()), ..StackFlags::with_helm() })
    })
}

#[tokio::test]
async fn a_failing_release_reaches_the_channels_with_its_reason() {
    let scene = Scene::on(world(), "alerts").await.unwrap();
    let (sink, charts) = (Sink::start().unwrap(), ChartServer::http().unwrap());
    charts.publish("web", "1.0.0", &[("templates/a.yaml", &config_map("web", "1"))]).unwrap();
    let broken = [("templates/a.yaml", "{{ fail \"no such luck\" }}")];
    charts.publish("broken", "1.0.0", &broken).unwrap();
    let all = |severity: &str, provider: &str| {
        let kinds =
            ["GitRepository", "Kustomization", "HelmRepository", "HelmChart", "HelmRelease"];
        let sources = kinds.map(|kind| json!({"kind": kind, "name": "*"}));
        json!({
            "providerRef": {"name": provider}, "eventSeverity": severity, "eventSources": sources,
            "eventMetadata": {"cluster": "lab"},
        })
    };
    scene
        .apply_all(&[
            secret("slack", &json!({"address": format!("{}/slack/canary", sink.url())})),
            notifier(
                "Provider",
                "slack",
                &json!({
                    "type": "slack", "channel": "ops", "secretRef": {"name": "slack"},
                }),
            ),
            notifier(
                "Provider",
                "discord",
                &json!({
                    "type": "discord", "username": "flux",
                    "address": format!("{}/discord/hook", sink.url()),
                }),
            ),
            notifier("Alert", "errors", &all("error", "slack")),
            notifier("Alert", "all", &all("info", "discord")),
            json!({
                "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
                "metadata": {"name": "charts"}, "spec": {"interval": "1h", "url": charts.url()},
            }),
            release("web"),
            release("broken"),
        ])
        .unwrap();
    scene.until_ready(Kind::HelmRelease, "web", "Helm install succeeded").await.unwrap();

    let about = |request: &Received, object: &str, part: &str| {
        let attachment = &request.body["attachments"][0];
        let object = format!("{object}.{}", scene.namespace().name());
        attachment["author_name"] == object
            && attachment["text"].as_str().is_some_and(|text| text.contains(part))
    };
    // News go to the one channel, failures to both.
    let news = until(&sink, "/discord/hook/slack", |request| {
        about(request, "helmrelease/web", "Helm install succeeded")
    });
    let news = news.await.unwrap();
    assert_eq!(news.body["attachments"][0]["color"], "good");
    assert_eq!(news.body["username"], "flux");
    for path in ["/slack/canary", "/discord/hook/slack"] {
        let failure = until(&sink, path, |request| {
            about(request, "helmrelease/broken", "Helm install failed for release")
        });
        let failure = failure.await.unwrap();
        let attachment = &failure.body["attachments"][0];
        assert_eq!(attachment["color"], "danger");
        assert!(attachment["text"].as_str().unwrap().contains("no such luck"), "{attachment}");
        let fields = attachment["fields"].as_array().unwrap();
        assert!(fields.iter().any(|field| field["title"] == "cluster" && field["value"] == "lab"));
    }
    let told = sink.received("/slack/canary");
    assert!(told.iter().all(|request| request.body["attachments"][0]["color"] == "danger"));
    assert!(told.iter().all(|request| request.body["channel"] == "ops"));
}

#[tokio::test]
async fn a_channel_that_fails_is_told_of_at_the_alert_without_its_secret() {
    let scene = Scene::on(world(), "broken-channel").await.unwrap();
    let sink = Sink::start().unwrap();
    sink.answer("/hook/canary-path", 403);
    scene
        .apply_all(&[
            secret("hook", &json!({"address": format!("{}/hook/canary-path", sink.url())})),
            notifier(
                "Provider",
                "hook",
                &json!({
                    "type": "generic", "secretRef": {"name": "hook"},
                }),
            ),
            notifier(
                "Alert",
                "broken",
                &json!({
                    "providerRef": {"name": "hook"},
                    "eventSources": [{"kind": "GitRepository", "name": "*"}],
                }),
            ),
        ])
        .unwrap();
    scene.commit(&[("a.yaml", Some(&config_map("a", "1")))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    let event = eventually(PATIENCE, || async {
        let events = scene.list(Kind::Event).await?;
        let found = events.into_iter().find(|event| {
            event["involvedObject"]["name"] == "broken"
                && event["reason"] == "NotificationDispatchFailed"
        });
        found.context("nobody is told")
    })
    .await
    .unwrap();
    let message = event["message"].as_str().unwrap();
    let object = format!("GitRepository/{}/app", scene.namespace().name());
    let wanted =
        format!("failed to send notification for {object}: postMessage failed: request failed");
    assert!(message.starts_with(&wanted) && !message.contains("canary"), "{message}");
    let log = std::fs::read_to_string(log()).unwrap();
    assert!(!log.contains("canary"));
}

#[tokio::test]
async fn a_webhook_wakes_its_objects_once_for_a_flood() {
    let scene = Scene::on(world(), "webhooks").await.unwrap();
    scene.commit(&[("a.yaml", Some(&config_map("a", "1")))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_source("labelled", &json!({})).unwrap();
    let labels = json!({"metadata": {"labels": {"team": "web"}}});
    scene.patch(Kind::GitRepository, "labelled", &labels).await.unwrap();
    scene
        .apply_all(&[
            secret("token", &json!({"token": "t0ken"})),
            json!({
                "apiVersion": "notification.toolkit.fluxcd.io/v1", "kind": "Receiver",
                "metadata": {"name": "hook"},
                "spec": {
                    "type": "gitlab", "events": ["Push Hook"], "secretRef": {"name": "token"},
                    "resourceFilter": "res.metadata.name == req.project",
                    "resources": [
                        {"kind": "GitRepository", "name": "*", "matchLabels": {"team": "web"}},
                        {"kind": "GitRepository", "name": "app"},
                    ],
                },
            }),
        ])
        .unwrap();
    scene.until_ready(Kind::GitRepository, "app", "stored artifact").await.unwrap();
    scene.until_ready(Kind::Receiver, "hook", "Receiver initialized for path").await.unwrap();
    let receiver = scene.get(Kind::Receiver, "hook").await.unwrap();
    let path = receiver["status"]["webhookPath"].as_str().unwrap().to_owned();
    let url = world().stack().lock().await.webhooks();
    let push = |token: &'static str, event: &'static str, path: String, body: &'static str| {
        let url = url.clone();
        async move {
            post(&url, &path, &[("X-Gitlab-Token", token), ("X-Gitlab-Event", event)], body).await
        }
    };
    let event = "Push Hook";
    let asked = |object: &Value| {
        object["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"].clone()
    };
    for (token, event, path, body, wanted) in [
        ("wrong", event, path.clone(), "{}", 400),
        ("t0ken", "Tag Push Hook", path.clone(), "{}", 400),
        ("t0ken", event, format!("{path}?x=1"), "{}", 404),
        ("t0ken", event, "/hook/none".to_owned(), "{}", 404),
        ("t0ken", event, path.clone(), "no json", 500),
        ("t0ken", event, path.clone(), r#"{"project": "other"}"#, 200),
    ] {
        assert_eq!(push(token, event, path.clone(), body).await.unwrap(), wanted, "{path} {body}");
    }
    let object = scene.get(Kind::GitRepository, "app").await.unwrap();
    assert!(asked(&object).is_null(), "{object}");
    let before = scene.get(Kind::GitRepository, "app").await.unwrap();
    let version = |object: &Value| object["metadata"]["resourceVersion"].clone();
    for _ in 0..100 {
        let status = push("t0ken", event, path.clone(), r#"{"project": "app"}"#).await.unwrap();
        assert_eq!(status, StatusCode::OK.as_u16());
    }
    let woken = |object: &Value| {
        version(object) != version(&before)
            && object["status"]["lastHandledReconcileAt"] == asked(object)
    };
    scene.until_object(PATIENCE, Kind::GitRepository, "app", woken).await.unwrap();
    // The wildcard finds this one by its labels.
    let status = push("t0ken", event, path.clone(), r#"{"project": "labelled"}"#).await.unwrap();
    assert_eq!(status, StatusCode::OK.as_u16());
    let woken = |object: &Value| {
        let asked = asked(object);
        !asked.is_null() && object["status"]["lastHandledReconcileAt"] == asked
    };
    scene.until_object(PATIENCE, Kind::GitRepository, "labelled", woken).await.unwrap();
    let log = std::fs::read_to_string(log()).unwrap();
    let namespace = scene.namespace().name();
    let annotated = format!("resource 'GitRepository/app.{namespace}' annotated");
    let times = log.matches(&annotated).count();
    assert!((1..20).contains(&times), "annotated {times} times");
}

fn log() -> std::path::PathBuf {
    world().dir().join("notification-controller.log")
}

/// Waits for a request to `path` that is wanted.
async fn until(sink: &Sink, path: &str, wanted: impl Fn(&Received) -> bool) -> Result<Received> {
    eventually(PATIENCE, || async {
        let found = sink.received(path).into_iter().find(|request| wanted(request));
        found.with_context(|| format!("{path} was told {:#?}", sink.received(path)))
    })
    .await
}

/// Posts JSON, and answers the status.
pub(crate) async fn post(
    url: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<u16> {
    Ok(ask("POST", &format!("{url}{path}"), headers, body).await?.status)
}

pub(crate) fn secret(name: &str, data: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data})
}

pub(crate) fn notifier(kind: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "notification.toolkit.fluxcd.io/v1beta3", "kind": kind,
        "metadata": {"name": name}, "spec": spec,
    })
}

fn release(name: &str) -> Value {
    json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": name},
        "spec": {"interval": "1h", "chart": {"spec": {
            "chart": name, "version": "1.0.0", "interval": "1h",
            "sourceRef": {"kind": "HelmRepository", "name": "charts"},
        }}},
    })
}
