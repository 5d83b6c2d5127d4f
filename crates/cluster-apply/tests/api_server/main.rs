//! The engine against a real API server.
#![expect(clippy::unwrap_used, clippy::panic, reason = "what tests share fails as tests do")]

mod applying;
mod drifting;
mod pruning;
mod remoting;
mod waiting;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use cluster_apply::{
    Action, ApplyFailure, ApplyOptions, ChangeSet, Cluster, Clusters, Owner, Settings,
    TenantClient, apply,
};
use manifest::Object;
use serde_json::{Value, json};
use testbed::{ApiRequests, ControlPlane, Namespace, Options};

/// One control plane for all tests. It ends with the test process.
static PLANE: LazyLock<ControlPlane> =
    LazyLock::new(|| ControlPlane::start(Options { audit: true, kwok: true }).unwrap());

/// What one test works with: a namespace, a cluster it knows nothing of yet, and a user of its own.
struct Bench {
    namespace: Namespace,
    cluster: Arc<Cluster>,
    tenant: TenantClient,
    user: String,
    options: ApplyOptions,
}

impl Bench {
    async fn new(name: &str) -> Self {
        let namespace = PLANE.cluster().namespace(name).unwrap();
        let user = format!("{}-user", namespace.name());
        let client = PLANE.cluster().as_user(&user).unwrap().client().await.unwrap();
        let clusters = Clusters::with_client(client, Settings::kustomize_controller());
        let cluster = clusters.local();
        let owner = Owner { namespace: namespace.name().to_owned(), name: "app".to_owned() };
        Self {
            tenant: TenantClient::as_controller(Arc::clone(&cluster)),
            cluster,
            user,
            options: ApplyOptions { retain: true, ..ApplyOptions::for_owner(owner) },
            namespace,
        }
    }

    async fn apply(&self, objects: &[Value]) -> Result<ChangeSet, ApplyFailure> {
        let objects = objects.iter().map(|o| Object::new(o.clone()).unwrap()).collect();
        apply(&self.tenant, objects, &self.options).await
    }

    /// Applies and returns what was done: one action per object.
    async fn actions(&self, objects: &[Value]) -> Vec<Action> {
        let done = self.apply(objects).await.unwrap_or_else(|f| panic!("{}", text(&f)));
        done.entries.into_iter().map(|entry| entry.action).collect()
    }

    fn config_map(&self, name: &str, data: &Value) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data,
               "metadata": {"name": name, "namespace": self.namespace.name()}})
    }

    fn deployment(&self, name: &str, replicas: u32) -> Value {
        let labels = json!({"app": name});
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "namespace": self.namespace.name()},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"nodeName": "lab-node", "containers": [{"name": "c", "image": "i"}]},
                },
            },
        })
    }

    fn get(&self, what: &str) -> Value {
        let printed =
            self.namespace.kubectl(&["get", what, "-o", "json", "--show-managed-fields"]).unwrap();
        serde_json::from_str(&printed).unwrap()
    }

    fn exists(&self, what: &str) -> bool {
        !self.namespace.kubectl(&["get", what, "--ignore-not-found"]).unwrap().is_empty()
    }

    /// The requests of this test so far: how many per verb. A dry run is a verb of its own, and
    /// what concerns no object (discovery) is left out.
    fn requests(&self) -> BTreeMap<String, u64> {
        let (requests, _) = ApiRequests::read(&PLANE.audit_log(), 0).unwrap();
        let mut counts = BTreeMap::new();
        for (key, count) in requests.iter().filter(|(key, _)| key.user == self.user) {
            if key.resource.starts_with('/') {
                continue;
            }
            let verb = if key.dry_run { "dry-run" } else { &key.verb };
            *counts.entry(verb.to_owned()).or_default() += count;
        }
        counts
    }
}

fn text(failure: &ApplyFailure) -> String {
    cluster_apply::chain(failure)
}

/// The managers of an object, as `name operation`.
fn managers(object: &Value) -> Vec<String> {
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    let manager = |entry: &Value| {
        format!("{} {}", entry["manager"].as_str().unwrap(), entry["operation"].as_str().unwrap())
    };
    let mut managers: Vec<_> = entries.iter().map(manager).collect();
    managers.sort();
    managers
}
