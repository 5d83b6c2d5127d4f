//! Charts of a Bucket that another controller reads and serves.

use artifact::{
    digest::Algorithm,
    pack::{Limits, Packer},
};
use serde_json::{Value, json};
use system_tests::{Kind, Scene};
use testbed::ChartServer;

const SOURCES: &str = "source.toolkit.fluxcd.io/v1";

/// An archive as a source-controller makes one, with a chart of this version.
fn archive(version: &str) -> Vec<u8> {
    let about = format!("apiVersion: v2\nname: app\nversion: {version}\n");
    let mut packer = Packer::new(Vec::new(), Limits::default()).unwrap();
    for folder in ["charts", "charts/app"] {
        packer.directory(folder).unwrap();
    }
    packer.file("charts/app/Chart.yaml", false, about.as_bytes()).unwrap();
    packer.file("charts/app/values.yaml", false, b"colour: blue\n").unwrap();
    packer.finish().unwrap()
}

fn digest(bytes: &[u8]) -> String {
    Algorithm::Sha256.digest(bytes).to_string()
}

/// Says in the Bucket's status what the other controller would.
fn advertise(scene: &Scene, server: &ChartServer, file: &str, digest: &str) {
    let artifact = json!({
        "path": format!("bucket/{}/app/{file}", scene.namespace().name()),
        "url": format!("{}/{file}", server.url()),
        "revision": digest,
        "digest": digest,
        "lastUpdateTime": "2026-01-01T00:00:00Z",
    });
    let patch = json!({"status": {"artifact": artifact}}).to_string();
    let args = ["patch", "bucket", "app", "--subresource=status", "--type=merge", "-p", &patch];
    scene.namespace().kubectl(&args).unwrap();
}

async fn artifact(scene: &Scene) -> Value {
    scene.get(Kind::HelmChart, "app").await.unwrap()["status"]["artifact"].clone()
}

#[tokio::test]
async fn a_chart_is_made_of_what_another_controller_has_of_a_bucket() {
    let scene = Scene::new("chart-bucket").await.unwrap();
    let chart = json!({
        "apiVersion": SOURCES, "kind": "HelmChart", "metadata": {"name": "app"},
        "spec": {
            "interval": "1h", "chart": "./charts/app", "reconcileStrategy": "Revision",
            "sourceRef": {"kind": "Bucket", "name": "app"},
        },
    });
    scene.namespace().apply(&chart.to_string()).unwrap();
    let part = "failed to get source: Bucket.source.toolkit.fluxcd.io \"app\" not found";
    let told = scene.until_failed(Kind::HelmChart, "app", part).await.unwrap();
    assert_eq!(told.reason, "SourceUnavailable");

    let bucket = json!({
        "apiVersion": SOURCES, "kind": "Bucket", "metadata": {"name": "app"},
        "spec": {"interval": "1h", "bucketName": "charts", "endpoint": "s3.example"},
    });
    scene.namespace().apply(&bucket.to_string()).unwrap();
    let part = "no artifact available for Bucket source 'app'";
    let told = scene.until_failed(Kind::HelmChart, "app", part).await.unwrap();
    assert_eq!(told.reason, "NoSourceArtifact");

    let server = ChartServer::http().unwrap();
    let first = archive("1.0.0");
    server.put("/first.tar.gz", first.clone());
    advertise(&scene, &server, "first.tar.gz", &digest(&first));
    let version = format!("1.0.0+{}", &digest(&first)["sha256:".len()..][..12]);
    let told = scene.until_ready(Kind::HelmChart, "app", &version).await.unwrap();
    assert_eq!(told.message, format!("packaged 'app' chart with version '{version}'"));
    assert_eq!(artifact(&scene).await["revision"], version);

    // Nobody asks: the new revision does. What is served is not what is advertised.
    let second = archive("2.0.0");
    server.put("/second.tar.gz", first);
    advertise(&scene, &server, "second.tar.gz", &digest(&second));
    let part = "computed digest doesn't match provided";
    scene.until_failed(Kind::HelmChart, "app", part).await.unwrap();
    assert_eq!(artifact(&scene).await["revision"], version);
    server.put("/second.tar.gz", second);
    scene.until_ready(Kind::HelmChart, "app", "'2.0.0+").await.unwrap();

    advertise(&scene, &server, "third.tar.gz", &digest(b"third"));
    scene.until_failed(Kind::HelmChart, "app", "file not found").await.unwrap();
}
