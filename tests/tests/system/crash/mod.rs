//! helm-controller killed (`kill -9`) at every write that it sends to the API server.
//!
//! A proxy stands between the two and counts. For every n, a controller of its own works on a
//! release of its own and is killed when its n-th write arrives, which is never passed on. A second
//! controller then has to bring all to a good end. It is over when there is no n-th write.
//!
//! `cargo xtask test --all` does it twice: it also kills when the n-th write was carried out and
//! before its answer comes. The cluster is then as it is when the next write is not passed on, so
//! that all states of the cluster are met either way.

mod chart;
mod story;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use system_tests::{Kind, Scene, World};
use testbed::{ApiProxy, Cluster, Controller, Moment, StackFlags, eventually};

use self::story::Story;

/// How many releases are worked on at once. Most of their time they wait.
const LANES: usize = 8;
/// More writes than any story has.
const MAX_WRITES: usize = 200;
/// How long a release may take to come to its end.
const PATIENCE: Duration = Duration::from_mins(4);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_helm_controller_finishes_its_work_whenever_it_was_killed() {
    let ground = World::own_with(StackFlags::default());
    let charts = chart::repository();
    for story in Story::ALL {
        let scene = Scene::on(ground, story.name()).await.unwrap();
        let spec = json!({"interval": "1h", "url": charts.url()});
        let repository = json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
            "metadata": {"name": "charts"}, "spec": spec,
        });
        scene.namespace().apply(&repository.to_string()).unwrap();
        let begun = std::time::Instant::now();
        let killed = at_every_write(story, scene.namespace().name(), ground).await;
        println!("{story:?}: killed {killed} times, {:?}", begun.elapsed());
        assert!(killed > 8, "{story:?} has {killed} writes only");
    }
}

