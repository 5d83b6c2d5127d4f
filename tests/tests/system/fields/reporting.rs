//! What the status says.

use super::{PATIENCE, holds};
use crate::config_map;
use serde_json::{Value, json};
use system_tests::{Kind, Scene};

const KS: Kind = Kind::Kustomization;

#[tokio::test]
async fn the_status_says_what_was_done() {
    let scene = Scene::new("status").await.unwrap();
    let namespace = scene.namespace().name().to_owned();
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: \"a:b\"}\n";
    let first =
        scene.commit(&[("a.yaml", Some(&config_map("a", "1"))), ("r.yaml", Some(role))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("app", &json!({})).unwrap();
    scene.until_ready(KS, "app", &first).await.unwrap();
    let revision = |commit: &str| format!("main@sha1:{commit}");
    let ids = json!([
        {"id": format!("{namespace}_a__b_rbac.authorization.k8s.io_Role"), "v": "v1"},
        {"id": format!("{namespace}_a__ConfigMap"), "v": "v1"},
    ]);
    let object = scene.get(KS, "app").await.unwrap();
    let said = json!({
        "observedGeneration": 1,
        "lastAppliedRevision": revision(&first),
        "lastAttemptedRevision": revision(&first),
        "lastHandledReconcileAt": null,
        "inventory": {"entries": ids},
        "history": [{
            "lastReconciledStatus": "ReconciliationSucceeded",
            "totalReconciliations": 1,
            "metadata": {"revision": revision(&first)},
        }],
    });
    assert!(holds(&object["status"], &said), "{object}");

    // The same build once more is one entry still; a request is acknowledged.
    scene.request_reconcile(KS, "app", "token").await.unwrap();
    let handled = |o: &Value| o["status"]["lastHandledReconcileAt"] == "token";
    let object = scene.until_object(PATIENCE, KS, "app", handled).await.unwrap();
    let again = json!([{"totalReconciliations": 2}]);
    assert!(holds(&object["status"]["history"], &again), "{object}");

    // A failure keeps what was applied, and the generation that was seen.
    let bad = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: [wrong]\n";
    let second = scene.commit(&[("r.yaml", None), ("c.yaml", Some(bad))]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "1").await.unwrap();
    let attempted = |o: &Value| o["status"]["lastAttemptedRevision"] == revision(&second);
    scene.until_object(PATIENCE, KS, "app", attempted).await.unwrap();
    scene.until_failed(KS, "app", "dry-run failed").await.unwrap();
    scene.patch(KS, "app", &json!({"spec": {"interval": "2h"}})).await.unwrap();
    scene.until_failed(KS, "app", "dry-run failed").await.unwrap();
    let object = scene.get(KS, "app").await.unwrap();
    let said = json!({
        "lastAppliedRevision": revision(&first),
        "inventory": {"entries": ids},
    });
    assert!(holds(&object["status"], &said), "{object}");
    let newest = &object["status"]["history"][0];
    assert!(holds(newest, &json!({"lastReconciledStatus": "ReconciliationFailed"})), "{object}");
    assert_ne!(object["status"]["observedGeneration"], object["metadata"]["generation"]);

    let third = scene.commit(&[("c.yaml", None)]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "2").await.unwrap();
    scene.until_ready(KS, "app", &third).await.unwrap();
    let object = scene.get(KS, "app").await.unwrap();
    assert_eq!(object["status"]["observedGeneration"], object["metadata"]["generation"]);
    let entries = &object["status"]["inventory"]["entries"];
    assert_eq!(entries, &json!([ids[1]]));
    let outcomes: Vec<&Value> = object["status"]["history"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|entry| &entry["lastReconciledStatus"])
        .collect();
    let failed = "ReconciliationFailed";
    let succeeded = "ReconciliationSucceeded";
    assert_eq!(outcomes, [succeeded, failed, succeeded], "{object}");
}
