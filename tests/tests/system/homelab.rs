//! Story 4: a cluster at home, at API versions of years ago, as the example has it and as the seeds
//! tell it.

use crate::seeds;
use anyhow::{Result, ensure};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;
use system_tests::{Scene, repository_root};
use testbed::{ChartServer, Cluster, eventually, example, with_url};

/// A user whose manifests follow the example.
const SEED: &str = "003_fcbfff6ff7b262c3.txt";
const KUSTOMIZATION: &str = "flux-system/kustomizations/kustomization-podinfo.yaml";
const RELEASE: &str = "podinfo/helmrelease-podinfo.yaml";
const VALUES: &str = "podinfo/configmap-podinfo-helm-chart-value-overrides.yaml";

#[tokio::test]
async fn a_homelab_becomes_ready_in_the_order_of_its_dependencies() {
    // The example lives in namespaces of its own choice, which it takes away in the end.
    if std::env::var_os("USE_EXISTING_CLUSTER").is_some() {
        println!("NOT PLAYED: the homelab wants a cluster of its own");
        return;
    }
    let scene = Scene::new("homelab").await.unwrap();
    let cluster = scene.world().cluster();
    let examples = repository_root().join("examples");
    let charts = ChartServer::http().unwrap();
    charts.publish_folder(&examples.join("helm-app/charts/podinfo"), "10.3.1").unwrap();
    let mut files = Vec::new();
    read(&examples.join("homelab/repository"), "", &mut files);
    for (_, text) in files.iter_mut().filter(|(path, _)| path.contains("helmrepository")) {
        *text = with_url(text, charts.url());
    }
    let files: Vec<_> =
        files.iter().map(|(path, text)| (path.as_str(), Some(text.as_str()))).collect();
    let commit = scene.commit(&files).unwrap();
    let namespace = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"flux-system"}}"#;
    cluster.apply(namespace).unwrap();
    cluster.apply(&example(&examples.join("homelab/flux"), &scene.url()).unwrap()).unwrap();

    let installed =
        "Helm install succeeded for release podinfo/podinfo.v1 with chart podinfo@10.3.1";
    ready(cluster, "podinfo", "helmrelease/podinfo", installed).await;
    let applied = format!("Applied revision: main@sha1:{commit}");
    for kustomization in ["flux-system", "cache", "podinfo"] {
        let object = format!("kustomization/{kustomization}");
        ready(cluster, "flux-system", &object, &applied).await;
    }
    let cache = get(cluster, "flux-system", "kustomization/cache").unwrap();
    let mut conditions = cache["status"]["conditions"].as_array().unwrap().iter();
    let healthy = conditions.find(|condition| condition["type"] == "Ready").unwrap();
    let healthy = healthy["lastTransitionTime"].as_str().unwrap();
    let release = get(cluster, "podinfo", "helmrelease/podinfo").unwrap();
    let created = release["metadata"]["creationTimestamp"].as_str().unwrap();
    assert!(healthy <= created, "podinfo waits for cache: {healthy} {created}");

    // The complaint of the seed: a change of the values waits for the 15 minutes of the interval.
    let values = files.iter().find(|(path, _)| *path == VALUES).unwrap().1.unwrap();
    let more = values.replace("replicaCount: 1", "replicaCount: 3");
    scene.commit(&[(VALUES, Some(&more))]).unwrap();
    request(cluster, "1");
    let upgraded =
        "Helm upgrade succeeded for release podinfo/podinfo.v2 with chart podinfo@10.3.1";
    ready(cluster, "podinfo", "helmrelease/podinfo", upgraded).await;
    let deployment = get(cluster, "podinfo", "deployment/podinfo").unwrap();
    assert_eq!(deployment["spec"]["replicas"], 3);

    if let Some(seed) = seeds::text(SEED) {
        let documents = seeds::documents(&seed);
        let of = |kind: &str| {
            let line = format!("\nkind: {kind}\n");
            documents.iter().find(|document| document.contains(&line)).unwrap().as_str()
        };
        let changes =
            [(KUSTOMIZATION, Some(of("Kustomization"))), (RELEASE, Some(of("HelmRelease")))];
        let commit = scene.commit(&changes).unwrap();
        request(cluster, "2");
        let applied = format!("Applied revision: main@sha1:{commit}");
        ready(cluster, "flux-system", "kustomization/podinfo", &applied).await;
        ready(cluster, "podinfo", "helmrelease/podinfo", upgraded).await;
    }
    let end = ["-n", "flux-system", "delete", "kustomization/flux-system", "--timeout=60s"];
    cluster.kubectl(&end).unwrap();
    gone(cluster, "flux-system", "kustomization/podinfo").await;
    gone(cluster, "podinfo", "deployment/podinfo").await;
    cluster.kubectl(&["delete", "namespace", "flux-system", "--wait=false"]).unwrap();
}

/// All files below a folder, by their paths from there.
fn read(folder: &Path, prefix: &str, files: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            read(&path, &format!("{name}/"), files);
        } else {
            files.push((name, std::fs::read_to_string(&path).unwrap()));
        }
    }
}

/// As `flux reconcile source git flux-system`.
fn request(cluster: &Cluster, token: &str) {
    let annotation = format!("reconcile.fluxcd.io/requestedAt={token}");
    let source = "gitrepository/flux-system";
    let args = ["-n", "flux-system", "annotate", "--overwrite", source, &annotation];
    cluster.kubectl(&args).unwrap();
}

fn get(cluster: &Cluster, namespace: &str, object: &str) -> Result<Value> {
    let printed = cluster.kubectl(&["-n", namespace, "get", object, "--output=json"])?;
    Ok(serde_json::from_str(&printed)?)
}

async fn ready(cluster: &Cluster, namespace: &str, object: &str, message: &str) {
    let end = eventually(Duration::from_mins(2), || async {
        let found = get(cluster, namespace, object)?;
        let conditions = found["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let ready = conditions.iter().find(|condition| condition["type"] == "Ready");
        let is = |ready: &Value| ready["status"] == "True" && ready["message"] == message;
        ensure!(ready.is_some_and(is), "{object} is {:?}", found["status"]["conditions"]);
        ensure!(found["status"]["observedGeneration"] == found["metadata"]["generation"]);
        Ok(())
    });
    end.await.unwrap();
}

async fn gone(cluster: &Cluster, namespace: &str, object: &str) {
    let end = eventually(Duration::from_mins(1), || async {
        ensure!(get(cluster, namespace, object).is_err(), "{object} still exists");
        Ok(())
    });
    end.await.unwrap();
}
