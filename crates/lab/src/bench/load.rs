//! N Kustomizations of plain objects in one repository, or N HelmReleases of one chart.

use crate::flux_objects::{
    Readiness, git_repositories, helm_releases, helm_repositories, kustomizations,
};
use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::api::{Api, ApiResource, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testbed::{ChartServer, Cluster, GitRepository, GitServer, eventually};

/// What the load is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum LoadKind {
    /// Kustomizations of ConfigMaps.
    Kustomization,
    /// HelmReleases of a chart like podinfo: ServiceAccount, Service, Deployment, ConfigMap, Ingress.
    Helmrelease,
}

/// The load, and who puts it on the cluster.
pub(super) struct Load {
    pub(super) kind: LoadKind,
    pub(super) count: usize,
    pub(super) objects: usize,
    pub(super) interval: &'static str,
    pub(super) wait: bool,
    pub(super) client: kube::Client,
}

const NAMESPACE: &str = "bench";
/// No pods: the Deployment has no replicas.
const CHART: &[(&str, &str)] = &[
    ("values.yaml", "replicas: 0\nport: 9898\n"),
    (
        "templates/account.yaml",
        "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {{ .Release.Name }}\n",
    ),
    (
        "templates/service.yaml",
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  \
         selector: {app: {{ .Release.Name }}}\n  ports:\n  - port: {{ .Values.port }}\n",
    ),
    (
        "templates/deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\nspec:\n  \
         replicas: {{ .Values.replicas }}\n  selector:\n    matchLabels: {app: {{ .Release.Name \
         }}}\n  template:\n    metadata:\n      labels: {app: {{ .Release.Name }}}\n    spec:\n      \
         containers:\n      - {name: main, image: nginx}\n",
    ),
    (
        "templates/config.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  port: {{ \
         .Values.port | quote }}\n",
    ),
    (
        "templates/ingress.yaml",
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: {{ .Release.Name \
         }}\nspec:\n  defaultBackend:\n    service: {name: {{ .Release.Name }}, port: {number: {{ \
         .Values.port }}}}\n",
    ),
];
/// The client must not be what is measured, and not the bottleneck either.
const REQUESTS_AT_ONCE: usize = 16;
const GIVE_UP_AFTER: Duration = Duration::from_mins(10);
const LOOK_EVERY: Duration = Duration::from_millis(100);

impl Load {
    /// What it is, for the head of the figures.
    pub(super) fn told(&self) -> String {
        let count = self.count;
        match self.kind {
            LoadKind::Kustomization => {
                format!("{count} Kustomizations of {} ConfigMaps in one repository", self.objects)
            }
            LoadKind::Helmrelease => format!("{count} HelmReleases of one chart of 5 objects"),
        }
    }

    /// Commits the objects and waits until the source is Ready. Not part of any figure.
    pub(super) async fn prepare(
        &self,
        cluster: &Cluster,
        git: &GitServer,
        charts: &ChartServer,
    ) -> Result<Option<GitRepository>> {
        if self.kind == LoadKind::Helmrelease {
            self.prepare_charts(cluster, charts).await?;
            return Ok(None);
        }
        let repository = git.create("bench")?;
        let files: Vec<_> = (0..self.count)
            .flat_map(|k| (0..self.objects).map(move |n| (path(k, n), config_map(k, n, "value"))))
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
        self.until_source(&git_repositories()).await?;
        Ok(Some(repository))
    }

    async fn prepare_charts(&self, cluster: &Cluster, charts: &ChartServer) -> Result<()> {
        charts.publish("podinfo", "1.0.0", CHART)?;
        cluster.kubectl(&["create", "namespace", NAMESPACE])?;
        let source = json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "HelmRepository",
            "metadata": {"name": "bench", "namespace": NAMESPACE},
            "spec": {"interval": self.interval, "url": charts.url()},
        });
        cluster.apply(&source.to_string())?;
        self.until_source(&helm_repositories()).await
    }

    async fn until_source(&self, kind: &ApiResource) -> Result<()> {
        let api: Api<DynamicObject> = Api::namespaced_with(self.client.clone(), NAMESPACE, kind);
        eventually(Duration::from_mins(1), || async {
            let object = api.get("bench").await?;
            ensure!(Readiness::is_ready(&object), "{}", Readiness::of(&object).message);
            Ok(())
        })
        .await
        .context("the source is not Ready")
    }

    /// Creates all objects and waits until each is Ready.
    pub(super) async fn install(&self) -> Result<Duration> {
        let api = self.objects();
        let start = Instant::now();
        let create = stream::iter(0..self.count)
            .map(|k| {
                let api = api.clone();
                let object = self.object(k);
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
        let api = self.objects();
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

    /// Changes one object in the repository and waits until the commit is applied by all.
    pub(super) async fn commit_one_file(&self, repository: &GitRepository) -> Result<Duration> {
        let (path, text) = (path(0, 0), config_map(0, 0, "changed"));
        let commit = repository.commit("main", &[(&path, Some(&text))], "one file")?;
        let sources: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), NAMESPACE, &git_repositories());
        let request = json!({"metadata": {"annotations": {
            "reconcile.fluxcd.io/requestedAt": commit,
        }}});
        let start = Instant::now();
        sources.patch("bench", &PatchParams::default(), &Patch::Merge(request)).await?;
        self.until_all(|object| {
            let applied = object.data.pointer("/status/lastAppliedRevision");
            let applied = applied.and_then(Value::as_str).unwrap_or_default();
            applied.ends_with(&commit) && Readiness::is_ready(object)
        })
        .await?;
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

    fn objects(&self) -> Api<DynamicObject> {
        let kind = match self.kind {
            LoadKind::Kustomization => kustomizations(),
            LoadKind::Helmrelease => helm_releases(),
        };
        Api::namespaced_with(self.client.clone(), NAMESPACE, &kind)
    }

    fn object(&self, k: usize) -> Value {
        match self.kind {
            LoadKind::Kustomization => self.kustomization(k),
            LoadKind::Helmrelease => self.helm_release(k),
        }
    }

    fn helm_release(&self, k: usize) -> Value {
        json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2",
            "kind": "HelmRelease",
            "metadata": {"name": name(k), "namespace": NAMESPACE},
            "spec": {
                "interval": self.interval,
                "chart": {"spec": {
                    "chart": "podinfo",
                    "version": "1.0.0",
                    "sourceRef": {"kind": "HelmRepository", "name": "bench"},
                }},
                "install": {"disableWait": !self.wait},
                "upgrade": {"disableWait": !self.wait},
            },
        })
    }

    /// Looks every 100 ms until `done` holds for every object; that is how exact the times are.
    async fn until_all(&self, done: impl Fn(&DynamicObject) -> bool) -> Result<()> {
        let api = self.objects();
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

fn config_map(k: usize, n: usize, value: &str) -> String {
    let name = object_name(k, n);
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  key: {value}\n")
}
