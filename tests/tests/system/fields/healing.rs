//! Fields that say what healthy means, and how long that may take.

use super::PATIENCE;
use crate::{config_map, deployment};
use serde_json::{Value, json};
use system_tests::{Kind, Scene};

const KS: Kind = Kind::Kustomization;

/// A condition of an object, as `status reason: message`.
fn condition(object: &Value, kind: &str) -> String {
    let conditions = object["status"]["conditions"].as_array();
    let found = conditions.into_iter().flatten().find(|condition| condition["type"] == kind);
    let text = |field: &str| found.and_then(|c| c[field].as_str()).unwrap_or_default();
    format!("{} {}: {}", text("status"), text("reason"), text("message"))
}

#[tokio::test]
async fn health_is_waited_for_and_told() {
    let scene = Scene::new("healing").await.unwrap();
    let (runs, hangs) = (deployment("runs", true), deployment("hangs", false));
    let plain = config_map("plain", "1");
    scene
        .commit(&[
            ("runs/a.yaml", Some(&runs)),
            ("hangs/a.yaml", Some(&hangs)),
            ("plain/a.yaml", Some(&plain)),
        ])
        .unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    let namespace = scene.namespace().name();
    let check = |name: &str| json!([{"kind": "Deployment", "name": name, "namespace": namespace}]);
    scene
        .apply_all(&[
            scene.kustomization("wait", &json!({"path": "./runs", "wait": true})),
            // Flux: a check without version is about apps/v1. With `wait` the list does not count.
            scene
                .kustomization("check", &json!({"path": "./plain", "healthChecks": check("runs")})),
            scene.kustomization(
                "both",
                &json!({"path": "./plain", "wait": true, "healthChecks": check("nowhere")}),
            ),
            scene.kustomization("slow", &json!({"path": "./hangs", "wait": true, "timeout": "1s"})),
            scene.kustomization(
                "missing",
                &json!({"path": "./plain", "healthChecks": check("nowhere"), "timeout": "31s"}),
            ),
        ])
        .unwrap();
    for name in ["missing", "slow"] {
        let waits = |object: &Value| {
            condition(object, "Healthy").starts_with("Unknown Progressing: Running health checks")
        };
        let object = scene.until_object(PATIENCE, KS, name, waits).await.unwrap();
        let ready = condition(&object, "Ready");
        assert_eq!(ready, "Unknown Progressing: Reconciliation in progress", "{name}");
        let step = condition(&object, "Reconciling");
        assert!(step.starts_with("True Progressing: Running health checks for"), "{step}");
    }
    for name in ["wait", "check", "both"] {
        scene.until_ready(KS, name, "Applied").await.unwrap();
        let object = scene.get(KS, name).await.unwrap();
        let healthy = condition(&object, "Healthy");
        assert!(healthy.starts_with("True Succeeded: Health check passed in "), "{healthy}");
    }
    // Flux: no timeout is shorter than 30 seconds.
    let failures = [
        ("slow", "after 30", format!("[Deployment/{namespace}/hangs status: 'InProgress']")),
        ("missing", "after 31", format!("[Deployment/{namespace}/nowhere status: 'NotFound']")),
    ];
    for (name, after, unhealthy) in failures {
        let failed = scene.until_failed(KS, name, &unhealthy).await.unwrap();
        assert_eq!(failed.reason, "HealthCheckFailed");
        assert!(failed.message.contains(after), "{failed:?}");
        let object = scene.get(KS, name).await.unwrap();
        let healthy = condition(&object, "Healthy");
        assert_eq!(healthy, format!("False HealthCheckFailed: timeout waiting for: {unhealthy}"));
        assert_eq!(object["status"]["observedGeneration"], -1);
    }
}

#[tokio::test]
async fn expressions_say_what_healthy_means() {
    let scene = Scene::new("health-expr").await.unwrap();
    let names = ["passes", "fails", "wrong"];
    let files = names.map(|name| (format!("{name}/a.yaml"), config_map(name, "1")));
    let files = files.each_ref().map(|(path, text)| (path.as_str(), Some(text.as_str())));
    scene.commit(&files).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    let object = |name: &str, current: &str| {
        let expressions = json!([{
            "apiVersion": "v1", "kind": "ConfigMap", "current": current,
            "failed": "has(data.state) && data.state == 'broken'",
        }]);
        let spec = json!({
            "path": format!("./{name}"), "wait": true, "timeout": "5m",
            "healthCheckExprs": expressions,
        });
        scene.kustomization(name, &spec)
    };
    let good = "has(data.state) && data.state == 'good'";
    scene
        .apply_all(&[object("passes", good), object("fails", good), object("wrong", "data.")])
        .unwrap();
    let stalled = scene.until_failed(KS, "wrong", "configuration error").await.unwrap();
    assert_eq!(stalled.reason, "InvalidCELExpression");
    for name in ["passes", "fails"] {
        let waits = |object: &Value| condition(object, "Healthy").starts_with("Unknown");
        scene.until_object(PATIENCE, KS, name, waits).await.unwrap();
    }
    let state = |state: &str| json!({"data": {"state": state}});
    scene.patch(Kind::ConfigMap, "passes", &state("good")).await.unwrap();
    scene.patch(Kind::ConfigMap, "fails", &state("broken")).await.unwrap();
    scene.until_ready(KS, "passes", "Applied").await.unwrap();
    let failed = scene.until_failed(KS, "fails", "status: 'Failed'").await.unwrap();
    assert!(failed.message.contains("failed early due to stalled resources"), "{failed:?}");
}
