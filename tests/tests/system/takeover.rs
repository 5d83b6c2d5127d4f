//! What real Flux left behind is taken over by our controllers.
//!
//! `../shared/transcripts/takeover` holds all objects of a git app and a Helm app, as Flux left them
//! in a cluster. They are brought back into an API server as they were, field managers included,
//! then our controllers start. Only the artifacts are made anew, because their storage is empty, as
//! it is in a new pod.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use system_tests::repository_root;
use testbed::{
    ApiProxy, ChartServer, Cluster, ControlPlane, Controller, GitServer, Options, Stack,
    eventually, free_port,
};

const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn what_flux_left_is_taken_over_without_a_write() {
    let folder = repository_root().join("../shared/transcripts/takeover");
    if !folder.is_dir() {
        println!("NOT TAKEN OVER: ../shared/transcripts/takeover is not beside the checkout");
        return;
    }
    let plane = ControlPlane::start(Options::default()).unwrap();
    let cluster = plane.cluster();
    Stack::install_crds(cluster, &repository_root().join("config/crds")).unwrap();
    let outside = Outside::new(&folder).unwrap();
    let state = State::bring_back(cluster, &folder, &outside).await.unwrap();
    let before = state.settled().await.unwrap();

    let controllers = plane.dir().join("controllers");
    let address = format!("127.0.0.1:{}", free_port().unwrap());
    let storage = controllers.join("artifacts");
    std::fs::create_dir_all(&storage).unwrap();
    let flags = [
        format!("--storage-path={}", storage.display()),
        format!("--storage-addr={address}"),
        format!("--storage-adv-addr={address}"),
    ];
    let source =
        Successor::start("source-controller", &flags, cluster, &controllers).await.unwrap();
    state.until_stored(&address).await.unwrap();
    let kustomize =
        Successor::start("kustomize-controller", &[], cluster, &controllers).await.unwrap();
    let helm = Successor::start("helm-controller", &[], cluster, &controllers).await.unwrap();
    kustomize.until_logged("Reconciliation finished in").await.unwrap();
    helm.until_logged("release in-sync with desired state").await.unwrap();

    // The artifacts of sources are made anew. Nothing else is written, not even again as it is.
    let of_sources = "PATCH /apis/source.toolkit.fluxcd.io/v1/namespaces/t-takeover";
    let mut wrote = source.wrote();
    wrote.sort();
    wrote.dedup();
    let sources = ["gitrepositories/app", "helmcharts/t-takeover-app", "helmrepositories/charts"];
    assert_eq!(wrote, sources.map(|path| format!("{of_sources}/{path}/status")));
    assert_eq!(kustomize.wrote(), Vec::<String>::new());
    assert_eq!(helm.wrote(), Vec::<String>::new());
    let after = state.settled().await.unwrap();
    assert_eq!(before.len(), after.len());
    for (mut before, mut after) in before.into_iter().zip(after) {
        for object in [&mut before, &mut after] {
            forget_artifact(object);
        }
        assert_eq!(before, after);
    }
}

/// Forgets what a source says of the artifact that it made anew.
fn forget_artifact(object: &mut Value) {
    let version = object["apiVersion"].as_str().unwrap_or_default();
    if !version.starts_with("source.toolkit.fluxcd.io/") {
        return;
    }
    for path in [
        "/metadata/resourceVersion",
        "/metadata/managedFields",
        "/status/artifact",
        "/status/url",
        "/status/observedSourceArtifactRevision",
    ] {
        if let Some(value) = object.pointer_mut(path) {
            *value = Value::Null;
        }
    }
    for condition in object["status"]["conditions"].as_array_mut().into_iter().flatten() {
        condition["lastTransitionTime"] = Value::Null;
        condition["message"] = Value::Null;
    }
}

/// What is outside of the cluster: the git repository and the charts.
struct Outside {
    git: GitServer,
    charts: ChartServer,
}

