//! Prune: only what is ours and does not object.

use std::time::Duration;

use cluster_apply::{Owner, Stale, doomed, prune, wait_for_termination};
use serde_json::json;

use super::Bench;

#[tokio::test]
async fn only_what_is_ours_and_does_not_object_is_deleted() {
    let bench = Bench::new("prune").await;
    let name = bench.namespace.name();
    let objects = [
        bench.config_map("a", &json!({})),
        bench.config_map("foreign", &json!({})),
        bench.config_map("kept", &json!({})),
        bench.deployment("web", 0),
    ];
    let done = bench.apply(&objects).await.unwrap();
    let stale: Vec<Stale> = done
        .entries
        .into_iter()
        .map(|entry| Stale { id: entry.id, version: entry.version })
        .chain(["_gone__ConfigMap", "x_y_no.such.group_Thing"].map(|id| Stale {
            id: manifest::ObjectId::from_inventory_id(id).unwrap(),
            version: "v1".to_owned(),
        }))
        .collect();
    let label = "kustomize.toolkit.fluxcd.io/name=other";
    bench.namespace.kubectl(&["label", "--overwrite", "configmap/foreign", label]).unwrap();
    let keep = "kustomize.toolkit.fluxcd.io/prune=Disabled";
    bench.namespace.kubectl(&["annotate", "configmap/kept", keep]).unwrap();

    let other = Owner { namespace: name.to_owned(), name: "nobody".to_owned() };
    let skipped = prune(&bench.tenant, &other, vec![stale[0].clone()]).await;
    assert_eq!(skipped.done.full_log(), format!("ConfigMap/{name}/a skipped"));

    let would_go = doomed(&bench.tenant, &bench.options.owner, &stale).await;
    let would_go: Vec<_> = would_go.iter().map(|stale| stale.id.to_string()).collect();
    assert_eq!(would_go, [format!("ConfigMap/{name}/a"), format!("Deployment/{name}/web")]);

    let pruned = prune(&bench.tenant, &bench.options.owner, stale.clone()).await;
    assert_eq!(pruned.failure(), None);
    assert_eq!(
        pruned.done.full_log(),
        format!(
            "Thing/x/y deleted\nDeployment/{name}/web deleted\nConfigMap/{name}/kept skipped\n\
             ConfigMap/{name}/foreign skipped\nConfigMap/{name}/a deleted\nConfigMap/gone deleted"
        )
    );
    let deleted: Vec<Stale> =
        stale.into_iter().filter(|s| s.id.name == "a" || s.id.kind == "Deployment").collect();
    let limit = Duration::from_secs(30);
    wait_for_termination(&bench.tenant, &deleted, limit).await.unwrap();
    assert!(!bench.exists("configmap/a") && !bench.exists("deployment/web"));
    assert!(bench.exists("configmap/foreign") && bench.exists("configmap/kept"));
}

#[tokio::test]
async fn what_does_not_go_in_time_is_named() {
    let bench = Bench::new("stays").await;
    let mut object = bench.config_map("held", &json!({}));
    object["metadata"]["finalizers"] = json!(["example.com/hold"]);
    let done = bench.apply(&[object]).await.unwrap();
    let entry = &done.entries[0];
    let held = vec![Stale { id: entry.id.clone(), version: entry.version.clone() }];
    let pruned = prune(&bench.tenant, &bench.options.owner, held.clone()).await;
    assert!(pruned.failure().is_none());
    let error = wait_for_termination(&bench.tenant, &held, Duration::from_millis(300)).await;
    let expected =
        format!("timeout waiting for termination of: [ConfigMap/{}/held]", bench.namespace.name());
    assert_eq!(error.unwrap_err().to_string(), expected);
    let release = r#"{"metadata":{"finalizers":null}}"#;
    bench.namespace.kubectl(&["patch", "cm/held", "--type=merge", "-p", release]).unwrap();
    wait_for_termination(&bench.tenant, &held, Duration::from_secs(30)).await.unwrap();
}
