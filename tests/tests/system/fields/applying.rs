//! Fields and annotations that say how objects are applied, and when.

use super::{PATIENCE, holds};
use crate::config_map;
use serde_json::{Value, json};
use std::time::Duration;
use system_tests::{Kind, Scene};

const KS: Kind = Kind::Kustomization;
const MAP: Kind = Kind::ConfigMap;

/// A ConfigMap whose annotation says how it is treated.
fn treated(name: &str, how: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  annotations: \
         {{kustomize.toolkit.fluxcd.io/{how}}}\ndata: {{key: \"{value}\"}}\n"
    )
}

#[tokio::test]
async fn objects_say_how_they_are_treated() {
    let scene = Scene::new("treated").await.unwrap();
    let files = |value: &str| {
        [
            ("plain.yaml", config_map("plain", value)),
            ("merge.yaml", treated("merge", "ssa: Merge", value)),
            ("once.yaml", treated("once", "ssa: IfNotPresent", value)),
            ("ignored.yaml", treated("ignored", "ssa: Ignore", value)),
            ("disabled.yaml", treated("disabled", "reconcile: disabled", value)),
            ("kept.yaml", treated("kept", "prune: disabled", value)),
        ]
    };
    let commit = |value: &str| {
        let files = files(value);
        let files: Vec<_> = files.iter().map(|(path, text)| (*path, Some(text.as_str()))).collect();
        scene.commit(&files).unwrap()
    };
    let first = commit("1");
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("app", &json!({})).unwrap();
    scene.until_ready(KS, "app", &first).await.unwrap();
    for absent in ["ignored", "disabled"] {
        assert!(!scene.exists(MAP, absent).await.unwrap(), "{absent} was applied");
    }
    // kubectl's fields are taken over, but where the object says otherwise.
    for name in ["plain", "merge"] {
        let edit = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name},
            "data": {"mine": "x"},
        });
        scene.namespace().apply(&edit.to_string()).unwrap();
    }

    let second = commit("2");
    scene.request_reconcile(Kind::GitRepository, "app", "1").await.unwrap();
    scene.until_ready(KS, "app", &second).await.unwrap();
    let cases = [
        ("plain", json!({"key": "2", "mine": null})),
        ("merge", json!({"key": "2", "mine": "x"})),
        ("once", json!({"key": "1"})),
        ("kept", json!({"key": "2"})),
    ];
    for (name, data) in cases {
        let found = scene.get(MAP, name).await.unwrap();
        assert!(holds(&found["data"], &data), "{found}");
    }

    let third =
        scene.commit(&[("plain.yaml", None), ("kept.yaml", None), ("ignored.yaml", None)]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "2").await.unwrap();
    scene.until_ready(KS, "app", &third).await.unwrap();
    scene.until_gone(MAP, "plain").await.unwrap();
    assert!(scene.exists(MAP, "kept").await.unwrap(), "an object that objects was pruned");
}

