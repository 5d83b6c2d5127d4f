//! `readyExpr` and `ignore`: what users say about objects.

use crate::config_map;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use system_tests::{Kind, Scene, Shard};

#[tokio::test]
async fn a_dependency_is_ready_by_its_expression() {
    let scene = Scene::new("ready-expr").await.unwrap();
    let (first, second) = (config_map("a", "1"), config_map("b", "1"));
    scene.commit(&[("one/a.yaml", Some(&first)), ("two/b.yaml", Some(&second))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("one", &json!({"path": "./one"})).unwrap();
    scene.until_ready(Kind::Kustomization, "one", "Applied").await.unwrap();
    let open = "has(dep.metadata.labels) && 'stage' in dep.metadata.labels \
                && dep.metadata.labels['stage'] == 'two'";
    let two = json!({"path": "./two", "dependsOn": [{"name": "one", "readyExpr": open}]});
    scene.apply_kustomization("two", &two).unwrap();
    let unmet = "is not ready according to readyExpr eval";
    scene.until_failed(Kind::Kustomization, "two", unmet).await.unwrap();
    assert!(!scene.exists(Kind::ConfigMap, "b").await.unwrap());

    let start = Instant::now();
    let stage = json!({"metadata": {"labels": {"stage": "two"}}});
    scene.patch(Kind::Kustomization, "one", &stage).await.unwrap();
    scene.until_ready(Kind::Kustomization, "two", "Applied").await.unwrap();
    // Flux looks again every 30 s; here the dependency's label wakes it.
    assert!(start.elapsed() < Duration::from_secs(15), "took {:?}", start.elapsed());
}

#[tokio::test]
async fn by_a_gate_an_expression_is_asked_for_besides_readiness() {
    let scene = Scene::new("ready-expr-additive").await.unwrap();
    let (first, second) = (config_map("a", "1"), config_map("b", "1"));
    let (one, two) = ("resources: [none.yaml]\n", "resources: [b.yaml]\n");
    scene
        .commit(&[
            ("one/kustomization.yaml", Some(one)),
            ("two/kustomization.yaml", Some(two)),
            ("two/b.yaml", Some(&second)),
        ])
        .unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    // Nobody lives to see the clock's turn.
    let flags = ["--feature-gates=AdditiveCELDependencyCheck=true", "--requeue-dependency=1h"];
    let shard = Shard::start(&scene, scene.world().cluster(), &flags).unwrap();
    let two = json!({"path": "./two", "dependsOn": [{"name": "one", "readyExpr": "true"}]});
    let all = [("one", json!({"path": "./one"})), ("two", two)];
    let all = all.map(|(name, spec)| shard.object(scene.kustomization(name, &spec)));
    scene.apply_all(&all).unwrap();
    scene.until_failed(Kind::Kustomization, "one", "none.yaml").await.unwrap();
    scene.until_failed(Kind::Kustomization, "two", "/one' is not ready").await.unwrap();
    assert!(!scene.exists(Kind::ConfigMap, "b").await.unwrap());

    let mended = [("one/none.yaml", Some(first.as_str()))];
    let commit = scene.commit(&mended).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "mended").await.unwrap();
    scene.until_ready(Kind::Kustomization, "two", &commit).await.unwrap();
}

#[tokio::test]
async fn an_expression_that_does_not_compile_stalls() {
    let scene = Scene::new("ready-expr-wrong").await.unwrap();
    let file = config_map("a", "1");
    scene.commit(&[("a.yaml", Some(&file))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("one", &json!({})).unwrap();
    let two = json!({"dependsOn": [{"name": "one", "readyExpr": "dep.status."}]});
    scene.apply_kustomization("two", &two).unwrap();
    let wrong = "failed to evaluate dependency one";
    let ready = scene.until_failed(Kind::Kustomization, "two", wrong).await.unwrap();
    assert_eq!(ready.reason, "InvalidCELExpression", "{ready:?}");
}

#[tokio::test]
async fn ignored_fields_are_left_to_others() {
    let scene = Scene::new("ignore").await.unwrap();
    let file = config_map("c", "1");
    scene.commit(&[("c.yaml", Some(&file))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    let rules = json!([{"paths": ["/data/key"], "target": {"kind": "ConfigMap"}}]);
    scene.apply_kustomization("app", &json!({"ignore": rules})).unwrap();
    scene.until_ready(Kind::Kustomization, "app", "Applied").await.unwrap();
    let created = scene.get(Kind::ConfigMap, "c").await.unwrap();
    assert_eq!(created["data"]["key"], "1");

    let mine = json!({"data": {"key": "mine"}});
    scene.patch(Kind::ConfigMap, "c", &mine).await.unwrap();
    // Another field changes, so the object is applied again.
    let more = format!("{}  more: new\n", config_map("c", "2"));
    scene.commit(&[("c.yaml", Some(&more))]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "again").await.unwrap();
    let minute = Duration::from_mins(1);
    let applied = |object: &Value| object["data"]["more"] == "new";
    let object = scene.until_object(minute, Kind::ConfigMap, "c", applied).await.unwrap();
    assert_eq!(object["data"]["key"], "mine");
}
