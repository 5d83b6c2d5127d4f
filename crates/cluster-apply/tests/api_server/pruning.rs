//! Prune: only what is ours and does not object.

use std::time::Duration;

use cluster_apply::{Owner, Stale, doomed, prune, prune_in_order, wait_for_termination};
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
    let would_go: Vec<_> = would_go.iter().map(|doomed| doomed.stale.id.to_string()).collect();
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

#[tokio::test]
async fn in_order_nothing_goes_before_what_was_applied_after_it_is_gone() {
    let bench = Bench::new("order").await;
    let class = format!("{}-class", bench.namespace.name());
    let mut held = bench.config_map("held", &json!({}));
    held["metadata"]["finalizers"] = json!(["example.com/hold"]);
    let objects = [
        json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "value": 1,
               "metadata": {"name": class}}),
        bench.config_map("plain", &json!({})),
        held,
    ];
    let done = bench.apply(&objects).await.unwrap();
    let all: Vec<Stale> = done
        .entries
        .into_iter()
        .map(|entry| Stale { id: entry.id, version: entry.version })
        .collect();
    let names = |stale: &[Stale]| stale.iter().map(|it| it.id.name.clone()).collect::<Vec<_>>();
    let owner = &bench.options.owner;

    let first = prune_in_order(&bench.tenant, owner, all).await;
    assert_eq!(first.pruned.failure(), None);
    assert_eq!(first.pruned.done.entries.len(), 2);
    assert_eq!(
        (names(&first.terminating), names(&first.later)),
        (vec!["held".to_owned()], vec![class.clone()])
    );
    assert!(!bench.exists("configmap/plain") && bench.exists(&format!("priorityclass/{class}")));

    // Nothing is said or done twice.
    let rest = || [first.terminating.clone(), first.later.clone()].concat();
    let second = prune_in_order(&bench.tenant, owner, rest()).await;
    assert!(second.pruned.done.entries.is_empty() && second.terminating == first.terminating);

    let release = r#"{"metadata":{"finalizers":null}}"#;
    bench.namespace.kubectl(&["patch", "cm/held", "--type=merge", "-p", release]).unwrap();
    wait_for_termination(&bench.tenant, &first.terminating, Duration::from_secs(30)).await.unwrap();
    let third = prune_in_order(&bench.tenant, owner, rest()).await;
    assert_eq!(third.pruned.done.full_log(), format!("PriorityClass/{class} deleted"));
    assert!(third.terminating.is_empty() && third.later.is_empty());
    assert!(!bench.exists(&format!("priorityclass/{class}")));
}
