//! Stories 3 and 4: charts from a Helm repository, installed, upgraded, removed.

use std::time::Duration;

use serde_json::{Value, json};
use system_tests::{Kind, Scene};
use testbed::ChartServer;

const VALUES: &str = "data:\n  greeting: hello\n  colour: blue\n";
const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name \
                      }}-config\ndata:\n{{- range $k, $v := .Values.data }}\n  {{ $k }}: {{ $v | \
                      quote }}\n{{- end }}\n";
const FAIL: &str = "{{- if .Values.broken }}{{ fail \"values.broken is set\" }}{{ end }}\n{{- if \
                    .Values.invalid }}\napiVersion: v1\nkind: Service\nmetadata:\n  name: \
                    bad\nspec:\n  ports:\n  - port: 99999999\n{{- end }}\n";

/// A repository with these versions of podinfo.
fn repository(versions: &[&str]) -> ChartServer {
    let charts = ChartServer::http().unwrap();
    for version in versions {
        publish(&charts, version);
    }
    charts
}

fn publish(charts: &ChartServer, version: &str) {
    let files =
        [("values.yaml", VALUES), ("templates/config.yaml", CONFIG), ("templates/fail.yaml", FAIL)];
    charts.publish("podinfo", version, &files).unwrap();
}

fn apply(scene: &Scene, kind: &str, api_version: &str, name: &str, spec: &Value) {
    let object =
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, "spec": spec});
    scene.namespace().apply(&object.to_string()).unwrap();
}

fn apply_repository(scene: &Scene, charts: &ChartServer) {
    let spec = json!({"interval": "1h", "url": charts.url()});
    apply(scene, "HelmRepository", "source.toolkit.fluxcd.io/v1", "podinfo", &spec);
}

fn apply_release(scene: &Scene, version: &str, spec: &Value) {
    let mut full = json!({
        "interval": "15m",
        "timeout": "30s",
        "chart": {"spec": {
            "chart": "podinfo",
            "version": version,
            "sourceRef": {"kind": "HelmRepository", "name": "podinfo"},
        }},
    });
    for (field, value) in spec.as_object().unwrap() {
        full[field] = value.clone();
    }
    apply(scene, "HelmRelease", "helm.toolkit.fluxcd.io/v2", "podinfo", &full);
}

#[tokio::test]
async fn a_chart_is_installed_upgraded_and_removed() {
    let scene = Scene::new("helm-app").await.unwrap();
    let charts = repository(&["5.2.1", "6.9.2"]);
    let namespace = scene.namespace().name().to_owned();
    apply_repository(&scene, &charts);
    apply_release(&scene, "<6.0.0", &json!({}));
    let said = format!(
        "Helm install succeeded for release {namespace}/podinfo.v1 with chart podinfo@5.2.1"
    );
    scene.until_ready(Kind::HelmRelease, "podinfo", &said).await.unwrap();
    let config = scene.get(Kind::ConfigMap, "podinfo-config").await.unwrap();
    assert_eq!(config["metadata"]["labels"]["app.kubernetes.io/managed-by"], "Helm");
    assert_eq!(config["metadata"]["labels"]["helm.toolkit.fluxcd.io/name"], "podinfo");

    let table = scene.namespace().kubectl(&["get", "helmrelease"]).unwrap();
    let (head, row) = table.split_once('\n').unwrap();
    assert_eq!(head.split_whitespace().collect::<Vec<_>>(), ["NAME", "AGE", "READY", "STATUS"]);
    assert!(row.contains("True") && row.contains(&said), "{table}");

    let version = json!({"spec": {"chart": {"spec": {"version": "*"}}}});
    scene.patch(Kind::HelmRelease, "podinfo", &version).await.unwrap();
    let said = format!(
        "Helm upgrade succeeded for release {namespace}/podinfo.v2 with chart podinfo@6.9.2"
    );
    scene.until_ready(Kind::HelmRelease, "podinfo", &said).await.unwrap();

    scene.delete(Kind::HelmRelease, "podinfo").await.unwrap();
    scene.until_gone(Kind::HelmRelease, "podinfo").await.unwrap();
    assert!(!scene.exists(Kind::ConfigMap, "podinfo-config").await.unwrap());
    assert!(!scene.exists(Kind::Secret, "sh.helm.release.v1.podinfo.v2").await.unwrap());
    let chart = format!("{namespace}-podinfo");
    scene.until_gone(Kind::HelmChart, &chart).await.unwrap();
}

