//! What a test has for itself.

use crate::objects::Kind;
use crate::world::World;
use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use std::time::Duration;
use testbed::{GitRepository, Namespace, eventually};
use tokio::sync::{RwLock, RwLockReadGuard, RwLockWriteGuard};

/// How long a test waits for something that should take a second. Long, because the machine may be
/// busy; tests about speed give their own deadlines.
const PATIENCE: Duration = Duration::from_mins(1);

/// The Ready condition of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// `True`, `False` or `Unknown`; empty while there is no condition.
    pub status: String,
    /// The reason beside it.
    pub reason: String,
    /// The message beside it.
    pub message: String,
}

/// Tests about speed run alone: on two cores, a test that applies twenty apps would be measured too.
static QUIET: RwLock<()> = RwLock::const_new(());

enum Turn {
    WithOthers { _guard: RwLockReadGuard<'static, ()> },
    Alone { _guard: RwLockWriteGuard<'static, ()> },
}

/// A namespace, a repository named after it, and a client.
pub struct Scene {
    _turn: Turn,
    world: &'static World,
    namespace: Namespace,
    repository: GitRepository,
    client: kube::Client,
}

impl std::fmt::Debug for Scene {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scene").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}

impl Scene {
    /// Sets it up in the shared world.
    ///
    /// # Errors
    /// If the cluster or git refuses.
    pub async fn new(title: &str) -> Result<Self> {
        Self::on(World::shared(), title).await
    }

    /// Sets it up in the shared world while no other scene is there.
    ///
    /// # Errors
    /// If the cluster or git refuses.
    pub async fn alone(title: &str) -> Result<Self> {
        let turn = Turn::Alone { _guard: QUIET.write().await };
        Self::set_up(turn, World::shared(), title).await
    }

    /// Sets it up in `world`.
    ///
    /// # Errors
    /// If the cluster or git refuses.
    pub async fn on(world: &'static World, title: &str) -> Result<Self> {
        let turn = Turn::WithOthers { _guard: QUIET.read().await };
        Self::set_up(turn, world, title).await
    }

    async fn set_up(turn: Turn, world: &'static World, title: &str) -> Result<Self> {
        let mut namespace = world.cluster().namespace(title)?;
        for log in world.logs() {
            namespace.watch_log(log.clone());
        }
        let repository = world.git().create(namespace.name())?;
        let client = world.cluster().client().await?;
        Ok(Self { _turn: turn, world, namespace, repository, client })
    }

    /// Its namespace.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Its repository.
    pub fn repository(&self) -> &GitRepository {
        &self.repository
    }

    /// The world it is in.
    pub fn world(&self) -> &'static World {
        self.world
    }

    /// The address of its repository.
    pub fn url(&self) -> String {
        self.world.git().repository_url(self.namespace.name())
    }

    /// Commits files on `main`; `None` removes one.
    ///
    /// # Errors
    /// If git refuses.
    pub fn commit(&self, files: &[(&str, Option<&str>)]) -> Result<String> {
        self.repository.commit("main", files, "change")
    }

    /// Applies a GitRepository `name` on `main`, with `spec` over the usual fields.
    ///
    /// # Errors
    /// If the API server refuses it.
    pub fn apply_source(&self, name: &str, spec: &Value) -> Result<()> {
        let mut full = json!({"interval": "1h", "url": self.url(), "ref": {"branch": "main"}});
        overlay(&mut full, spec);
        self.apply_object("source.toolkit.fluxcd.io/v1", "GitRepository", name, &full)
    }

    /// Applies a Kustomization `name` of the source `app`, with `spec` over the usual fields.
    ///
    /// # Errors
    /// If the API server refuses it.
    pub fn apply_kustomization(&self, name: &str, spec: &Value) -> Result<()> {
        self.apply_all(&[self.kustomization(name, spec)])
    }

    /// What [`Self::apply_kustomization`] applies.
    pub fn kustomization(&self, name: &str, spec: &Value) -> Value {
        let mut full = json!({
            "interval": "1h",
            "retryInterval": "1h",
            "path": "./",
            "prune": true,
            "targetNamespace": self.namespace.name(),
            "sourceRef": {"kind": "GitRepository", "name": "app"},
        });
        overlay(&mut full, spec);
        json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": name}, "spec": full,
        })
    }

    /// Applies objects to the namespace, all in one call.
    ///
    /// # Errors
    /// If the API server refuses one.
    pub fn apply_all(&self, objects: &[Value]) -> Result<()> {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
        self.namespace.apply(&list.to_string()).map(drop)
    }

    fn apply_object(&self, version: &str, kind: &str, name: &str, spec: &Value) -> Result<()> {
        let object = json!({
            "apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec,
        });
        self.namespace.apply(&object.to_string()).map(drop)
    }

    /// Applies an object without kubectl, which costs more than all the rest.
    ///
    /// # Errors
    /// If the API server refuses it.
    pub async fn server_side_apply(&self, kind: Kind, object: &Value) -> Result<()> {
        let name = object["metadata"]["name"].as_str().unwrap_or_default();
        let collection = kind.path(self.namespace.name());
        let path = format!("{collection}/{name}?fieldManager=kubectl&force=true");
        self.request("APPLY", &path, Some(object)).await.map(drop)
    }

