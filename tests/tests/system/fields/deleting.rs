//! What becomes of the objects when their Kustomization goes.

use super::PATIENCE;
use crate::config_map;
use serde_json::{Value, json};
use std::time::Duration;
use system_tests::{Kind, Scene};

const KS: Kind = Kind::Kustomization;
const MAP: Kind = Kind::ConfigMap;

/// A Kustomization and whether its ConfigMap goes with it.
const CASES: &[(&str, &str, bool, bool)] = &[
    // name, policy, prune, gone
    ("mirror-prune", "MirrorPrune", true, true),
    ("mirror-keep", "MirrorPrune", false, false),
    ("delete", "Delete", false, true),
    ("orphan", "Orphan", true, false),
    ("termination", "WaitForTermination", false, true),
];

#[tokio::test]
async fn each_policy_is_kept() {
    let scene = Scene::new("deletion").await.unwrap();
    let files: Vec<(String, String)> = CASES
        .iter()
        .map(|(name, ..)| (format!("{name}/a.yaml"), config_map(name, "1")))
        .chain([("suspended/a.yaml".to_owned(), config_map("suspended", "1"))])
        .collect();
    let files: Vec<_> = files.iter().map(|(p, t)| (p.as_str(), Some(t.as_str()))).collect();
    scene.commit(&files).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    let object = |(name, policy, prune): (&str, &str, bool)| {
        let path = format!("./{name}");
        let spec = json!({"path": path, "deletionPolicy": policy, "prune": prune, "timeout": "5m"});
        scene.kustomization(name, &spec)
    };
    let mut objects: Vec<Value> =
        CASES.iter().map(|(name, policy, prune, _)| object((name, policy, *prune))).collect();
    objects.push(object(("suspended", "Delete", true)));
    scene.apply_all(&objects).unwrap();
    for (name, ..) in CASES {
        scene.until_ready(KS, name, "Applied").await.unwrap();
    }
    scene.until_ready(KS, "suspended", "Applied").await.unwrap();
    scene.patch(KS, "suspended", &json!({"spec": {"suspend": true}})).await.unwrap();
    // Somebody holds on to the object whose end is waited for.
    let hold = |holders: Value| json!({"metadata": {"finalizers": holders}});
    scene.patch(MAP, "termination", &hold(json!(["example.com/hold"]))).await.unwrap();

    for (name, ..) in CASES {
        scene.delete(KS, name).await.unwrap();
    }
    scene.delete(KS, "suspended").await.unwrap();
    let deleted = |o: &Value| !o["metadata"]["deletionTimestamp"].is_null();
    scene.until_object(PATIENCE, MAP, "termination", deleted).await.unwrap();
    for (name, .., gone) in CASES.iter().filter(|(name, ..)| *name != "termination") {
        scene.until_gone(KS, name).await.unwrap();
        if *gone {
            scene.until_gone(MAP, name).await.unwrap();
        } else {
            assert!(scene.exists(MAP, name).await.unwrap(), "{name} was to stay");
        }
    }
    scene.until_gone(KS, "suspended").await.unwrap();
    assert!(scene.exists(MAP, "suspended").await.unwrap(), "a suspended one deletes nothing");
    assert!(scene.exists(KS, "termination").await.unwrap(), "the end was not waited for");
    scene.patch(MAP, "termination", &hold(json!(null))).await.unwrap();
    scene.until_gone(KS, "termination").await.unwrap();
    assert!(!scene.exists(MAP, "termination").await.unwrap());
}

#[tokio::test]
async fn nobody_waits_for_what_is_to_stay() {
    let scene = Scene::new("termination-kept").await.unwrap();
    let kept = config_map("kept", "1").replace(
        "  name: kept\n",
        "  name: kept\n  annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}\n",
    );
    let gone = config_map("gone", "1");
    scene.commit(&[("kept.yaml", Some(&kept)), ("gone.yaml", Some(&gone))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    // Far longer than anybody here waits.
    let spec = json!({"deletionPolicy": "WaitForTermination", "timeout": "1h"});
    scene.apply_kustomization("app", &spec).unwrap();
    scene.until_ready(KS, "app", "Applied").await.unwrap();
    scene.delete(KS, "app").await.unwrap();
    scene.until_gone(KS, "app").await.unwrap();
    assert!(scene.exists(MAP, "kept").await.unwrap() && !scene.exists(MAP, "gone").await.unwrap());
}

#[tokio::test]
async fn waiting_for_the_end_has_an_end() {
    let scene = Scene::new("lingering").await.unwrap();
    scene.commit(&[("a.yaml", Some(&config_map("a", "1")))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    // No timeout is shorter than 30 seconds.
    let spec = json!({"deletionPolicy": "WaitForTermination", "timeout": "1s"});
    scene.apply_kustomization("app", &spec).unwrap();
    scene.until_ready(KS, "app", "Applied").await.unwrap();
    let hold = json!({"metadata": {"finalizers": ["example.com/hold"]}});
    scene.patch(MAP, "a", &hold).await.unwrap();
    scene.delete(KS, "app").await.unwrap();
    scene.until_gone(KS, "app").await.unwrap();
    assert!(scene.exists(MAP, "a").await.unwrap());
    let told = scene.list(Kind::Event).await.unwrap();
    let told = json!(told).to_string();
    assert!(told.contains("failed to wait for resources termination"), "{told}");
    scene.patch(MAP, "a", &json!({"metadata": {"finalizers": null}})).await.unwrap();
    let end = testbed::eventually(Duration::from_secs(10), || async {
        anyhow::ensure!(!scene.exists(MAP, "a").await?, "it is still there");
        Ok(())
    });
    end.await.unwrap();
}