#[tokio::test]
async fn an_edit_of_values_counts_at_once_and_an_unused_key_does_nothing() {
    let scene = Scene::new("helm-values").await.unwrap();
    let charts = repository(&["10.1.0"]);
    apply_repository(&scene, &charts);
    let values = |text: &str, unused: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "values"},
            "data": {"podinfo.yaml": text, "unused": unused},
        })
    };
    let one = values("data: {greeting: good morning}", "a").to_string();
    scene.namespace().apply(&one).unwrap();
    // As the homelab writes it, at an API version of years ago.
    let spec = json!({
        "interval": "15m",
        "releaseName": "hello",
        "chart": {"spec": {
            "chart": "podinfo",
            "version": "10.x",
            "sourceRef": {
                "kind": "HelmRepository", "name": "podinfo", "namespace": scene.namespace().name(),
            },
        }},
        "valuesFrom": [
            {"kind": "ConfigMap", "name": "values", "valuesKey": "podinfo.yaml"},
            {"kind": "Secret", "name": "colour", "valuesKey": "colour", "targetPath": "data.colour"},
        ],
    });
    let colour = |colour: &str, unused: &str| {
        let secret = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "colour"},
            "stringData": {"colour": colour, "unused": unused},
        });
        scene.namespace().apply(&secret.to_string()).unwrap();
    };
    colour("green", "a");
    apply(&scene, "HelmRelease", "helm.toolkit.fluxcd.io/v2beta1", "podinfo", &spec);
    scene.until_ready(Kind::HelmRelease, "podinfo", "/hello.v1").await.unwrap();
    let greets = |wanted: &'static str| {
        move |config: &Value| config["data"]["greeting"].as_str() == Some(wanted)
    };
    let soon = Duration::from_secs(20);
    scene
        .until_object(soon, Kind::ConfigMap, "hello-config", greets("good morning"))
        .await
        .unwrap();

    let unused = values("data: {greeting: good morning}", "b").to_string();
    scene.namespace().apply(&unused).unwrap();
    colour("green", "b");
    scene.request_reconcile(Kind::HelmRelease, "podinfo", "unused").await.unwrap();
    let seen = |release: &Value| release["status"]["lastHandledReconcileAt"] == "unused";
    let release = scene.until_object(soon, Kind::HelmRelease, "podinfo", seen).await.unwrap();
    assert_eq!(release["status"]["history"][0]["version"], 1, "nothing that counts has changed");

    let two = values("data: {greeting: good night}", "c").to_string();
    scene.namespace().apply(&two).unwrap();
    scene.until_object(soon, Kind::ConfigMap, "hello-config", greets("good night")).await.unwrap();
    let release = scene.until_ready(Kind::HelmRelease, "podinfo", "/hello.v2").await.unwrap();
    assert!(release.message.contains("upgrade succeeded"), "{release:?}");

    colour("red", "b");
    let reds = |config: &Value| config["data"]["colour"] == "red";
    scene.until_object(soon, Kind::ConfigMap, "hello-config", reds).await.unwrap();
    scene.until_ready(Kind::HelmRelease, "podinfo", "/hello.v3").await.unwrap();
}

#[tokio::test]
async fn bad_input_is_told_and_heals() {
    let scene = Scene::new("helm-bad").await.unwrap();
    let charts = repository(&["1.0.0"]);
    apply_repository(&scene, &charts);
    let missing = json!({"valuesFrom": [{"kind": "Secret", "name": "nothing"}]});
    apply_release(&scene, "1.0.0", &missing);
    let failed = |part: &'static str| scene.until_failed(Kind::HelmRelease, "podinfo", part);
    let ready = failed("secrets \"nothing\" not found").await.unwrap();
    assert_eq!(ready.reason, "ValuesError");

    apply_release(&scene, "1.0.0", &json!({"valuesFrom": [], "values": {"broken": true}}));
    let ready = failed("(podinfo/templates/fail.yaml:1:27): values.broken is set").await.unwrap();
    assert_eq!(ready.reason, "InstallFailed");

    apply_release(&scene, "1.0.0", &json!({"valuesFrom": [], "values": {"invalid": true}}));
    failed("Service \"bad\" is invalid").await.unwrap();
    let stalled = scene.get(Kind::HelmRelease, "podinfo").await.unwrap();
    assert!(stalled["status"]["conditions"].to_string().contains("RetriesExceeded"), "{stalled}");

    apply_release(&scene, "1.0.0", &json!({"valuesFrom": [], "values": {}}));
    let said = "Helm upgrade succeeded";
    scene.until_ready(Kind::HelmRelease, "podinfo", said).await.unwrap();
}

#[tokio::test]
async fn drift_is_told_and_corrected_and_expressions_hold_dependents_back() {
    let scene = Scene::new("helm-drift").await.unwrap();
    let charts = repository(&["1.0.0"]);
    apply_repository(&scene, &charts);
    let detection = json!({
        "mode": "enabled",
        "ignore": [{"paths": ["/data/colour"], "target": {"kind": "ConfigMap"}}],
    });
    let waits = json!([{"name": "first", "readyExpr": "dep.spec.interval == '2h'"}]);
    apply_release(&scene, "1.0.0", &json!({"driftDetection": detection, "dependsOn": waits}));
    let part = "unable to get";
    scene.until_failed(Kind::HelmRelease, "podinfo", part).await.unwrap();
    let chart = json!({"spec": {
        "chart": "podinfo", "sourceRef": {"kind": "HelmRepository", "name": "podinfo"},
    }});
    let first = json!({"interval": "1h", "chart": chart});
    apply(&scene, "HelmRelease", "helm.toolkit.fluxcd.io/v2", "first", &first);
    scene.until_ready(Kind::HelmRelease, "first", "install succeeded").await.unwrap();
    let part = "is not ready according to readyExpr eval";
    scene.request_reconcile(Kind::HelmRelease, "podinfo", "0").await.unwrap();
    scene.until_failed(Kind::HelmRelease, "podinfo", part).await.unwrap();
    let longer = json!({"spec": {"interval": "2h"}});
    scene.patch(Kind::HelmRelease, "first", &longer).await.unwrap();
    scene.until_ready(Kind::HelmRelease, "podinfo", "install succeeded").await.unwrap();

    let edit = json!({"data": {"greeting": "bye", "colour": "red"}});
    scene.patch(Kind::ConfigMap, "podinfo-config", &edit).await.unwrap();
    scene.request_reconcile(Kind::HelmRelease, "podinfo", "2").await.unwrap();
    let undone = |config: &Value| config["data"]["greeting"] == "hello";
    let soon = Duration::from_secs(20);
    let config = scene.until_object(soon, Kind::ConfigMap, "podinfo-config", undone).await.unwrap();
    assert_eq!(config["data"]["colour"], "red", "an ignored field is left to others");
}
