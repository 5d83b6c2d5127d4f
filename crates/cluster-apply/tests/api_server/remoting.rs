//! Other clusters, and the end of one's own term.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cluster_apply::{
    ApplyOptions, Cluster, Clusters, Fence, Owner, Settings, TenantClient, Trust, apply,
};
use manifest::Object;
use serde_json::json;

use super::{Bench, PLANE, text};

#[tokio::test]
async fn a_kubeconfig_leads_to_its_cluster() {
    let bench = Bench::new("remote").await;
    let client = PLANE.cluster().client().await.unwrap();
    let clusters = Clusters::with_client(client, Settings::kustomize_controller());
    let kubeconfig = std::fs::read(PLANE.cluster().kubeconfig()).unwrap();
    let remote = clusters.remote(&kubeconfig, Trust::default()).await.unwrap();
    let again = clusters.remote(&kubeconfig, Trust::default()).await.unwrap();
    assert!(Arc::ptr_eq(&remote, &again), "it is connected to once");
    let other = clusters.remote(&kubeconfig, Trust { exec: true, insecure_tls: false }).await;
    assert!(!Arc::ptr_eq(&remote, &other.unwrap()), "what is trusted makes a difference");
    let config = Object::new(bench.config_map("config", &json!({}))).unwrap();
    let tenant = TenantClient::as_controller(remote);
    apply(&tenant, vec![config], &bench.options).await.unwrap();
    assert!(bench.exists("configmap/config"));
}

/// A lease that ends when the test says so.
#[derive(Debug)]
struct Lease(AtomicBool);

impl Fence for Lease {
    fn may_write(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn who_has_lost_the_lease_writes_nothing() {
    let bench = Bench::new("fence").await;
    let lease = Arc::new(Lease(AtomicBool::new(false)));
    let fence = Some(Arc::clone(&lease) as Arc<dyn Fence>);
    let settings = Settings { fence, ..Settings::kustomize_controller() };
    let client = PLANE.cluster().client().await.unwrap();
    let cluster: Arc<Cluster> = Clusters::with_client(client, settings).local();
    let tenant = TenantClient::as_controller(cluster);
    let owner = Owner { namespace: bench.namespace.name().to_owned(), name: "app".to_owned() };
    let options = ApplyOptions::for_owner(owner);
    let config = || vec![Object::new(bench.config_map("config", &json!({}))).unwrap()];
    let failure = apply(&tenant, config(), &options).await.unwrap_err();
    assert!(text(&failure).contains("no longer the leader"), "{}", text(&failure));
    assert!(!bench.exists("configmap/config"));
    lease.0.store(true, Ordering::SeqCst);
    apply(&tenant, config(), &options).await.unwrap();
}
