//! N Kustomizations of plain objects in one repository.

use crate::flux_objects::{Readiness, git_repositories, kustomizations};
use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testbed::{Cluster, GitServer, eventually};

/// The load, and who puts it on the cluster.
pub(super) struct Load {
    pub(super) count: usize,
    pub(super) objects: usize,
    pub(super) interval: &'static str,
    pub(super) wait: bool,
    pub(super) client: kube::Client,
}

const NAMESPACE: &str = "bench";
/// The client must not be what is measured, and not the bottleneck either.
const REQUESTS_AT_ONCE: usize = 16;
const GIVE_UP_AFTER: Duration = Duration::from_mins(10);
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Load {
    /// Commits the objects and waits until the source is Ready. Not part of any figure.
    pub(super) async fn prepare(&self, cluster: &Cluster, git: &GitServer) -> Result<()> {
        let repository = git.create("bench")?;
        let files: Vec<_> = (0..self.count)
            .flat_map(|k| (0..self.objects).map(move |n| (path(k, n), config_map(k, n))))
            .collect();
        let files: Vec<_> =
            files.iter().map(|(p, text)| (p.as_str(), Some(text.as_str()))).collect();
        repository.commit("main", &files, "load")?;
        cluster.kubectl(&["create", "namespace", NAMESPACE])?;
        let source = json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "GitRepository",
            "metadata": {"name": "bench", "namespace": NAMESPACE},
            "spec": {
                "interval": self.interval,
                "url": git.repository_url("bench"),
                "ref": {"branch": "main"},
            },
        });
        cluster.apply(&source.to_string())?;
        let api: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), NAMESPACE, &git_repositories());
        eventually(Duration::from_mins(1), || async {
            let object = api.get("bench").await?;
            ensure!(Readiness::is_ready(&object), "{}", Readiness::of(&object).message);
            Ok(())
        })
        .await
        .context("the source is not Ready")
    }

    /// Creates all Kustomizations and waits until each is Ready.
    pub(super) async fn install(&self) -> Result<Duration> {
        let api = self.kustomizations();
        let start = Instant::now();
        let create = stream::iter(0..self.count)
            .map(|k| {
                let api = api.clone();
                let object = self.kustomization(k);
                async move {
                    let object: DynamicObject = serde_json::from_value(object)?;
                    api.create(&PostParams::default(), &object).await?;
                    anyhow::Ok(())
                }
            })
            .buffer_unordered(REQUESTS_AT_ONCE)
            .try_collect::<()>();
        let ready = self.until_all(Readiness::is_ready);
        tokio::try_join!(create, ready)?;
        Ok(start.elapsed())
    }

    /// Asks for a reconciliation of each and waits until each has taken place.
    pub(super) async fn force(&self) -> Result<Duration> {
        let api = self.kustomizations();
        let token = "forced-by-bench";
        let patch =
            json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": token}}});
        let start = Instant::now();
        let request = stream::iter(0..self.count)
            .map(|k| {
                let (api, patch) = (api.clone(), Patch::Merge(patch.clone()));
                async move {
                    api.patch(&name(k), &PatchParams::default(), &patch).await?;
                    anyhow::Ok(())
                }
            })
            .buffer_unordered(REQUESTS_AT_ONCE)
            .try_collect::<()>();
        let handled = self.until_all(|object| {
            let handled = object.data.pointer("/status/lastHandledReconcileAt");
            handled.and_then(Value::as_str) == Some(token) && Readiness::is_ready(object)
        });
        tokio::try_join!(request, handled)?;
        Ok(start.elapsed())
    }

    /// Edits one applied object as a person would, and waits until the edit is gone.
    pub(super) async fn edit_and_wait_until_undone(&self, cluster: &Cluster) -> Result<()> {
        let object = format!("configmap/{}", object_name(0, 0));
        let patch = r#"{"data":{"key":"edited"}}"#;
        cluster.kubectl(&["-n", NAMESPACE, "patch", &object, "--type=merge", "-p", patch])?;
        eventually(Duration::from_mins(1), || async {
            let get = ["-n", NAMESPACE, "get", &object, "-o", "jsonpath={.data.key}"];
            let found = cluster.kubectl(&get)?;
            ensure!(found == "value", "the key is {found}");
            Ok(())
        })
        .await
    }

    fn kustomizations(&self) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), NAMESPACE, &kustomizations())
    }

    /// Looks every 100 ms until `done` holds for every Kustomization; that is how exact the times are.
    async fn until_all(&self, done: impl Fn(&DynamicObject) -> bool) -> Result<()> {
        let api = self.kustomizations();
        let start = Instant::now();
        loop {
            let finished =
                api.list(&ListParams::default()).await?.iter().filter(|o| done(o)).count();
            if finished == self.count {
                return Ok(());
            }
            ensure!(start.elapsed() < GIVE_UP_AFTER, "only {finished} are done");
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn kustomization(&self, k: usize) -> Value {
        json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
            "kind": "Kustomization",
            "metadata": {"name": name(k), "namespace": NAMESPACE},
            "spec": {
                "interval": self.interval,
                "path": format!("./{}", name(k)),
                "prune": true,
                "wait": self.wait,
                "targetNamespace": NAMESPACE,
                "sourceRef": {"kind": "GitRepository", "name": "bench"},
            },
        })
    }
}

fn name(k: usize) -> String {
    format!("app-{k:04}")
}

fn object_name(k: usize, n: usize) -> String {
    format!("{}-{n:03}", name(k))
}

fn path(k: usize, n: usize) -> String {
    format!("{}/config-{n:03}.yaml", name(k))
}

fn config_map(k: usize, n: usize) -> String {
    let name = object_name(k, n);
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: value\n")
}
