//! `dependsOn`: order, and no waiting for a clock.

use crate::{config_map, deployment};
use serde_json::json;
use std::time::{Duration, Instant};
use system_tests::{Kind, Scene};

#[tokio::test]
async fn a_cycle_is_named_with_its_path() {
    let scene = Scene::new("cycle").await.unwrap();
    scene.commit(&[("a.yaml", Some(&config_map("a", "1")))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    for (name, on) in [("a", "b"), ("b", "c"), ("c", "a")] {
        scene.apply_kustomization(name, &json!({"dependsOn": [{"name": on}]})).unwrap();
    }
    let ns = scene.namespace().name().to_owned();
    for path in [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"]] {
        // Who came first did not know of the others; a look is enough.
        scene.request_reconcile(Kind::Kustomization, path[0], "look").await.unwrap();
        let circle = path.iter().chain(&path[..1]).map(|name| format!("{ns}/{name}"));
        let circle = circle.collect::<Vec<_>>().join(" -> ");
        let part = format!("circular dependency detected: {circle}");
        scene.until_failed(Kind::Kustomization, path[0], &part).await.unwrap();
    }
    assert!(!scene.exists(Kind::ConfigMap, "a").await.unwrap());
}

#[tokio::test]
async fn they_are_applied_in_order() {
    let scene = Scene::new("depends").await.unwrap();
    let (first, second) = (deployment("web", true), config_map("b", "1"));
    scene.commit(&[("one/a.yaml", Some(&first)), ("two/b.yaml", Some(&second))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    let two = json!({"path": "./two", "dependsOn": [{"name": "one"}]});
    scene.apply_kustomization("two", &two).unwrap();
    scene.until_failed(Kind::Kustomization, "two", "dependency").await.unwrap();
    assert!(!scene.exists(Kind::ConfigMap, "b").await.unwrap());

    let start = Instant::now();
    scene.apply_kustomization("one", &json!({"path": "./one", "wait": true})).unwrap();
    scene.until_ready(Kind::Kustomization, "two", "Applied").await.unwrap();
    // Flux looks again every 30 s; here the dependency's event wakes it.
    assert!(start.elapsed() < Duration::from_secs(15), "took {:?}", start.elapsed());
    let at = |object: serde_json::Value, pointer: &str| {
        object.pointer(pointer).and_then(|t| t.as_str()).unwrap_or_default().to_owned()
    };
    let one = scene.get(Kind::Kustomization, "one").await.unwrap();
    let ready =
        one["status"]["conditions"].as_array().unwrap().iter().find(|c| c["type"] == "Ready");
    let ready = at(ready.unwrap().clone(), "/lastTransitionTime");
    let b = scene.get(Kind::ConfigMap, "b").await.unwrap();
    assert!(at(b, "/metadata/creationTimestamp") >= ready, "b came before `one` was Ready");
}
