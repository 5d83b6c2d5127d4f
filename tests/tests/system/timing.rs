//! What happens at once, rather than at the next interval (which is an hour here).

use crate::config_map;
use serde_json::json;
use std::time::Duration;
use system_tests::{Kind, Scene};

async fn applied(title: &str) -> Scene {
    let scene = Scene::alone(title).await.unwrap();
    scene.commit(&[("a.yaml", Some(&config_map("a", "1")))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("app", &json!({})).unwrap();
    scene.until_ready(Kind::Kustomization, "app", "Applied").await.unwrap();
    scene
}

#[tokio::test]
async fn an_edit_is_undone_within_a_second() {
    let scene = applied("drift").await;
    let edit = json!({"data": {"key": "edited"}});
    scene.patch(Kind::ConfigMap, "a", &edit).await.unwrap();
    let second = Duration::from_secs(1);
    scene.until_object(second, Kind::ConfigMap, "a", |o| o["data"]["key"] == "1").await.unwrap();
}

#[tokio::test]
async fn a_deleted_object_comes_back_within_a_second() {
    let scene = applied("deleted").await;
    scene.delete(Kind::ConfigMap, "a").await.unwrap();
    let second = Duration::from_secs(1);
    scene.until_object(second, Kind::ConfigMap, "a", |o| o["data"]["key"] == "1").await.unwrap();
}

#[tokio::test]
async fn a_request_is_answered() {
    let scene = applied("request").await;
    for (kind, token) in [(Kind::GitRepository, "t1"), (Kind::Kustomization, "t2")] {
        scene.request_reconcile(kind, "app", token).await.unwrap();
        let handled = |o: &serde_json::Value| o["status"]["lastHandledReconcileAt"] == token;
        scene.until_object(Duration::from_secs(3), kind, "app", handled).await.unwrap();
    }
}

#[tokio::test]
async fn a_commit_is_applied_within_two_seconds_of_the_request() {
    let scene = applied("commit").await;
    scene.commit(&[("a.yaml", Some(&config_map("a", "2")))]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "now").await.unwrap();
    let limit = Duration::from_secs(2);
    scene.until_object(limit, Kind::ConfigMap, "a", |o| o["data"]["key"] == "2").await.unwrap();
}
