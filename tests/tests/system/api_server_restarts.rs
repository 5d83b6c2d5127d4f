//! The API server is killed and comes back while everybody is at work: they notice, wait, and go on.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use system_tests::{Kind, Scene, Shard, World};
use testbed::{ApiProxy, Cluster, StackFlags, eventually};

use crate::releases::{chart, job, publish};

/// How many objects are applied.
const OBJECTS: usize = 300;
/// How many of them are sent when the API server is killed.
const SENT: usize = 60;
/// How often it is killed, first while all is made, then while it is changed.
const KILLS: usize = 3;
/// How long all may take to be well once it answers again.
const SOON: Duration = Duration::from_secs(30);
/// How many requests a controller may try in a second of its absence. What it watches is about
/// fifteen kinds.
const REQUESTS_A_SECOND: usize = 20;

const KS: Kind = Kind::Kustomization;
const MAP: Kind = Kind::ConfigMap;
/// A hook that goes on until a node takes it.
const HOOK: &str = "app-before";

/// A controller with a way to the API server of its own.
struct Worker {
    proxy: ApiProxy,
    shard: Shard,
    _dir: tempfile::TempDir,
}

impl Worker {
    async fn new(scene: &Scene, start: fn(&Scene, &Cluster, &[&str]) -> Result<Shard>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let proxy = ApiProxy::start(scene.world().cluster(), dir.path()).await.unwrap();
        let shard = start(scene, proxy.cluster(), &[]).unwrap();
        Self { proxy, shard, _dir: dir }
    }

    fn writes(&self) -> Vec<String> {
        self.proxy.interruption().sent()
    }

    /// Waits until it has written `count` objects more whose path has this part.
    async fn until_written(&self, since: usize, part: &str, count: usize) {
        let written = eventually(SOON, || async {
            let writes = self.writes().split_off(since);
            let written = writes.iter().filter(|line| line.contains(part)).count();
            ensure!(written >= count, "{written} of {count} are written");
            Ok(())
        });
        written.await.unwrap();
    }
}

/// Kills the API server and starts it again. Nobody asks too much of it meanwhile. Answers how long
/// that took, and how many requests of each were in vain.
fn kill(world: &World, workers: [&Worker; 2]) -> (Duration, [usize; 2]) {
    let mut gone = Instant::now();
    let restart = || {
        world.kill_and_restart_api_server(|| {
            gone = Instant::now();
            for worker in workers {
                worker.proxy.take_unanswered();
            }
        })
    };
    tokio::task::block_in_place(restart).unwrap();
    let away = gone.elapsed();
    let allowed = REQUESTS_A_SECOND * usize::try_from(away.as_secs() + 1).unwrap();
    let in_vain = workers.map(|worker| {
        let asked = worker.proxy.take_unanswered();
        assert!(asked.len() < allowed, "{} requests in {away:?}: {asked:#?}", asked.len());
        asked.len()
    });
    (away, in_vain)
}