impl Outside {
    /// Makes what the scenario says.
    fn new(folder: &Path) -> Result<Self> {
        let (git, charts) = (GitServer::http()?, ChartServer::http()?);
        let repository = git.create("app")?;
        let scenario = std::fs::read(folder.join("scenarios/takeover.json"))?;
        let scenario: Value = serde_json::from_slice(&scenario)?;
        let mut commits = 0;
        for step in scenario["steps"].as_array().context("no steps")? {
            if let Some(files) = step["git"]["files"].as_object() {
                commits += 1;
                repository.import(&commit(commits, files))?;
            }
            if let Some(files) = step["chart"]["files"].as_object() {
                let files: Vec<(&str, &str)> = texts(files).collect();
                let text = |key: &str| step["chart"][key].as_str().unwrap_or_default();
                charts.publish(text("name"), text("version"), &files)?;
            }
        }
        Ok(Self { git, charts })
    }
}

/// A commit as the runner of the scenarios makes it, for `git fast-import`: its id is the same.
fn commit(n: u32, files: &serde_json::Map<String, Value>) -> String {
    let who = format!("lab <lab@example.com> {} +0000", 1_704_067_200 + n);
    let message = format!("commit {n}\n");
    let mut stream = format!(
        "commit refs/heads/main\nauthor {who}\ncommitter {who}\ndata {}\n{message}\n",
        message.len()
    );
    if n > 1 {
        stream.push_str("from refs/heads/main^0\n");
    }
    let each = texts(files);
    stream.extend(
        each.map(|(path, text)| format!("M 100644 inline {path}\ndata {}\n{text}\n", text.len())),
    );
    stream + "done\n"
}

fn texts(files: &serde_json::Map<String, Value>) -> impl Iterator<Item = (&str, &str)> {
    files.iter().map(|(path, text)| (path.as_str(), text.as_str().unwrap_or_default()))
}

/// The objects that Flux left.
struct State {
    client: kube::Client,
    cluster: Cluster,
    paths: Vec<String>,
}

impl State {
    async fn bring_back(cluster: &Cluster, folder: &Path, outside: &Outside) -> Result<Self> {
        for namespace in ["t-takeover", "t-takeover-helm"] {
            cluster.kubectl(&["create", "namespace", namespace])?;
        }
        let client = cluster.client().await?;
        let mut state = Self { client, cluster: cluster.clone(), paths: Vec::new() };
        for file in [
            "git-app-objects",
            "helm-app-objects",
            "helm-storage",
            "source",
            "kustomizations",
            "helmreleases",
        ] {
            let text = std::fs::read(folder.join(format!("{file}.yaml")))?;
            let list = yaml::parse(&text).map_err(|error| anyhow::anyhow!("{file}: {error}"))?;
            for mut object in list["items"].as_array().context("no items")?.clone() {
                match object["kind"].as_str() {
                    Some("GitRepository") => {
                        object["spec"]["url"] = outside.git.repository_url("app").into();
                    }
                    Some("HelmRepository") => object["spec"]["url"] = outside.charts.url().into(),
                    _ => {}
                }
                state.create(&object).await.with_context(|| format!("{object}"))?;
            }
        }
        Ok(state)
    }

    /// Creates an object with its status, its generation and its field managers.
    async fn create(&mut self, object: &Value) -> Result<()> {
        let collection = collection(object);
        let path =
            format!("{collection}/{}", object["metadata"]["name"].as_str().unwrap_or_default());
        let mut new = object.clone();
        let metadata = new["metadata"].as_object_mut().context("no metadata")?;
        for key in ["uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"] {
            metadata.remove(key);
        }
        if let Some(spec) = new["spec"].as_object_mut() {
            // The API server gives addresses out itself.
            spec.retain(|key, _| !key.starts_with("clusterIP"));
        }
        // The generation counts the changes of the specification.
        let wanted = new.clone();
        let changes = object["metadata"]["generation"].as_u64().unwrap_or(1) - 1;
        if changes > 0 {
            new["spec"]["interval"] = "2h".into();
        }
        let mut live = self.request("POST", &collection, &new).await?;
        for _ in 0..changes {
            live["spec"] = wanted["spec"].clone();
            live = self.request("PUT", &path, &live).await?;
        }
        if object["apiVersion"].as_str().is_some_and(|version| version.contains("fluxcd.io")) {
            live["status"] = object["status"].clone();
            live = self.request("PUT", &format!("{path}/status"), &live).await?;
            ensure!(live["metadata"]["generation"] == object["metadata"]["generation"]);
        }
        let managed = &object["metadata"]["managedFields"];
        eventually(PATIENCE, || async {
            // The controllers of Kubernetes may be writing the status meanwhile.
            let mut live = self.get(&path).await?;
            live["metadata"]["managedFields"] = managed.clone();
            self.request("PUT", &path, &live).await.map(drop)
        })
        .await?;
        self.paths.push(path);
        Ok(())
    }

