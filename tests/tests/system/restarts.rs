//! Controllers that are killed in the middle of their work.

use crate::config_map;
use serde_json::json;
use system_tests::{Kind, Scene, World};

const APPS: usize = 20;

#[tokio::test]
async fn killed_controllers_finish_their_work_when_they_are_back() {
    // The other tests need controllers that stay.
    let world = World::own();
    let scene = Scene::on(world, "restart").await.unwrap();
    let apps = |value: &str| -> Vec<(String, String)> {
        let map = |n| {
            format!(
                "{}---\n{}",
                config_map(&format!("{}-x", name(n)), value),
                config_map(&format!("{}-y", name(n)), value)
            )
        };
        (0..APPS).map(|n| (format!("{}/a.yaml", name(n)), map(n))).collect()
    };
    let commit = |value: &str| {
        let files = apps(value);
        let files: Vec<_> = files.iter().map(|(p, t)| (p.as_str(), Some(t.as_str()))).collect();
        scene.commit(&files).unwrap()
    };
    let first = commit("1");
    scene.apply_source("app", &json!({})).unwrap();
    for n in 0..APPS {
        scene.apply_kustomization(&name(n), &json!({"path": format!("./{}", name(n))})).unwrap();
    }
    // Somewhere in the middle: one is done, so the others are on their way.
    scene.until_ready(Kind::Kustomization, &name(0), &first).await.unwrap();
    world.stack().lock().await.kill_and_restart_kustomize().await.unwrap();
    all_ready(&scene, &first).await;
    let before = uids(&scene).await;
    assert_eq!(before.len(), 2 * APPS);

    let second = commit("2");
    scene.request_reconcile(Kind::GitRepository, "app", "1").await.unwrap();
    world.stack().lock().await.kill_and_restart_source().await.unwrap();
    world.stack().lock().await.kill_and_restart_kustomize().await.unwrap();
    all_ready(&scene, &second).await;
    for object in scene.list(Kind::ConfigMap).await.unwrap() {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        assert!(!name.starts_with("app-") || object["data"]["key"] == "2", "{object}");
    }
    assert_eq!(uids(&scene).await, before, "an object was made again instead of changed");

    // The inventory has survived as well: what leaves the repository is still pruned.
    scene
        .commit(&[("app-00", None), ("app-00/keep.yaml", Some(&config_map("keep", "1")))])
        .unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "2").await.unwrap();
    scene.until_gone(Kind::ConfigMap, "app-00-x").await.unwrap();
}

async fn all_ready(scene: &Scene, commit: &str) {
    for n in 0..APPS {
        scene.until_ready(Kind::Kustomization, &name(n), commit).await.unwrap();
    }
}

async fn uids(scene: &Scene) -> Vec<String> {
    let objects = scene.list(Kind::ConfigMap).await.unwrap();
    let ours = objects.iter().map(|o| &o["metadata"]);
    let ours = ours.filter(|m| m["name"].as_str().is_some_and(|n| n.starts_with("app-")));
    ours.map(|m| m["uid"].as_str().unwrap_or_default().to_owned()).collect()
}

fn name(n: usize) -> String {
    format!("app-{n:02}")
}
