//! An API server that is busy, forgets, or restarts, and what must not be asked of it.

use crate::config_map;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use system_tests::{Kind, Scene, Shard};
use testbed::{ApiFault, ApiProxy, eventually};

const KS: Kind = Kind::Kustomization;
const MAP: Kind = Kind::ConfigMap;

/// A scene with a controller behind a proxy, which has applied `app` and looks after it.
struct Disturbed {
    scene: Scene,
    proxy: ApiProxy,
    shard: Shard,
    _dir: tempfile::TempDir,
}

impl Disturbed {
    async fn new(title: &str) -> Self {
        Self::with(title, &[]).await
    }

    async fn with(title: &str, flags: &[&str]) -> Self {
        let scene = Scene::new(title).await.unwrap();
        let files = ["app", "other"].map(|name| (format!("{name}/a.yaml"), config_map(name, "1")));
        let files = files.each_ref().map(|(path, text)| (path.as_str(), Some(text.as_str())));
        scene.commit(&files).unwrap();
        scene.apply_source("app", &json!({})).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let proxy = ApiProxy::start(scene.world().cluster(), dir.path()).await.unwrap();
        let shard = Shard::start(&scene, proxy.cluster(), flags).unwrap();
        let disturbed = Self { scene, proxy, shard, _dir: dir };
        disturbed.apply("app", json!({}));
        disturbed.scene.until_ready(KS, "app", "Applied").await.unwrap();
        disturbed
    }

    fn apply(&self, name: &str, mut spec: Value) {
        spec["path"] = json!(format!("./{name}"));
        let object = self.shard.object(self.scene.kustomization(name, &spec));
        self.scene.apply_all(&[object]).unwrap();
    }

