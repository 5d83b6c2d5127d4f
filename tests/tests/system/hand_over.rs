//! Objects that move from one Kustomization to another stay what they are.

use crate::config_map;
use serde_json::{Value, json};
use std::time::Duration;
use system_tests::{Kind, Scene};

const KS: Kind = Kind::Kustomization;
const SOON: Duration = Duration::from_mins(1);
const OWNER: &str = "kustomize.toolkit.fluxcd.io/name";

/// Waits until an object belongs to this Kustomization, and gives its uid.
async fn uid_of(scene: &Scene, name: &str, owner: &str) -> String {
    let is_its = |map: &Value| map["metadata"]["labels"][OWNER] == owner;
    let map = scene.until_object(SOON, Kind::ConfigMap, name, is_its).await.unwrap();
    map["metadata"]["uid"].as_str().unwrap().to_owned()
}

fn tracks(ks: &Value, name: &str) -> bool {
    let entries = ks["status"]["inventory"]["entries"].as_array();
    let part = format!("_{name}__ConfigMap");
    entries.is_some_and(|all| all.iter().any(|it| it["id"].as_str().unwrap().ends_with(&part)))
}

/// `from` and `to` of one source; `to` has its turn after `from`, so that what leaves `from` would be
/// pruned before `to` can claim it.
async fn moved(title: &str, first: &str, second: &str) {
    let scene = Scene::new(title).await.unwrap();
    let (stays, moves) = (config_map("stays", "1"), config_map("moves", "1"));
    let files = [("from/a.yaml", &stays), ("from/b.yaml", &moves), ("to/c.yaml", &stays)];
    let files = files.map(|(path, text)| (path, Some(text.replace("stays", &path[..2]))));
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_deref())).collect();
    scene.commit(&files).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization(first, &json!({"path": format!("./{first}")})).unwrap();
    let after = json!({"path": format!("./{second}"), "dependsOn": [{"name": first}]});
    scene.apply_kustomization(second, &after).unwrap();
    scene.until_ready(KS, "from", "Applied").await.unwrap();
    scene.until_ready(KS, "to", "Applied").await.unwrap();
    let uid = uid_of(&scene, "moves", "from").await;

    let commit = scene.commit(&[("from/b.yaml", None), ("to/b.yaml", Some(&moves))]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "move").await.unwrap();
    scene.until_ready(KS, "from", &commit).await.unwrap();
    scene.until_ready(KS, "to", &commit).await.unwrap();
    assert_eq!(uid_of(&scene, "moves", "to").await, uid, "it is another object");
    // Where it came from lets go of it without waiting for a clock.
    scene.until_object(SOON, KS, "from", |ks| !tracks(ks, "moves")).await.unwrap();
    let to = scene.get(KS, "to").await.unwrap();
    assert!(tracks(&to, "moves"));
    assert_eq!(uid_of(&scene, "moves", "to").await, uid, "it was deleted late");
}

#[tokio::test]
async fn what_leaves_the_first_stays_until_the_second_has_it() {
    moved("hand-over", "from", "to").await;
}

#[tokio::test]
async fn what_the_second_has_already_is_left_to_it() {
    moved("taken-over", "to", "from").await;
}

#[tokio::test]
async fn a_kustomization_that_is_renamed_keeps_its_objects() {
    let scene = Scene::new("rename").await.unwrap();
    scene.commit(&[("x/a.yaml", Some(&config_map("moves", "1")))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("old", &json!({"path": "./x"})).unwrap();
    scene.until_ready(KS, "old", "Applied").await.unwrap();
    let uid = uid_of(&scene, "moves", "old").await;

    // The new name has to wait, and the old one waits for it.
    let waits = json!({"path": "./x", "dependsOn": [{"name": "gate"}]});
    scene.apply_kustomization("new", &waits).unwrap();
    scene.until_failed(KS, "new", "gate").await.unwrap();
    scene.delete(KS, "old").await.unwrap();
    scene.commit(&[("gate/b.yaml", Some(&config_map("gate", "1")))]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "gate").await.unwrap();
    scene.apply_kustomization("gate", &json!({"path": "./gate"})).unwrap();
    scene.until_ready(KS, "new", "Applied").await.unwrap();
    scene.until_gone(KS, "old").await.unwrap();
    assert_eq!(uid_of(&scene, "moves", "new").await, uid, "it is another object");
}