#[tokio::test]
async fn without_prune_objects_stay() {
    let scene = Scene::new("no-prune").await.unwrap();
    let (a, b) = (config_map("a", "1"), config_map("b", "1"));
    scene.commit(&[("a.yaml", Some(&a)), ("b.yaml", Some(&b))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("app", &json!({"prune": false})).unwrap();
    scene.until_ready(KS, "app", "Applied").await.unwrap();
    let commit = scene.commit(&[("a.yaml", None)]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "1").await.unwrap();
    scene.until_ready(KS, "app", &commit).await.unwrap();
    assert!(scene.exists(MAP, "a").await.unwrap());
    let entries = scene.get(KS, "app").await.unwrap()["status"]["inventory"]["entries"].take();
    assert_eq!(entries.as_array().map(Vec::len), Some(1), "{entries}");
}

/// A ConfigMap that cannot be changed.
fn frozen(name: &str, metadata: &str, value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nimmutable: true\nmetadata: {{name: {name}{metadata}}}\n\
         data: {{key: \"{value}\"}}\n"
    )
}

fn claim(class: &str) -> String {
    format!(
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: data}}\nspec:\n  \
         accessModes: [ReadWriteOnce]\n  storageClassName: {class}\n  resources: {{requests: \
         {{storage: 1Gi}}}}\n"
    )
}

#[tokio::test]
async fn what_cannot_change_is_made_anew_by_force_alone() {
    let scene = Scene::new("force").await.unwrap();
    let by_annotation = ", annotations: {kustomize.toolkit.fluxcd.io/force: enabled}";
    let commit = |value: &str| {
        scene
            .commit(&[
                ("held/a.yaml", Some(&frozen("held", "", value))),
                ("forced/a.yaml", Some(&frozen("forced", "", value))),
                ("asks/a.yaml", Some(&frozen("asks", by_annotation, value))),
                ("storage/a.yaml", Some(&claim(&format!("class-{value}")))),
            ])
            .unwrap()
    };
    let first = commit("1");
    scene.apply_source("app", &json!({})).unwrap();
    let names = [("held", false), ("forced", true), ("asks", false), ("storage", true)];
    let object = |(name, force)| {
        scene.kustomization(name, &json!({"path": format!("./{name}"), "force": force}))
    };
    scene.apply_all(&names.map(object)).unwrap();
    for (name, _) in names {
        scene.until_ready(KS, name, &first).await.unwrap();
    }
    let uid = |object: Value| object["metadata"]["uid"].clone();
    let held = uid(scene.get(MAP, "held").await.unwrap());
    let volume = uid(scene.get(Kind::PersistentVolumeClaim, "data").await.unwrap());

    let second = commit("2");
    scene.request_reconcile(Kind::GitRepository, "app", "1").await.unwrap();
    for name in ["forced", "asks"] {
        scene.until_ready(KS, name, &second).await.unwrap();
        assert_eq!(scene.get(MAP, name).await.unwrap()["data"]["key"], "2");
    }
    let failed = scene.until_failed(KS, "held", "immutable").await.unwrap();
    assert_eq!(failed.reason, "ReconciliationFailed");
    assert_eq!(uid(scene.get(MAP, "held").await.unwrap()), held);
    // What people would lose data by is never made anew because of the whole.
    scene.until_failed(KS, "storage", "PersistentVolumeClaim").await.unwrap();
    let claim = scene.get(Kind::PersistentVolumeClaim, "data").await.unwrap();
    assert_eq!(uid(claim), volume);
}

#[tokio::test]
async fn a_failure_is_tried_again_after_the_retry_interval() {
    let scene = Scene::new("retry").await.unwrap();
    scene.commit(&[("a.yaml", Some(&config_map("a", "1")))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    let later = format!("{}-later", scene.namespace().name());
    let spec = json!({"targetNamespace": later, "retryInterval": "1s"});
    scene.apply_kustomization("app", &spec).unwrap();
    let patient = scene.kustomization("patient", &json!({"targetNamespace": later}));
    scene.apply_all(&[patient]).unwrap();
    for name in ["app", "patient"] {
        scene.until_failed(KS, name, "not found").await.unwrap();
    }
    // Nobody tells the controller of the namespace.
    scene.namespace().cluster().kubectl(&["create", "namespace", &later]).unwrap();
    scene.until_ready(KS, "app", "Applied").await.unwrap();
    let waits = scene.ready(KS, "patient").await.unwrap();
    assert_eq!(waits.status, "False", "the retry interval of an hour was not honoured");
}

#[tokio::test]
async fn what_is_suspended_waits_for_its_resumption() {
    let scene = Scene::new("suspend").await.unwrap();
    let first = scene.commit(&[("a.yaml", Some(&config_map("a", "1")))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    let object =
        |name: &str, suspend: bool| scene.kustomization(name, &json!({"suspend": suspend}));
    scene.apply_all(&[object("app", false)]).unwrap();
    scene.until_ready(KS, "app", &first).await.unwrap();
    scene.apply_all(&[object("app", true)]).unwrap();
    let second = scene.commit(&[("a.yaml", Some(&config_map("a", "2")))]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "1").await.unwrap();
    scene.until_ready(Kind::GitRepository, "app", &second).await.unwrap();
    // The request is heard, and nothing else happens.
    scene.request_reconcile(KS, "app", "while-suspended").await.unwrap();
    let handled = |o: &Value| o["status"]["lastHandledReconcileAt"] == "while-suspended";
    scene.until_object(PATIENCE, KS, "app", handled).await.unwrap();
    assert_eq!(scene.get(MAP, "a").await.unwrap()["data"]["key"], "1");
    scene.apply_all(&[object("app", false)]).unwrap();
    scene.until_ready(KS, "app", &second).await.unwrap();
    assert_eq!(scene.get(MAP, "a").await.unwrap()["data"]["key"], "2");
}

#[tokio::test]
async fn the_interval_passes_by_the_clock() {
    let scene = Scene::new("interval").await.unwrap();
    scene.commit(&[("a.yaml", Some(&config_map("a", "1")))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    // Without watches, as on another cluster, every interval is a dry run.
    let cluster = scene.namespace().cluster();
    let kubeconfig = std::fs::read_to_string(cluster.kubeconfig()).unwrap();
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cluster"},
        "stringData": {"value": kubeconfig},
    });
    let spec = json!({"interval": "1s", "kubeConfig": {"secretRef": {"name": "cluster"}}});
    scene.apply_all(&[secret, scene.kustomization("app", &spec)]).unwrap();
    scene.until_ready(KS, "app", "Applied").await.unwrap();
    // Nor is drift told, so the interval is what mends it, time and again.
    let mended = |o: &Value| o["data"]["key"] == "1";
    for edit in ["edited", "edited again"] {
        scene.patch(MAP, "a", &json!({"data": {"key": edit}})).await.unwrap();
        scene.until_object(Duration::from_secs(20), MAP, "a", mended).await.unwrap();
    }
    let counted = |o: &Value| {
        o.pointer("/status/history/0/totalReconciliations").and_then(Value::as_u64) >= Some(3)
    };
    scene.until_object(Duration::from_secs(20), KS, "app", counted).await.unwrap();
}