/// Plays a story until it has no n-th write. Answers how often the controller was killed.
async fn at_every_write(story: Story, namespace: &str, world: &'static World) -> usize {
    let moments: &[Moment] = match std::env::var_os("FERROFLUX_TEST_ALL") {
        Some(_) => &[Moment::Before, Moment::After],
        None => &[Moment::Before],
    };
    let next = Arc::new(AtomicUsize::new(0));
    let killed = Arc::new(AtomicUsize::new(0));
    let mut lanes = tokio::task::JoinSet::new();
    for _ in 0..LANES {
        let (next, killed, namespace) =
            (Arc::clone(&next), Arc::clone(&killed), namespace.to_owned());
        lanes.spawn(async move {
            loop {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                let (n, moment) = (turn / moments.len() + 1, moments[turn % moments.len()]);
                if n > MAX_WRITES {
                    return;
                }
                let release = Release::new(story, n, moment, &namespace, world).await.unwrap();
                let was_killed = release.play().await;
                let was_killed = was_killed
                    .with_context(|| format!("{story:?}, write {n}, {moment:?}"))
                    .unwrap();
                if !was_killed {
                    next.fetch_max(moments.len() * MAX_WRITES, Ordering::Relaxed);
                    return;
                }
                killed.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while let Some(end) = lanes.join_next().await {
        end.unwrap();
    }
    killed.load(Ordering::Relaxed)
}

/// A release and the controllers that work on it, one after the other.
struct Release {
    story: Story,
    cut: (usize, Moment),
    name: String,
    namespace: String,
    client: kube::Client,
    proxy: ApiProxy,
    dir: PathBuf,
}

impl Release {
    async fn new(
        story: Story,
        n: usize,
        moment: Moment,
        namespace: &str,
        world: &World,
    ) -> Result<Self> {
        let name = format!("{}-{n}-{moment:?}", story.name()).to_lowercase();
        let dir = world.dir().join(&name);
        std::fs::create_dir_all(&dir)?;
        Ok(Self {
            story,
            cut: (n, moment),
            name,
            namespace: namespace.to_owned(),
            client: world.cluster().client().await?,
            proxy: ApiProxy::start(world.cluster(), &dir).await?,
            dir,
        })
    }

    /// Plays the story and looks at its end. Answers whether the controller was killed.
    async fn play(&self) -> Result<bool> {
        let interruption = self.proxy.interruption();
        let first = self.controller(self.proxy.cluster())?;
        if self.story.begins_installed() {
            self.apply(&Story::first()).await?;
            self.until(|object| is_released(object, 1)).await.context("the first release")?;
        }
        let before = interruption.sent().len();
        let (n, moment) = self.cut;
        interruption.arm(n, moment);
        match self.story.then() {
            Some(spec) => self.apply(&spec).await?,
            None => self.delete().await?,
        }
        let was_killed = tokio::select! {
            () = interruption.reached() => true,
            end = self.end() => {
                end?;
                false
            }
        };
        first.kill()?;
        interruption.disarm();
        let second = self.controller(self.proxy.cluster())?;
        let end = match self.end().await {
            Ok(()) => self.check(&interruption.sent()[before..]).await,
            Err(error) => Err(error),
        };
        end.with_context(|| {
            let sent = interruption.sent()[before..].join("\n");
            let log = std::fs::read_to_string(second.log_path()).unwrap_or_default();
            format!("sent:\n{sent}\nlog:\n{log}")
        })?;
        second.kill()?;
        Ok(was_killed)
    }

    /// A controller that works on this release alone.
    fn controller(&self, cluster: &Cluster) -> Result<Controller> {
        let flags = [
            "--events-addr=".to_owned(),
            "--health-addr=127.0.0.1:0".to_owned(),
            "--metrics-addr=127.0.0.1:0".to_owned(),
            format!("--watch-label-selector=release={}", self.name),
        ];
        let binary = Controller::binary("helm-controller")?;
        Controller::start("helm-controller", &binary, &flags, cluster, &self.dir)
    }

    /// Waits until the story has come to its end.
    async fn end(&self) -> Result<()> {
        if self.story.then().is_some() {
            return self.until(|object| is_released(object, self.story.last_revision())).await;
        }
        eventually(PATIENCE, || async {
            let objects = self.list(Kind::HelmRelease).await?;
            ensure!(!objects.iter().any(|o| o["metadata"]["name"] == self.name), "it still exists");
            Ok(())
        })
        .await
    }

    /// Looks at what came out.
    async fn check(&self, sent: &[String]) -> Result<()> {
        let secrets = self.list(Kind::Secret).await?;
        let label = |object: &Value, key: &str| {
            object["metadata"]["labels"][key].as_str().unwrap_or_default().to_owned()
        };
        let mut records: Vec<&Value> =
            secrets.iter().filter(|secret| label(secret, "name") == self.name).collect();
        records.sort_by_key(|secret| label(secret, "version").parse::<u32>().unwrap_or_default());
        let revisions: Vec<String> = records
            .iter()
            .map(|secret| format!("{}:{}", label(secret, "version"), label(secret, "status")))
            .collect();
        let revisions = revisions.join(" ");
        ensure!(revisions == self.story.revisions(), "revisions {revisions}");
        for record in records {
            let intent = &record["metadata"]["annotations"]["ferroflux.dev/intent"];
            let done = intent.as_str().is_none_or(|intent| intent.contains("\"done\":true"));
            ensure!(done, "left an intent: {intent}");
        }
        for moment in ["install", "upgrade", "rollback", "delete"] {
            for when in ["pre", "post"] {
                self.ran(&format!("{when}-{moment}"), sent)?;
            }
        }
        self.ran("test", sent)?;
        let maps = self.list(Kind::ConfigMap).await?;
        let config = format!("{}-config", self.name);
        let config = maps.iter().find(|object| object["metadata"]["name"] == config.as_str());
        let Some(spec) = self.story.then() else {
            ensure!(config.is_none(), "an object was left");
            let charts = self.list(Kind::HelmChart).await?;
            // source-controller may be about to let it go.
            let is_ours = |o: &&Value| {
                let name = o["metadata"]["name"].as_str().unwrap_or_default();
                name.ends_with(&self.name) && o["metadata"]["deletionTimestamp"].is_null()
            };
            ensure!(!charts.iter().any(|chart| is_ours(&chart)), "the HelmChart was left");
            return Ok(());
        };
        let config = config.context("no ConfigMap")?;
        ensure!(config["data"]["text"] == spec["values"]["text"], "{config}");
        let has_old = secrets.iter().any(|o| o["metadata"]["name"] == format!("{}-old", self.name));
        ensure!(
            has_old == (spec["chart"]["spec"]["version"] == "1.0.0"),
            "stale Secret: {has_old}"
        );
        Ok(())
    }

    /// Whether a hook was created as often as Helm creates it.
    fn ran(&self, hook: &str, sent: &[String]) -> Result<()> {
        let path = format!("/{}-{hook}", self.name);
        let times =
            sent.iter().filter(|line| line.starts_with("PATCH ") && line.ends_with(&path)).count();
        let wanted = self.story.hooks().iter().find(|(name, _)| *name == hook);
        let wanted = wanted.map_or(0, |(_, times)| *times);
        ensure!(times == wanted, "hook {hook} was created {times} times instead of {wanted}");
        Ok(())
    }

    async fn until(&self, check: impl Fn(&Value) -> bool) -> Result<()> {
        eventually(PATIENCE, || async {
            let object = self.request("GET", &self.path(), None).await?;
            ensure!(check(&object), "it is {object}");
            Ok(())
        })
        .await
    }

    async fn apply(&self, spec: &Value) -> Result<()> {
        let object = json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": self.name, "labels": {"release": self.name}}, "spec": spec,
        });
        let path = format!("{}?fieldManager=user&force=true", self.path());
        self.request("PATCH", &path, Some(&object)).await.map(drop)
    }

    async fn delete(&self) -> Result<()> {
        self.request("DELETE", &self.path(), None).await.map(drop)
    }

    async fn list(&self, kind: Kind) -> Result<Vec<Value>> {
        let list = self.request("GET", &kind.path(&self.namespace), None).await?;
        Ok(list["items"].as_array().cloned().unwrap_or_default())
    }

    fn path(&self) -> String {
        format!("{}/{}", Kind::HelmRelease.path(&self.namespace), self.name)
    }

    async fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value> {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/apply-patch+yaml")
            .body(body.map(Value::to_string).unwrap_or_default().into_bytes())?;
        Ok(self.client.request::<Value>(request).await?)
    }
}

/// Whether a revision is released and tested, and nothing more is to be done.
fn is_released(object: &Value, revision: u32) -> bool {
    let status = &object["status"];
    let conditions = status["conditions"].as_array();
    let holds = |wanted: &str| {
        conditions
            .into_iter()
            .flatten()
            .any(|condition| condition["type"] == wanted && condition["status"] == "True")
    };
    status["observedGeneration"] == object["metadata"]["generation"]
        && status["history"][0]["version"] == revision
        && holds("Ready")
        && holds("TestSuccess")
        && !holds("Reconciling")
}
