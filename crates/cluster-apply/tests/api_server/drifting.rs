//! Drift: the watch tells what others did, and only that.

use std::sync::Arc;
use std::time::Duration;

use cluster_apply::{Action, InventoryWatch, Moved};
use manifest::{Gvk, ObjectId};
use serde_json::json;
use testbed::eventually;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::timeout;

use super::Bench;

const SOON: Duration = Duration::from_secs(20);

async fn next(moved: &mut UnboundedReceiver<Moved>) -> Moved {
    timeout(SOON, moved.recv()).await.unwrap().unwrap()
}

#[tokio::test]
async fn others_are_told_on_and_we_are_not() {
    let bench = Bench::new("drift").await;
    let (watch, mut moved) = InventoryWatch::start(Arc::clone(&bench.cluster));
    watch.cover([Gvk::new("v1", "ConfigMap"), Gvk::new("apps/v1", "Deployment")]);
    let mut objects =
        [bench.config_map("config", &json!({"key": "git"})), bench.deployment("web", 2)];
    let done = bench.apply(&objects).await.unwrap();
    let inventory: Vec<ObjectId> = done.entries.into_iter().map(|entry| entry.id).collect();
    let unmoved = || async {
        anyhow::ensure!(watch.unmoved(&inventory), "not known to be unmoved");
        Ok(())
    };
    eventually(SOON, unmoved).await.unwrap();

    // The status of the Deployment moves while it rolls out, and so do its annotations.
    bench.namespace.kubectl(&["rollout", "status", "deployment/web", "--timeout=60s"]).unwrap();
    objects[0]["data"]["key"] = json!("new");
    objects[1]["spec"]["replicas"] = json!(1);
    assert_eq!(bench.actions(&objects).await, [Action::Configured; 2]);
    bench.namespace.kubectl(&["rollout", "status", "deployment/web", "--timeout=60s"]).unwrap();
    eventually(SOON, unmoved).await.unwrap();
    assert!(moved.try_recv().is_err(), "our own writes are no drift");

    let edit = r#"{"data":{"key":"edited"}}"#;
    bench.namespace.kubectl(&["patch", "configmap/config", "--type=merge", "-p", edit]).unwrap();
    let told = next(&mut moved).await;
    assert_eq!(
        (told.object, told.owner, told.deleted),
        (inventory[0].clone(), bench.options.owner.clone(), false)
    );
    assert!(!watch.unmoved(&inventory));
    assert_eq!(bench.actions(&objects).await, [Action::Configured, Action::Unchanged]);
    eventually(SOON, unmoved).await.unwrap();

    // A field that nobody had: kubectl owns it, so it is to be cleaned up.
    let add = r#"{"metadata":{"annotations":{"mine":"1"}}}"#;
    bench.namespace.kubectl(&["patch", "deployment/web", "--type=merge", "-p", add]).unwrap();
    assert_eq!(next(&mut moved).await.object, inventory[1]);
    assert_eq!(bench.actions(&objects).await, [Action::Unchanged, Action::Configured]);
    eventually(SOON, unmoved).await.unwrap();

    // A controller of another name may add what it likes.
    let args = ["annotate", "deployment/web", "theirs=1", "--field-manager=other"];
    bench.namespace.kubectl(&args).unwrap();
    bench.namespace.kubectl(&["delete", "configmap/config"]).unwrap();
    let told = next(&mut moved).await;
    assert_eq!((told.object, told.deleted), (inventory[0].clone(), true));
    assert_eq!(bench.actions(&objects).await, [Action::Created, Action::Unchanged]);
    eventually(SOON, unmoved).await.unwrap();
    assert!(moved.try_recv().is_err());
}