    /// One object.
    ///
    /// # Errors
    /// If there is none.
    pub async fn get(&self, kind: Kind, name: &str) -> Result<Value> {
        self.request("GET", &format!("{}/{name}", kind.path(self.namespace.name())), None).await
    }

    /// Whether there is such an object.
    ///
    /// # Errors
    /// If the API server does not answer.
    pub async fn exists(&self, kind: Kind, name: &str) -> Result<bool> {
        let found = self.list(kind).await?;
        Ok(found.iter().any(|object| object["metadata"]["name"] == name))
    }

    /// All objects of a kind in the namespace.
    ///
    /// # Errors
    /// If the API server does not answer.
    pub async fn list(&self, kind: Kind) -> Result<Vec<Value>> {
        let list = self.request("GET", &kind.path(self.namespace.name()), None).await?;
        Ok(list["items"].as_array().cloned().unwrap_or_default())
    }

    /// Sends a merge patch.
    ///
    /// # Errors
    /// If the API server refuses it.
    pub async fn patch(&self, kind: Kind, name: &str, change: &Value) -> Result<()> {
        let path = format!("{}/{name}", kind.path(self.namespace.name()));
        self.request("PATCH", &path, Some(change)).await.map(drop)
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// If there is none.
    pub async fn delete(&self, kind: Kind, name: &str) -> Result<()> {
        let path = format!("{}/{name}", kind.path(self.namespace.name()));
        self.request("DELETE", &path, None).await.map(drop)
    }

    /// Sets `reconcile.fluxcd.io/requestedAt`, as `flux reconcile` does.
    ///
    /// # Errors
    /// If there is no such object.
    pub async fn request_reconcile(&self, kind: Kind, name: &str, token: &str) -> Result<()> {
        let annotations = json!({"reconcile.fluxcd.io/requestedAt": token});
        self.patch(kind, name, &json!({"metadata": {"annotations": annotations}})).await
    }

    /// The Ready condition, as it stands now.
    ///
    /// # Errors
    /// If there is no such object, or its status is about an older generation.
    pub async fn ready(&self, kind: Kind, name: &str) -> Result<Ready> {
        let object = self.get(kind, name).await?;
        let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let ready = conditions.into_iter().find(|c| c["type"] == "Ready").unwrap_or_default();
        let text = |field: &str| ready[field].as_str().unwrap_or_default().to_owned();
        ensure!(
            ready["observedGeneration"] == object["metadata"]["generation"],
            "{name} has not been looked at since it changed"
        );
        Ok(Ready { status: text("status"), reason: text("reason"), message: text("message") })
    }

    /// Waits until `name` is Ready and its message holds `part`.
    ///
    /// # Errors
    /// If it is not within a minute.
    pub async fn until_ready(&self, kind: Kind, name: &str, part: &str) -> Result<Ready> {
        self.until(kind, name, "True", part).await
    }

    /// Waits until `name` is not Ready and its message holds `part`.
    ///
    /// # Errors
    /// If it is not within a minute.
    pub async fn until_failed(&self, kind: Kind, name: &str, part: &str) -> Result<Ready> {
        self.until(kind, name, "False", part).await
    }

    async fn until(&self, kind: Kind, name: &str, status: &str, part: &str) -> Result<Ready> {
        let wanted = format!("{kind:?}/{name} should be Ready={status} with `{part}`");
        eventually(PATIENCE, || async {
            let ready = self.ready(kind, name).await?;
            ensure!(ready.status == status && ready.message.contains(part), "it is {ready:?}");
            Ok(ready)
        })
        .await
        .context(wanted)
    }

    /// Waits until `check` holds for one object.
    ///
    /// # Errors
    /// If it does not within `deadline`.
    pub async fn until_object(
        &self,
        deadline: Duration,
        kind: Kind,
        name: &str,
        check: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        eventually(deadline, || async {
            let object = self.get(kind, name).await?;
            ensure!(check(&object), "{kind:?}/{name} is {object}");
            Ok(object)
        })
        .await
    }

    /// Waits until there is no such object.
    ///
    /// # Errors
    /// If there still is one after a minute.
    pub async fn until_gone(&self, kind: Kind, name: &str) -> Result<()> {
        eventually(PATIENCE, || async {
            ensure!(!self.exists(kind, name).await?, "{kind:?}/{name} still exists");
            Ok(())
        })
        .await
    }

    async fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let (method, content) = match method {
            "PATCH" => (method, "application/merge-patch+json"),
            "APPLY" => ("PATCH", "application/apply-patch+yaml"),
            _ => (method, "application/json"),
        };
        let request = axum::http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content)
            .body(body.map(Value::to_string).unwrap_or_default().into_bytes())?;
        match self.client.request::<Value>(request).await {
            Ok(answer) => Ok(answer),
            // kube would print the whole status as Rust prints it.
            Err(kube::Error::Api(status)) => bail!("{}", status.message),
            Err(error) => Err(error.into()),
        }
    }
}

/// Puts the fields of `over` into `base`; objects are merged one level deep only, so that `ref` can be
/// replaced as a whole. `null` removes a field.
fn overlay(base: &mut Value, over: &Value) {
    let (Some(base), Some(over)) = (base.as_object_mut(), over.as_object()) else { return };
    for (key, value) in over {
        if value.is_null() {
            base.remove(key);
        } else {
            base.insert(key.clone(), value.clone());
        }
    }
}
