//! A commit concerns those whose files it changes.

use crate::config_map;
use serde_json::json;
use std::time::Duration;
use system_tests::{Kind, Scene};
use testbed::eventually;

const KS: Kind = Kind::Kustomization;

#[tokio::test]
async fn what_read_nothing_new_follows_without_a_build() {
    let scene = Scene::new("subtree").await.unwrap();
    let base = |value: &str| config_map("base", value);
    let overlay = |name: &str| format!("namePrefix: {name}-\nresources: [../base, own.yaml]\n");
    let (one, two, three) = (overlay("one"), overlay("two"), "resources: [own.yaml]\n");
    let first = (config_map("own", "1"), base("1"));
    scene
        .commit(&[
            ("base/kustomization.yaml", Some("resources: [map.yaml]\n")),
            ("base/map.yaml", Some(&first.1)),
            ("one/kustomization.yaml", Some(&one)),
            ("one/own.yaml", Some(&first.0)),
            ("two/kustomization.yaml", Some(&two)),
            ("two/own.yaml", Some(&first.0)),
            ("three/kustomization.yaml", Some(three)),
            ("three/own.yaml", Some(&config_map("three", "1"))),
        ])
        .unwrap();
    // Whoever builds needs the rights of this account to apply, and whoever does not build does not.
    let account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: applier}\n";
    scene.namespace().apply(account).unwrap();
    let binding = ["create", "rolebinding", "applier", "--clusterrole=admin"];
    let subject = format!("--serviceaccount={}:applier", scene.namespace().name());
    let bind = [&binding[..], &[subject.as_str()]].concat();
    scene.namespace().kubectl(&bind).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    for name in ["one", "two", "three"] {
        let spec = json!({"path": format!("./{name}"), "serviceAccountName": "applier"});
        scene.apply_kustomization(name, &spec).unwrap();
    }
    for name in ["one", "two", "three"] {
        scene.until_ready(KS, name, "Applied").await.unwrap();
    }
    let history = |ks: &serde_json::Value| {
        let last = &ks["status"]["history"][0];
        (last["totalReconciliations"].as_i64().unwrap(), last["digest"].clone())
    };
    let before = history(&scene.get(KS, "two").await.unwrap());

    scene.namespace().kubectl(&["delete", "rolebinding", "applier"]).unwrap();
    eventually(Duration::from_secs(30), || async {
        let user = format!("--as=system:serviceaccount:{}:applier", scene.namespace().name());
        let asked = scene.namespace().kubectl(&["auth", "can-i", "get", "configmaps", &user]);
        anyhow::ensure!(asked.is_err(), "it still has the right");
        Ok(())
    })
    .await
    .unwrap();
    let second = scene.commit(&[("one/own.yaml", Some(&config_map("own", "2")))]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "one").await.unwrap();
    scene.until_failed(KS, "one", "forbidden").await.unwrap();
    scene.until_ready(KS, "two", &second).await.unwrap();
    scene.until_ready(KS, "three", &second).await.unwrap();
    let two = scene.get(KS, "two").await.unwrap();
    assert_eq!(history(&two), (before.0 + 1, before.1), "it is one more of the same");
    let revision = &two["status"]["history"][0]["metadata"]["revision"];
    assert!(revision.as_str().unwrap().ends_with(&second));

    // A change of the base concerns all that are built on it, and a new neighbour nobody.
    let third =
        scene.commit(&[("base/map.yaml", Some(&base("2"))), ("x.yaml", Some("a"))]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "base").await.unwrap();
    scene.until_failed(KS, "two", "forbidden").await.unwrap();
    scene.until_ready(KS, "three", &third).await.unwrap();
    scene.namespace().kubectl(&bind).unwrap();
    for name in ["one", "two"] {
        scene.request_reconcile(KS, name, "again").await.unwrap();
        scene.until_ready(KS, name, &third).await.unwrap();
    }
    let map = scene.get(Kind::ConfigMap, "two-base").await.unwrap();
    assert_eq!(map["data"]["key"], "2");
    let own = scene.get(Kind::ConfigMap, "one-own").await.unwrap();
    assert_eq!(own["data"]["key"], "2");
}

#[tokio::test]
async fn a_request_and_drift_are_not_put_off() {
    let scene = Scene::new("subtree-drift").await.unwrap();
    scene.commit(&[("a/a.yaml", Some(&config_map("a", "1")))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("app", &json!({"path": "./a"})).unwrap();
    scene.until_ready(KS, "app", "Applied").await.unwrap();
    scene.patch(Kind::ConfigMap, "a", &json!({"data": {"key": "edited"}})).await.unwrap();
    let second = scene.commit(&[("b.yaml", Some(&config_map("b", "1")))]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "b").await.unwrap();
    scene.until_ready(KS, "app", &second).await.unwrap();
    let undone = |map: &serde_json::Value| map["data"]["key"] == "1";
    let soon = Duration::from_mins(1);
    scene.until_object(soon, Kind::ConfigMap, "a", undone).await.unwrap();
}