async fn uids(scene: &Scene) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let objects = scene.list(MAP).await.unwrap();
    let metadata = objects.iter().map(|object| &object["metadata"]);
    let all = metadata.map(|it| (text(&it["name"]), text(&it["uid"])));
    all.filter(|(name, _)| name.starts_with("many-")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_server_that_is_killed_and_comes_back_loses_nothing() {
    // Nobody else wants such an API server.
    let world = World::own_with(StackFlags::default());
    let scene = Scene::on(world, "api-server").await.unwrap();
    let kustomize = Worker::new(&scene, Shard::start).await;
    let helm = Worker::new(&scene, Shard::start_helm).await;
    let source = world.stack().lock().await.source().unwrap().pid();
    let pids = [kustomize.shard.pid(), helm.shard.pid(), source];
    let commit = |value: &str| {
        let maps = (0..OBJECTS).map(|n| crate::config_map(&format!("many-{n:03}"), value));
        let maps = maps.collect::<Vec<_>>().join("---\n");
        scene.commit(&[("many.yaml", Some(&maps))]).unwrap()
    };
    commit("0");
    scene.apply_source("app", &json!({})).unwrap();
    scene.until_ready(Kind::GitRepository, "app", "stored").await.unwrap();

    // A hook is under way at every kill.
    let _charts = publish(&scene, &["1.0.0"]);
    let hook = job(HOOK, &json!({"helm.sh/hook": "pre-install"}), None);
    let spec = json!({
        "interval": "1h", "chart": chart("demo", "demo", "1.0.0"), "values": {"objects": [hook]},
    });
    let release = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "app"}, "spec": spec,
    });
    scene.apply_all(&[helm.shard.object(release)]).unwrap();
    let pod = ["get", "pods", "--selector=job-name=app-before", "--output=name"];
    let pod = eventually(SOON, || async {
        let pod = scene.namespace().kubectl(&pod)?;
        let pod = pod.trim().strip_prefix("pod/").context("the hook has no pod")?;
        Ok(pod.to_owned())
    });
    let pod = pod.await.unwrap();

    let mut uids_before = BTreeMap::new();
    for n in 0..KILLS {
        let (since, value) = (kustomize.writes().len(), n.to_string());
        let revision = if n == 0 {
            let object = kustomize.shard.object(scene.kustomization("app", &json!({})));
            scene.server_side_apply(KS, &object).await.unwrap();
            String::new()
        } else {
            let revision = commit(&value);
            scene.request_reconcile(Kind::GitRepository, "app", &value).await.unwrap();
            revision
        };
        kustomize.until_written(since, "/configmaps/", SENT).await;
        let (away, in_vain) = kill(world, [&kustomize, &helm]);
        let began = Instant::now();
        let applied = |ks: &Value| {
            let revision_of = ks["status"]["lastAppliedRevision"].as_str().unwrap_or_default();
            revision_of.ends_with(&revision) && is_ready(ks)
        };
        scene.until_object(SOON, KS, "app", applied).await.unwrap();
        let took = began.elapsed();
        println!("away for {away:?}, {in_vain:?} requests in vain, all well {took:?} later");
        let maps = scene.list(MAP).await.unwrap();
        let right = maps.iter().filter(|map| map["data"]["key"] == value.as_str()).count();
        assert_eq!(right, OBJECTS);
        let uids = uids(&scene).await;
        if n > 0 {
            assert_eq!(uids, uids_before, "an object was made again instead of changed");
        }
        uids_before = uids;
    }

    let node = json!({
        "apiVersion": "v1", "kind": "Binding", "metadata": {"name": pod},
        "target": {"kind": "Node", "name": "lab-node"},
    });
    let path = format!("/api/v1/namespaces/{}/pods/{pod}/binding", scene.namespace().name());
    let create = ["create", "--raw", &path, "-f", "-"];
    world.cluster().kubectl_with_input(&create, &node.to_string()).unwrap();
    scene.until_ready(Kind::HelmRelease, "app", "install succeeded").await.unwrap();
    let release = scene.get(Kind::HelmRelease, "app").await.unwrap();
    assert_eq!(release["status"]["history"].as_array().unwrap().len(), 1, "{release}");
    let writes = helm.writes();
    let count = |method: &str, path: &str| {
        writes.iter().filter(|line| line.starts_with(method) && line.ends_with(path)).count()
    };
    let (hooks, records) = (count("PATCH", &format!("/jobs/{HOOK}")), count("POST", "/secrets"));
    assert_eq!((hooks, records), (1, 1), "{writes:#?}");
    let writes = kustomize.writes();
    assert!(!writes.iter().any(|line| line.starts_with("DELETE ")), "{writes:#?}");
    for pid in pids {
        assert!(std::path::Path::new(&format!("/proc/{pid}")).exists(), "a controller ended");
    }
}

fn is_ready(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|it| it["type"] == "Ready" && it["status"] == "True")
}
