//! kustomize-controller killed (`kill -9`) at every write that it sends to the API server.
//!
//! For every n, a controller of its own works on a Kustomization of its own and is killed when its
//! n-th write was carried out and not yet answered. Another one then has to bring all to a good end.
//! It is over when there is no n-th write.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use system_tests::{Kind, Scene, Shard};
use testbed::{ApiProxy, Cluster, Moment, eventually};

use crate::{config_map, deployment};

/// How many Kustomizations are worked on at once. Most of their time they wait.
const LANES: usize = 4;
/// More writes than any story has.
const MAX_WRITES: usize = 60;
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(90);

const KS: Kind = Kind::Kustomization;
const MAP: Kind = Kind::ConfigMap;

/// During which change the controller is killed.
#[derive(Clone, Copy, Debug)]
enum Story {
    /// Everything is applied for the first time.
    Create,
    /// Two objects are pruned, one is changed, the others are new.
    Change,
    /// Everything is deleted.
    Delete,
}

/// What every Kustomization has at first.
fn before() -> String {
    let names = ["old-a-${name}", "old-b-${name}", "kept-${name}"];
    names.map(|name| housed(&config_map(name, "1"))).join("---\n")
}

/// What it has then: what everything else needs first, a custom resource, something to wait for.
fn after() -> String {
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: \"${ns}-${name}\"}\n";
    let definition = "apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: \"things.${name}.example.com\"}
spec:
  group: \"${name}.example.com\"
  names: {kind: Thing, listKind: ThingList, plural: things, singular: thing}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";
    let thing = "apiVersion: \"${name}.example.com/v1\"\nkind: Thing\nmetadata: {name: \"${name}\", namespace: \"${ns}\"}\n";
    let kept = config_map("kept-${name}", "2");
    let pods = deployment("NAME", true).replace("NAME", "\"${name}\"");
    [namespace, definition, thing, &housed(&kept), &housed(&pods)].join("---\n")
}

