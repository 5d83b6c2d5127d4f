//! Deletions that look like an accident wait until a person confirms them.

use crate::config_map;
use serde_json::{Value, json};
use std::time::Duration;
use system_tests::{Kind, Scene};

const KS: Kind = Kind::Kustomization;
const CONFIRM: &str = "ferroflux.dev/confirm-prune";
const SOON: Duration = Duration::from_mins(1);

fn held(object: &Value) -> Option<&Value> {
    let conditions = object["status"]["conditions"].as_array()?;
    conditions.iter().find(|condition| condition["type"] == "PruneHeld")
}

/// The value that the condition says will confirm.
fn digest(object: &Value) -> String {
    let message = held(object).unwrap()["message"].as_str().unwrap().to_owned();
    message.split_once(&format!("{CONFIRM}=")).unwrap().1.to_owned()
}

async fn annotate(scene: &Scene, key: &str, value: &str) {
    let change = json!({"metadata": {"annotations": {key: value}}});
    scene.patch(KS, "app", &change).await.unwrap();
}

fn inventory(object: &Value) -> usize {
    object["status"]["inventory"]["entries"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn an_empty_build_deletes_nothing_until_it_is_confirmed() {
    let scene = Scene::new("empty-build").await.unwrap();
    let all: Vec<String> = (0..12).map(|n| config_map(&format!("m{n:02}"), "1")).collect();
    scene.commit(&[("x/all.yaml", Some(&all.join("---\n"))), ("x/none.yaml", Some(""))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("app", &json!({"path": "./x"})).unwrap();
    scene.until_ready(KS, "app", "Applied").await.unwrap();

    let empty = scene.commit(&[("x/all.yaml", None)]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "1").await.unwrap();
    scene.until_ready(KS, "app", &empty).await.unwrap();
    let object = scene.until_object(SOON, KS, "app", |ks| held(ks).is_some()).await.unwrap();
    let condition = held(&object).unwrap();
    assert_eq!(
        (&condition["status"], &condition["reason"]),
        (&json!("True"), &json!("EmptyBuild"))
    );
    let message = condition["message"].as_str().unwrap();
    let (name, namespace) = ("ConfigMap/", scene.namespace().name());
    let start = format!(
        "12 of 12 objects would be deleted ({name}{namespace}/m00, {name}{namespace}/m01, \
         {name}{namespace}/m02 and 9 more) and the build is empty; to delete them: kubectl annotate \
         --overwrite -n {namespace} kustomization/app {CONFIRM}="
    );
    assert!(message.starts_with(&start), "{message}");
    assert_eq!(inventory(&object), 12, "what is held is still ours");
    let maps = |all: &[Value]| {
        all.iter().filter(|map| map["metadata"]["name"].as_str().unwrap().starts_with('m')).count()
    };
    assert_eq!(maps(&scene.list(Kind::ConfigMap).await.unwrap()), 12);

    // A confirmation of something else is none.
    annotate(&scene, CONFIRM, "true").await;
    scene.request_reconcile(KS, "app", "still-held").await.unwrap();
    let handled = |ks: &Value| ks["status"]["lastHandledReconcileAt"] == "still-held";
    let object = scene.until_object(SOON, KS, "app", handled).await.unwrap();
    assert_eq!((inventory(&object), held(&object).is_some()), (12, true));

    // What is wanted again is not held any more, the rest is.
    let some = scene.commit(&[("x/all.yaml", Some(&all[..8].join("---\n")))]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "2").await.unwrap();
    scene.until_ready(KS, "app", &some).await.unwrap();
    let rest = |ks: &Value| {
        held(ks).is_some_and(|it| it["message"].as_str().unwrap().starts_with("4 of 12 objects"))
    };
    let object = scene.until_object(SOON, KS, "app", rest).await.unwrap();

    // The command of the message is all it takes.
    annotate(&scene, CONFIRM, &digest(&object)).await;
    let free = |ks: &Value| held(ks).is_none() && inventory(ks) == 8;
    scene.until_object(SOON, KS, "app", free).await.unwrap();
    scene.until_gone(Kind::ConfigMap, "m11").await.unwrap();
    assert_eq!(maps(&scene.list(Kind::ConfigMap).await.unwrap()), 8);
}

#[tokio::test]
async fn a_confirmation_is_not_for_objects_that_were_made_since() {
    let scene = Scene::new("confirmed-once").await.unwrap();
    let all: Vec<String> = (0..12).map(|n| config_map(&format!("m{n:02}"), "1")).collect();
    let (all, mut turn) = (all.join("---\n"), 0);
    scene.commit(&[("x/all.yaml", Some(&all)), ("x/none.yaml", Some(""))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("app", &json!({"path": "./x"})).unwrap();
    scene.until_ready(KS, "app", "Applied").await.unwrap();
    let mut commit = |file: Option<&str>| {
        turn += 1;
        (scene.commit(&[("x/all.yaml", file)]).unwrap(), format!("turn-{turn}"))
    };
    let (empty, turn) = commit(None);
    scene.request_reconcile(Kind::GitRepository, "app", &turn).await.unwrap();
    scene.until_ready(KS, "app", &empty).await.unwrap();
    let object = scene.until_object(SOON, KS, "app", |ks| held(ks).is_some()).await.unwrap();
    annotate(&scene, CONFIRM, &digest(&object)).await;
    scene.until_object(SOON, KS, "app", |ks| inventory(ks) == 0).await.unwrap();

    let (full, turn) = commit(Some(&all));
    scene.request_reconcile(Kind::GitRepository, "app", &turn).await.unwrap();
    scene.until_ready(KS, "app", &full).await.unwrap();
    let (empty, turn) = commit(None);
    scene.request_reconcile(Kind::GitRepository, "app", &turn).await.unwrap();
    scene.until_ready(KS, "app", &empty).await.unwrap();
    let object = scene.until_object(SOON, KS, "app", |ks| held(ks).is_some()).await.unwrap();
    assert_eq!(inventory(&object), 12, "they were deleted by the word that was given for others");
    assert!(scene.exists(Kind::ConfigMap, "m11").await.unwrap());
}

#[tokio::test]
async fn a_kustomization_can_ask_for_the_full_guard() {
    let scene = Scene::new("full-guard").await.unwrap();
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec:\n  \
                 accessModes: [ReadWriteOnce]\n  resources: {requests: {storage: 1Gi}}\n";
    let files = [("claim.yaml", Some(claim)), ("b.yaml", Some(&config_map("b", "1")[..]))];
    scene.commit(&files).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("app", &json!({})).unwrap();
    scene.until_ready(KS, "app", "Applied").await.unwrap();
    annotate(&scene, "ferroflux.dev/prune-guard", "full").await;

    scene.commit(&[("claim.yaml", None), ("c.yaml", Some(&config_map("c", "1")))]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "1").await.unwrap();
    let object = scene.until_object(SOON, KS, "app", |ks| held(ks).is_some()).await.unwrap();
    assert_eq!(held(&object).unwrap()["reason"], "ProtectedKind");
    assert!(scene.exists(Kind::ConfigMap, "c").await.unwrap(), "the rest is applied");
    let claims = || scene.namespace().kubectl(&["get", "pvc", "-o", "name"]).unwrap();
    assert!(claims().contains("data"));

    annotate(&scene, "ferroflux.dev/prune-guard", "none").await;
    scene.until_object(SOON, KS, "app", |ks| held(ks).is_none()).await.unwrap();
    let terminating = "jsonpath={.items[*].metadata.deletionTimestamp}";
    let gone = claims().is_empty()
        || !scene.namespace().kubectl(&["get", "pvc", "-o", terminating]).unwrap().is_empty();
    assert!(gone, "without the guard it is deleted");
}