    /// Waits until an edit of the object of `app` is undone.
    async fn until_drift_is_undone(&self) {
        self.scene.patch(MAP, "app", &json!({"data": {"key": "edited"}})).await.unwrap();
        let undone = |o: &Value| o["data"]["key"] == "1";
        self.scene.until_object(Duration::from_mins(1), MAP, "app", undone).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forgotten_versions_are_listed_anew() {
    for fault in [ApiFault::GoneByStatus, ApiFault::GoneByEvent] {
        let disturbed = Disturbed::new("gone").await;
        let (scene, proxy) = (&disturbed.scene, &disturbed.proxy);
        proxy.set_fault(Some(fault));
        proxy.break_watches();
        // What happens now is seen by no watch.
        disturbed.apply("other", json!({}));
        scene.until_ready(KS, "other", "Applied").await.unwrap();
        scene.delete(MAP, "app").await.unwrap();
        // Not in a hot loop: this is what a watch costs that begins anew for ever.
        proxy.take_requests();
        let began = Instant::now();
        let back = |o: &Value| o["data"]["key"] == "1";
        scene.until_object(Duration::from_mins(1), MAP, "app", back).await.unwrap();
        let asked = u32::try_from(proxy.take_requests().len()).unwrap();
        let seconds = u32::try_from(began.elapsed().as_secs()).unwrap() + 1;
        assert!(asked < 60 * seconds, "{fault:?}: {asked} requests in {seconds} s");
        proxy.set_fault(None);
        disturbed.until_drift_is_undone().await;
        scene.delete(KS, "other").await.unwrap();
        scene.until_gone(KS, "other").await.unwrap();
        scene.until_gone(MAP, "other").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_server_is_left_in_peace_and_asked_again() {
    let disturbed = Disturbed::new("busy").await;
    let (scene, proxy) = (&disturbed.scene, &disturbed.proxy);
    proxy.take_requests();
    proxy.set_fault(Some(ApiFault::TooBusy));
    disturbed.apply("other", json!({}));
    let mut asked = 0;
    let few = eventually(Duration::from_secs(4), || {
        asked += proxy.take_requests().len();
        async { anyhow::bail!("it goes on") as anyhow::Result<()> }
    });
    few.await.unwrap_err();
    assert!(asked > 0, "nothing was tried");
    assert!(asked < 60, "{asked} requests in 4 s");
    proxy.set_fault(None);
    // The retry interval is an hour.
    let began = Instant::now();
    scene.until_ready(KS, "other", "Applied").await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(20), "took {:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_suspended_is_silent() {
    let disturbed = Disturbed::new("silent").await;
    let (scene, proxy) = (&disturbed.scene, &disturbed.proxy);
    disturbed.apply("other", json!({}));
    scene.until_ready(KS, "other", "Applied").await.unwrap();
    disturbed.apply("app", json!({"suspend": true}));
    // The status says nothing of it, but what comes later in the queue tells that it was seen.
    scene.request_reconcile(KS, "app", "seen").await.unwrap();
    let seen = |o: &Value| o["status"]["lastHandledReconcileAt"] == "seen";
    scene.until_object(Duration::from_secs(30), KS, "app", seen).await.unwrap();
    proxy.take_requests();

    // A commit and an edit wake the other one and not this one.
    let changed = ["app", "other"].map(|name| (format!("{name}/a.yaml"), config_map(name, "2")));
    let changed = changed.each_ref().map(|(path, text)| (path.as_str(), Some(text.as_str())));
    let commit = scene.commit(&changed).unwrap();
    scene.patch(MAP, "app", &json!({"data": {"key": "edited"}})).await.unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "1").await.unwrap();
    scene.until_ready(KS, "other", &commit).await.unwrap();
    assert_eq!(scene.get(MAP, "app").await.unwrap()["data"]["key"], "edited");
    // Its end takes nothing with it, and asks for nothing but its own.
    scene.delete(KS, "app").await.unwrap();
    scene.until_gone(KS, "app").await.unwrap();
    assert!(scene.exists(MAP, "app").await.unwrap());
    let requests = proxy.take_requests();
    let about = |line: &&String| {
        let path = line.split(['?', ' ']).nth(1).unwrap_or_default();
        path.ends_with("/configmaps/app")
    };
    let wrong: Vec<_> = requests.iter().filter(about).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let own = requests.iter().filter(|line| line.contains("/kustomizations/app"));
    let own: Vec<_> = own.filter(|line| !line.contains("watch=")).collect();
    assert!(own.len() <= 1, "the finalizer alone is to be written: {own:?}");
}

/// After how long a watch of these tests ends.
const WATCH: Duration = Duration::from_secs(3);
/// How long it takes at most until a dead one is given up: the slack of all that wait, and a pause.
const GIVEN_UP: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watches_that_are_silently_dead_are_given_up() {
    let flag = format!("--watch-timeout={}s", WATCH.as_secs());
    let disturbed = Disturbed::with("silent-watches", &[&flag]).await;
    let (scene, proxy) = (&disturbed.scene, &disturbed.proxy);
    // Its own kind, what it applied, and what it reads: each is seen by a watch of its own.
    for (n, kind) in ["own", "applied", "source"].into_iter().enumerate() {
        proxy.silence_watches();
        let began = Instant::now();
        match kind {
            "own" => {
                disturbed.apply("other", json!({}));
                let ready = |o: &Value| o["status"]["conditions"].to_string().contains("Applied");
                scene.until_object(GIVEN_UP, KS, "other", ready).await.unwrap();
            }
            "applied" => {
                scene.delete(MAP, "app").await.unwrap();
                let back = |o: &Value| o["data"]["key"] == "1";
                scene.until_object(GIVEN_UP, MAP, "app", back).await.unwrap();
            }
            _ => {
                let files = config_map("app", "2");
                scene.commit(&[("app/a.yaml", Some(&files))]).unwrap();
                let token = n.to_string();
                scene.request_reconcile(Kind::GitRepository, "app", &token).await.unwrap();
                let new = |o: &Value| o["data"]["key"] == "2";
                scene.until_object(GIVEN_UP, MAP, "app", new).await.unwrap();
            }
        }
        println!("{kind}: seen after {:?}", began.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_are_never_answered_are_given_up() {
    let flag = format!("--watch-timeout={}s", WATCH.as_secs());
    let disturbed = Disturbed::with("mute", &[&flag]).await;
    let (scene, proxy) = (&disturbed.scene, &disturbed.proxy);
    proxy.take_requests();
    proxy.set_fault(Some(ApiFault::Mute));
    disturbed.apply("other", json!({}));
    // Its finalizer is the first that is written.
    let asked = eventually(GIVEN_UP, || async {
        let asked = proxy.take_requests();
        let asked = asked.iter().any(|it| it.starts_with("PATCH ") && it.contains("/other"));
        anyhow::ensure!(asked, "nothing is written");
        Ok(())
    });
    asked.await.unwrap();
    proxy.set_fault(None);
    let ready = |o: &Value| o["status"]["conditions"].to_string().contains("Applied");
    let began = Instant::now();
    scene.until_object(GIVEN_UP, KS, "other", ready).await.unwrap();
    println!("applied after {:?}", began.elapsed());
}
