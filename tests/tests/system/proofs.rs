//! What is proven unchanged is not applied again, and the status never lies for it.

use crate::{config_map, deployment};
use serde_json::json;
use std::time::Duration;
use system_tests::{Kind, Scene};

const KS: Kind = Kind::Kustomization;

#[tokio::test]
async fn a_dependency_that_fails_for_a_while_is_forgiven() {
    let scene = Scene::new("flap").await.unwrap();
    let (one, two) = (config_map("a", "1"), config_map("b", "1"));
    scene.commit(&[("one/a.yaml", Some(&one)), ("two/b.yaml", Some(&two))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("one", &json!({"path": "./one"})).unwrap();
    scene
        .apply_kustomization("two", &json!({"path": "./two", "dependsOn": [{"name": "one"}]}))
        .unwrap();
    scene.until_ready(KS, "two", "Applied").await.unwrap();

    let path = |path: &str| json!({"spec": {"path": path}});
    scene.patch(KS, "one", &path("./nowhere")).await.unwrap();
    scene.until_failed(KS, "one", "path not found").await.unwrap();
    scene.request_reconcile(KS, "two", "while-one-fails").await.unwrap();
    scene.until_failed(KS, "two", "dependency").await.unwrap();
    scene.patch(KS, "one", &path("./one")).await.unwrap();
    scene.until_ready(KS, "two", "Applied").await.unwrap();
}

#[tokio::test]
async fn a_revert_is_told_although_the_tree_is_the_old_one() {
    let scene = Scene::new("revert").await.unwrap();
    let good = config_map("a", "1");
    scene.commit(&[("a.yaml", Some(&good))]).unwrap();
    scene.apply_source("app", &json!({"interval": "1h"})).unwrap();
    scene.apply_kustomization("app", &json!({})).unwrap();
    scene.until_ready(KS, "app", "Applied").await.unwrap();

    scene.commit(&[("a.yaml", Some("kind: [\n"))]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "bad").await.unwrap();
    scene.until_failed(KS, "app", "decode").await.unwrap();
    let reverted = scene.commit(&[("a.yaml", Some(&good))]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "good").await.unwrap();
    scene.until_ready(KS, "app", &reverted).await.unwrap();
}

#[tokio::test]
async fn what_a_superseded_revision_applied_is_pruned() {
    let scene = Scene::new("superseded").await.unwrap();
    let (waits, other) = (deployment("waits", false), config_map("other", "1"));
    scene.commit(&[("waits.yaml", Some(&waits))]).unwrap();
    scene.apply_source("app", &json!({"interval": "1h"})).unwrap();
    scene.apply_kustomization("app", &json!({"wait": true, "timeout": "10m"})).unwrap();
    let soon = Duration::from_mins(1);
    scene.until_object(soon, Kind::Deployment, "waits", |_| true).await.unwrap();

    // The first revision is never healthy, and the second does not have its object.
    scene.commit(&[("waits.yaml", None), ("other.yaml", Some(&other))]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "second").await.unwrap();
    scene.until_ready(KS, "app", "Applied").await.unwrap();
    scene.until_gone(Kind::Deployment, "waits").await.unwrap();
}
