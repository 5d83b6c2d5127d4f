//! Story 1: from a git repository to running objects, and what a user sees on the way.

use crate::{config_map, deployment};
use serde_json::json;
use system_tests::{Kind, Scene, repository_root};

#[tokio::test]
async fn the_example_becomes_running_pods() {
    let scene = Scene::new("git-app").await.unwrap();
    let example = repository_root().join("examples/git-app/repository");
    let commit = scene.repository().commit_folder("main", &example, "first").unwrap();
    scene.apply_source("git-app", &json!({"interval": "1m0s"})).unwrap();
    let spec = json!({
        "path": "./overlays/lab", "interval": "1m0s", "wait": true, "timeout": "1m",
        "sourceRef": {"kind": "GitRepository", "name": "git-app"},
    });
    scene.apply_kustomization("git-app", &spec).unwrap();
    let revision = format!("main@sha1:{commit}");
    let source =
        scene.until_ready(Kind::GitRepository, "git-app", "stored artifact").await.unwrap();
    assert_eq!(source.message, format!("stored artifact for revision '{revision}'"));
    let applied = scene.until_ready(Kind::Kustomization, "git-app", "Applied").await.unwrap();
    assert_eq!(applied.message, format!("Applied revision: {revision}"));
    let deployment = scene.get(Kind::Deployment, "hello").await.unwrap();
    assert_eq!(deployment["status"]["readyReplicas"], 2, "wait: true waits for the pods");

    let columns = |table: String| -> Vec<Vec<String>> {
        table.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
    };
    let table = columns(scene.namespace().kubectl(&["get", "gitrepository"]).unwrap());
    assert_eq!(table[0], ["NAME", "URL", "AGE", "READY", "STATUS"]);
    assert_eq!((&table[1][1], table[1][3].as_str()), (&scene.url(), "True"));
    let table = columns(scene.namespace().kubectl(&["get", "kustomization"]).unwrap());
    assert_eq!(table[0], ["NAME", "AGE", "READY", "STATUS"]);
    assert_eq!(table[1][3..].join(" "), format!("Applied revision: {revision}"));
}

#[tokio::test]
async fn what_leaves_the_repository_leaves_the_cluster() {
    let scene = Scene::new("prune").await.unwrap();
    let (a, b) = (config_map("a", "1"), config_map("b", "1"));
    let kept = format!("{b}---\n{}", deployment("web", true));
    scene.commit(&[("a.yaml", Some(&a)), ("b.yaml", Some(&kept))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("app", &json!({})).unwrap();
    scene.until_ready(Kind::Kustomization, "app", "Applied").await.unwrap();
    assert!(scene.exists(Kind::ConfigMap, "a").await.unwrap());

    let commit = scene.commit(&[("a.yaml", None)]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "1").await.unwrap();
    scene.until_ready(Kind::Kustomization, "app", &commit).await.unwrap();
    scene.until_gone(Kind::ConfigMap, "a").await.unwrap();
    assert!(scene.exists(Kind::ConfigMap, "b").await.unwrap());

    scene.delete(Kind::Kustomization, "app").await.unwrap();
    scene.until_gone(Kind::Kustomization, "app").await.unwrap();
    scene.until_gone(Kind::ConfigMap, "b").await.unwrap();
    scene.until_gone(Kind::Deployment, "web").await.unwrap();
}

#[tokio::test]
async fn a_wrong_path_is_named_and_then_healed() {
    let scene = Scene::new("path").await.unwrap();
    scene.commit(&[("app/a.yaml", Some(&config_map("a", "1")))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("app", &json!({"path": "./ap"})).unwrap();
    let failed = scene.until_failed(Kind::Kustomization, "app", "path not found").await.unwrap();
    assert_eq!(failed.reason, "ArtifactFailed");
    let (start, end) = ("kustomization path not found: stat ", "/ap: no such file or directory");
    assert!(failed.message.starts_with(start) && failed.message.ends_with(end), "{failed:?}");
    scene.apply_kustomization("app", &json!({"path": "./app"})).unwrap();
    scene.until_ready(Kind::Kustomization, "app", "Applied").await.unwrap();
}

#[tokio::test]
async fn a_suspended_object_rests_until_it_is_resumed() {
    let scene = Scene::new("suspend").await.unwrap();
    let first = scene.commit(&[("a.yaml", Some(&config_map("a", "1")))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("rests", &json!({})).unwrap();
    scene.until_ready(Kind::Kustomization, "rests", &first).await.unwrap();
    scene.apply_kustomization("rests", &json!({"suspend": true})).unwrap();
    // It applies the same files, as a witness that the new revision has been handed out.
    scene.apply_kustomization("witness", &json!({"namePrefix": "w-", "prune": false})).unwrap();
    let second = scene.commit(&[("a.yaml", Some(&config_map("a", "2")))]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "1").await.unwrap();
    scene.until_ready(Kind::Kustomization, "witness", &second).await.unwrap();
    let resting = scene.get(Kind::Kustomization, "rests").await.unwrap();
    assert_eq!(resting["status"]["lastAppliedRevision"], format!("main@sha1:{first}"));
    assert_eq!(scene.get(Kind::ConfigMap, "a").await.unwrap()["data"]["key"], "1");

    scene.apply_kustomization("rests", &json!({"suspend": false})).unwrap();
    scene.until_ready(Kind::Kustomization, "rests", &second).await.unwrap();
    assert_eq!(scene.get(Kind::ConfigMap, "a").await.unwrap()["data"]["key"], "2");
}