    /// Everything, when Kubernetes has done with it.
    async fn settled(&self) -> Result<Vec<Value>> {
        for namespace in ["t-takeover", "t-takeover-helm"] {
            let wait =
                ["wait", "-n", namespace, "deployment", "--all", "--for=condition=Available"];
            self.cluster.kubectl(&[&wait[..], &["--timeout=60s"]].concat())?;
        }
        eventually(PATIENCE, || async {
            let (before, after) = (self.all().await?, self.all().await?);
            ensure!(before == after, "still changing");
            Ok(after)
        })
        .await
    }

    async fn all(&self) -> Result<Vec<Value>> {
        let mut all = Vec::new();
        for path in &self.paths {
            all.push(self.get(path).await?);
        }
        let secrets = self.get("/api/v1/namespaces/t-takeover/secrets").await?;
        let names = secrets["items"].as_array().into_iter().flatten();
        all.push(names.map(|secret| secret["metadata"]["name"].clone()).collect());
        Ok(all)
    }

    /// Waits until all artifacts are offered at `address`.
    async fn until_stored(&self, address: &str) -> Result<()> {
        eventually(PATIENCE, || async {
            for object in self.all().await? {
                let url = object["status"]["artifact"]["url"].as_str();
                ensure!(url.is_none_or(|url| url.contains(address)), "it is {object}");
            }
            Ok(())
        })
        .await
    }

    async fn get(&self, path: &str) -> Result<Value> {
        self.request("GET", path, &Value::Null).await
    }

    async fn request(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        let request = axum::http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .body(body)?;
        Ok(self.client.request::<Value>(request).await?)
    }
}

/// Where objects of this kind are.
fn collection(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (version, kind) = (text(&object["apiVersion"]), text(&object["kind"]).to_lowercase());
    let prefix = if version == "v1" { "api" } else { "apis" };
    let plural = match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{kind}s"),
    };
    format!("/{prefix}/{version}/namespaces/{}/{plural}", text(&object["metadata"]["namespace"]))
}

/// One of our controllers, with a proxy before it that knows what it wrote.
struct Successor {
    proxy: ApiProxy,
    log: PathBuf,
    _controller: Controller,
}

impl Successor {
    async fn start(name: &str, flags: &[String], cluster: &Cluster, dir: &Path) -> Result<Self> {
        let dir = dir.join(name);
        std::fs::create_dir_all(&dir)?;
        let proxy = ApiProxy::start(cluster, &dir).await?;
        let mut all = vec![
            "--events-addr=".to_owned(),
            "--health-addr=127.0.0.1:0".to_owned(),
            "--metrics-addr=127.0.0.1:0".to_owned(),
        ];
        all.extend_from_slice(flags);
        let binary = Controller::binary(name)?;
        let controller = Controller::start(name, &binary, &all, proxy.cluster(), &dir)?;
        Ok(Self { proxy, log: controller.log_path().to_path_buf(), _controller: controller })
    }

    /// Waits until its log holds `words`: who writes nothing leaves no other trace.
    async fn until_logged(&self, words: &str) -> Result<()> {
        eventually(PATIENCE, || async {
            let log = std::fs::read_to_string(&self.log)?;
            ensure!(log.contains(words), "it logged {log}, wrote {:?}", self.wrote());
            Ok(())
        })
        .await
    }

    /// All that it wrote, but for events.
    fn wrote(&self) -> Vec<String> {
        self.proxy.interruption().sent()
    }
}
