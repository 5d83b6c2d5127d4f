//! Deletion in the reverse order of application, where a Kustomization asks for it.

use crate::config_map;
use serde_json::{Value, json};
use std::time::Duration;
use system_tests::{Kind, Scene};

const KS: Kind = Kind::Kustomization;
const SOON: Duration = Duration::from_mins(1);

/// A class and a definition, which go last, a map that something holds, and one that nothing does.
async fn set_up(title: &str) -> (Scene, String) {
    let scene = Scene::new(title).await.unwrap();
    let class = format!("{}-class", scene.namespace().name());
    let manifest = format!(
        "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {{name: {class}}}\nvalue: 1\n"
    );
    let held = config_map("held", "1")
        .replace("name: held\n", "name: held\n  finalizers: [example.com/hold]\n");
    let (plain, stays) = (config_map("plain", "1"), config_map("stays", "1"));
    let definition = definition(scene.namespace().name());
    let gone = [manifest, held, plain, definition].join("---\n");
    scene.commit(&[("gone.yaml", Some(&gone)), ("stays.yaml", Some(&stays))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("app", &json!({})).unwrap();
    let annotations = json!({"ferroflux.dev/deletion": "ordered"});
    scene.patch(KS, "app", &json!({"metadata": {"annotations": annotations}})).await.unwrap();
    scene.until_ready(KS, "app", "Applied").await.unwrap();
    (scene, class)
}

/// A definition, which makes the full guard ask.
fn definition(group: &str) -> String {
    let names = json!({"plural": "things", "singular": "thing", "kind": "Thing"});
    let schema = json!({"openAPIV3Schema": {"type": "object"}});
    let version = json!({"name": "v1", "served": true, "storage": true, "schema": schema});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("things.{group}.example.com")},
        "spec": {
            "group": format!("{group}.example.com"), "scope": "Namespaced", "names": names,
            "versions": [version],
        },
    })
    .to_string()
        + "\n"
}

fn class_exists(scene: &Scene, class: &str) -> bool {
    let get = ["get", "priorityclass", class, "--ignore-not-found", "-o", "name"];
    !scene.namespace().kubectl(&get).unwrap().is_empty()
}

async fn release(scene: &Scene) {
    let free = json!({"metadata": {"finalizers": null}});
    scene.patch(Kind::ConfigMap, "held", &free).await.unwrap();
}

fn leaves(map: &Value) -> bool {
    !map["metadata"]["deletionTimestamp"].is_null()
}

fn tracked(ks: &Value) -> usize {
    ks["status"]["inventory"]["entries"].as_array().map_or(0, Vec::len)
}

/// What the guard wants to hear.
fn question(ks: &Value) -> Option<String> {
    let conditions = ks["status"]["conditions"].as_array()?;
    let held = conditions.iter().find(|condition| condition["type"] == "PruneHeld")?;
    let (_, digest) = held["message"].as_str()?.split_once("confirm-prune=")?;
    Some(digest.to_owned())
}

#[tokio::test]
async fn a_prune_waits_for_what_is_held_and_goes_on_by_itself() {
    let (scene, class) = set_up("ordered-prune").await;
    // The guard asks once for the plan, and not for every stage of it.
    let guard = json!({"ferroflux.dev/prune-guard": "full"});
    scene.patch(KS, "app", &json!({"metadata": {"annotations": guard}})).await.unwrap();
    let commit = scene.commit(&[("gone.yaml", None)]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "prune").await.unwrap();
    scene.until_ready(KS, "app", &commit).await.unwrap();
    let asked = |ks: &Value| question(ks).is_some();
    let ks = scene.until_object(SOON, KS, "app", asked).await.unwrap();
    let confirm = json!({"ferroflux.dev/confirm-prune": question(&ks).unwrap()});
    scene.patch(KS, "app", &json!({"metadata": {"annotations": confirm}})).await.unwrap();
    scene.until_object(SOON, Kind::ConfigMap, "held", leaves).await.unwrap();
    scene.until_gone(Kind::ConfigMap, "plain").await.unwrap();
    assert!(class_exists(&scene, &class), "its turn comes later");
    scene.until_object(SOON, KS, "app", |ks| tracked(ks) == 4).await.unwrap();

    release(&scene).await;
    scene.until_object(SOON, KS, "app", |ks| tracked(ks) == 1).await.unwrap();
    assert!(!class_exists(&scene, &class));
    assert!(scene.exists(Kind::ConfigMap, "stays").await.unwrap());
}

#[tokio::test]
async fn a_kustomization_goes_when_all_its_stages_are_gone() {
    let (scene, class) = set_up("ordered-end").await;
    scene.delete(KS, "app").await.unwrap();
    scene.until_object(SOON, Kind::ConfigMap, "held", leaves).await.unwrap();
    scene.until_gone(Kind::ConfigMap, "stays").await.unwrap();
    assert!(scene.exists(KS, "app").await.unwrap() && class_exists(&scene, &class));
    release(&scene).await;
    scene.until_gone(KS, "app").await.unwrap();
    assert!(!class_exists(&scene, &class));
}

#[tokio::test]
async fn a_prune_that_lasts_longer_than_the_timeout_fails_and_goes_on() {
    let (scene, class) = set_up("ordered-late").await;
    // No timeout is shorter than 30 seconds.
    scene.patch(KS, "app", &json!({"spec": {"timeout": "1s"}})).await.unwrap();
    let commit = scene.commit(&[("gone.yaml", None)]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "prune").await.unwrap();
    scene.until_ready(KS, "app", &commit).await.unwrap();
    let late = "timeout waiting for termination of: [ConfigMap/";
    let failed = scene.until_failed(KS, "app", late).await.unwrap();
    assert_eq!(failed.reason, "PruneFailed");
    assert!(class_exists(&scene, &class), "its turn comes later");

    release(&scene).await;
    scene.until_object(SOON, KS, "app", |ks| tracked(ks) == 1).await.unwrap();
    assert!(!class_exists(&scene, &class));
}