/// With its namespace. `targetNamespace` would rename the Namespace too.
fn housed(object: &str) -> String {
    object.replacen("metadata:\n", "metadata:\n  namespace: ${ns}\n", 1)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_kustomize_controller_finishes_its_work_whenever_it_was_killed() {
    let scene = Scene::new("kills").await.unwrap();
    scene.commit(&[("before/a.yaml", Some(&before())), ("after/a.yaml", Some(&after()))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.until_ready(Kind::GitRepository, "app", "stored").await.unwrap();
    for story in [Story::Create, Story::Change, Story::Delete] {
        let began = std::time::Instant::now();
        let next = AtomicUsize::new(1);
        let lanes = std::array::from_fn::<_, LANES, _>(|_| lane(&scene, story, &next));
        let killed: usize = futures::future::try_join_all(lanes).await.unwrap().iter().sum();
        println!("{story:?}: killed {killed} times, {:?}", began.elapsed());
        assert!(killed >= 6, "{story:?} has {killed} writes only");
    }
}

/// Plays a story until it has no n-th write. Answers how often the controller was killed.
async fn lane(scene: &Scene, story: Story, next: &AtomicUsize) -> Result<usize> {
    let mut killed = 0;
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if n > MAX_WRITES {
            return Ok(killed);
        }
        let play = Play { scene, story, name: format!("{story:?}-{n}").to_lowercase() };
        if !play.run(n).await.with_context(|| format!("{story:?}, write {n}"))? {
            next.fetch_max(MAX_WRITES + 1, Ordering::Relaxed);
            return Ok(killed);
        }
        killed += 1;
    }
}

/// One Kustomization and the controllers that work on it, one after the other.
struct Play<'a> {
    scene: &'a Scene,
    story: Story,
    name: String,
}

impl Play<'_> {
    /// Whether there was an n-th write.
    async fn run(&self, n: usize) -> Result<bool> {
        let dir = tempfile::tempdir()?;
        let proxy = ApiProxy::start(self.scene.world().cluster(), dir.path()).await?;
        let mut shard = Shard::start(self.scene, proxy.cluster(), &[])?;
        let kept = match self.story {
            Story::Create => None,
            Story::Change => {
                self.apply(&shard, "before").await?;
                self.until_ready("before").await?;
                Some(self.uid().await?)
            }
            Story::Delete => {
                self.apply(&shard, "after").await?;
                self.until_ready("after").await?;
                None
            }
        };
        let sent = proxy.interruption().sent().len();
        proxy.interruption().arm(n, Moment::After);
        match self.story {
            Story::Create | Story::Change => self.apply(&shard, "after").await?,
            Story::Delete => self.scene.delete(KS, &self.name).await?,
        }
        let was_killed = tokio::select! {
            () = proxy.interruption().reached() => true,
            end = self.until_over() => end.map(|()| false)?,
        };
        if was_killed {
            shard.kill_and_restart(|| proxy.interruption().disarm())?;
        } else {
            proxy.interruption().disarm();
        }
        self.until_over().await?;
        let sent = proxy.interruption().sent().split_off(sent);
        self.check_deletions(&sent)?;
        if matches!(self.story, Story::Create | Story::Change) {
            self.check_objects(kept).await?;
            self.scene.delete(KS, &self.name).await?;
            self.scene.until_gone(KS, &self.name).await?;
        }
        self.until_nothing_is_left().await?;
        Ok(was_killed)
    }

    async fn apply(&self, shard: &Shard, path: &str) -> Result<()> {
        let variables = json!({"name": self.name, "ns": self.scene.namespace().name()});
        let spec = json!({
            "path": format!("./{path}"), "targetNamespace": null, "wait": true,
            "postBuild": {"substitute": variables},
        });
        let object = shard.object(self.scene.kustomization(&self.name, &spec));
        self.scene.server_side_apply(KS, &object).await
    }

    async fn until_ready(&self, path: &str) -> Result<()> {
        eventually(PATIENCE, || async {
            let object = self.scene.get(KS, &self.name).await?;
            let status = &object["status"];
            let conditions = status["conditions"].as_array();
            let is = |kind: &str| {
                let mut all = conditions.into_iter().flatten();
                all.any(|c| c["type"] == kind && c["status"] == "True")
            };
            ensure!(
                object["spec"]["path"] == format!("./{path}")
                    && status["observedGeneration"] == object["metadata"]["generation"]
                    && is("Ready")
                    && !is("Reconciling"),
                "it is {object}"
            );
            Ok(())
        })
        .await
    }

    async fn until_over(&self) -> Result<()> {
        match self.story {
            Story::Create | Story::Change => self.until_ready("after").await,
            Story::Delete => self.scene.until_gone(KS, &self.name).await,
        }
    }

    async fn uid(&self) -> Result<Value> {
        let mut object = self.scene.get(MAP, &format!("kept-{}", self.name)).await?;
        Ok(object["metadata"]["uid"].take())
    }

    /// Everything is there, is tracked, and nothing else is.
    async fn check_objects(&self, kept: Option<Value>) -> Result<()> {
        let (name, ns) = (&self.name, self.scene.namespace().name());
        let object = self.scene.get(KS, name).await?;
        let entries = object["status"]["inventory"]["entries"].as_array();
        let tracked: BTreeSet<&str> =
            entries.into_iter().flatten().filter_map(|entry| entry["id"].as_str()).collect();
        let wanted = [
            format!("_{ns}-{name}__Namespace"),
            format!("_things.{name}.example.com_apiextensions.k8s.io_CustomResourceDefinition"),
            format!("{ns}_kept-{name}__ConfigMap"),
            format!("{ns}_{name}_apps_Deployment"),
            format!("{ns}_{name}_{name}.example.com_Thing"),
        ];
        ensure!(tracked == wanted.iter().map(String::as_str).collect(), "tracked: {tracked:?}");
        for old in ["old-a", "old-b"] {
            let is_there = self.scene.exists(MAP, &format!("{old}-{name}")).await?;
            ensure!(!is_there, "{old} was not pruned");
        }
        let map = self.scene.get(MAP, &format!("kept-{name}")).await?;
        ensure!(map["data"]["key"] == "2", "{map}");
        let is_the_same = kept.is_none_or(|uid| uid == map["metadata"]["uid"]);
        ensure!(is_the_same, "an object that should stay was made anew");
        let things = format!("things.{name}.example.com");
        self.scene.namespace().kubectl(&["get", "--ignore-not-found=false", &things, name])?;
        Ok(())
    }

    /// Nothing was deleted that should stay.
    fn check_deletions(&self, sent: &[String]) -> Result<()> {
        let mut deleted = sent.iter().filter(|line| line.starts_with("DELETE "));
        let wrong = deleted.find(|line| match self.story {
            Story::Create => true,
            Story::Change => !line.contains("/configmaps/old-"),
            Story::Delete => false,
        });
        ensure!(wrong.is_none(), "wrongly deleted: {wrong:?}");
        Ok(())
    }

    async fn until_nothing_is_left(&self) -> Result<()> {
        let (name, cluster) = (&self.name, self.scene.namespace().cluster());
        let own = self.own_objects();
        eventually(PATIENCE, || async {
            for (kind, object) in &own {
                ensure!(!self.scene.exists(*kind, object).await?, "{object} is left");
            }
            ensure!(
                gone(cluster, "crd", &format!("things.{name}.example.com"))?,
                "the CRD is left"
            );
            let namespace = format!("{}-{name}", self.scene.namespace().name());
            ensure!(gone(cluster, "namespace", &namespace)?, "the namespace is left");
            Ok(())
        })
        .await
    }

    fn own_objects(&self) -> Vec<(Kind, String)> {
        let maps = ["old-a", "old-b", "kept"].map(|it| (MAP, format!("{it}-{}", self.name)));
        maps.into_iter().chain([(Kind::Deployment, self.name.clone())]).collect()
    }
}

/// Whether an object is gone, or on its way.
fn gone(cluster: &Cluster, kind: &str, name: &str) -> Result<bool> {
    let time = "jsonpath=x{.metadata.deletionTimestamp}";
    let found = cluster.kubectl(&["get", kind, name, "--ignore-not-found", "-o", time])?;
    Ok(found.is_empty() || found.len() > 1)
}
