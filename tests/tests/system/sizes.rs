//! What is too much for one object is refused before it does harm.

use std::time::Instant;

use serde_json::json;
use system_tests::{Kind, Scene, Shard};
use testbed::{ApiProxy, Usage};

/// More objects than one status can name.
const OBJECTS: usize = 20_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_objects_for_one_kustomization_are_refused_before_any_is_sent() {
    let scene = Scene::new("sizes").await.unwrap();
    let map = |n| crate::config_map(&format!("one-of-very-many-{n:05}"), "1");
    let maps = (0..OBJECTS).map(map).collect::<Vec<_>>().join("---\n");
    scene.commit(&[("many.yaml", Some(&maps))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.until_ready(Kind::GitRepository, "app", "stored").await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let proxy = ApiProxy::start(scene.world().cluster(), dir.path()).await.unwrap();
    let shard = Shard::start(&scene, proxy.cluster(), &[]).unwrap();
    let began = Instant::now();
    scene.apply_all(&[shard.object(scene.kustomization("app", &json!({})))]).unwrap();
    let refused = scene.until_failed(Kind::Kustomization, "app", "").await.unwrap();
    let took = began.elapsed();
    println!("refused after {took:?}, {:?}", Usage::of(shard.pid()).unwrap());
    let start = format!("the inventory of {OBJECTS} objects takes ");
    assert!(refused.message.starts_with(&start), "{refused:?}");
    assert!(refused.message.ends_with("divide the objects among several Kustomizations"));
    let sent = proxy.take_requests();
    let sent: Vec<_> = sent.iter().filter(|line| line.contains("/configmaps/")).collect();
    assert!(sent.is_empty(), "{} requests: {:?}", sent.len(), sent[0]);
}
