//! What is found in the storage of a release: locks, damage, too much.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use system_tests::{Kind, Scene};
use testbed::ChartServer;

use crate::releases::condition;

const CONFIG: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}-config}\n";

fn apply_repository(scene: &Scene, charts: &ChartServer) {
    let repository = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
        "metadata": {"name": "charts"}, "spec": {"interval": "1h", "url": charts.url()},
    });
    scene.namespace().apply(&repository.to_string()).unwrap();
}

fn apply_release(scene: &Scene, name: &str, chart: &str) {
    let release = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": name},
        "spec": {"interval": "1h", "chart": {"spec": {
            "chart": chart, "sourceRef": {"kind": "HelmRepository", "name": "charts"},
        }}},
    });
    scene.namespace().apply(&release.to_string()).unwrap();
}

/// Puts a record into storage as Helm does.
fn store(scene: &Scene, name: &str, version: i64, status: &str) {
    let record = json!({
        "name": name, "namespace": scene.namespace().name(), "version": version,
        "chart": {"metadata": {"apiVersion": "v2", "name": "demo", "version": "1.0.0"}},
        "info": {
            "first_deployed": "2026-01-01T00:00:00Z", "last_deployed": "2026-01-01T00:00:00Z",
            "description": "by somebody else", "status": status,
        },
    });
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "helm.sh/release.v1",
        "metadata": {"name": secret_name(name, version), "labels": {
            "name": name, "owner": "helm", "status": status, "version": version.to_string(),
        }},
        "data": {"release": STANDARD.encode(encode(&record))},
    });
    scene.namespace().apply(&secret.to_string()).unwrap();
}

fn secret_name(release: &str, version: i64) -> String {
    format!("sh.helm.release.v1.{release}.v{version}")
}

/// Helm's encoding: base64 of gzip of JSON.
fn encode(record: &Value) -> String {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(record.to_string().as_bytes()).unwrap();
    STANDARD.encode(encoder.finish().unwrap())
}

/// The statuses of all revisions: `1:superseded 2:deployed`.
async fn revisions(scene: &Scene, name: &str) -> Result<String> {
    let mut all = Vec::new();
    for secret in scene.list(Kind::Secret).await? {
        let labels = &secret["metadata"]["labels"];
        if labels["name"] == name && labels["owner"] == "helm" {
            let version = labels["version"].as_str().context("no version")?;
            all.push((
                version.parse::<u32>()?,
                labels["status"].as_str().unwrap_or_default().to_owned(),
            ));
        }
    }
    all.sort();
    let all = all.iter().map(|(version, status)| format!("{version}:{status}"));
    Ok(all.collect::<Vec<_>>().join(" "))
}

#[tokio::test]
async fn a_release_that_somebody_left_pending_is_unlocked_and_upgraded() {
    let scene = Scene::new("pending").await.unwrap();
    let charts = ChartServer::http().unwrap();
    charts.publish("demo", "1.0.0", &[("templates/config.yaml", CONFIG)]).unwrap();
    let kinds = ["pending-install", "pending-upgrade", "pending-rollback"];
    for pending in kinds {
        store(&scene, pending, 1, pending);
        let name = format!("{pending}-after");
        store(&scene, &name, 1, "deployed");
        store(&scene, &name, 2, pending);
        // Both were left pending: helm was killed twice.
        let name = format!("{pending}-twice");
        store(&scene, &name, 1, pending);
        store(&scene, &name, 2, pending);
    }
    apply_repository(&scene, &charts);
    for pending in kinds {
        for name in [pending.to_string(), format!("{pending}-after"), format!("{pending}-twice")] {
            apply_release(&scene, &name, "demo");
        }
    }
    for pending in kinds {
        for (name, wanted) in [
            (pending.to_string(), "1:superseded 2:deployed".to_owned()),
            (format!("{pending}-after"), "1:superseded 2:failed 3:deployed".to_owned()),
            (format!("{pending}-twice"), "1:failed 2:superseded 3:deployed".to_owned()),
        ] {
            scene.until_ready(Kind::HelmRelease, &name, "Helm upgrade succeeded").await.unwrap();
            assert_eq!(revisions(&scene, &name).await.unwrap(), wanted, "{name}");
            let config = format!("{name}-config");
            assert!(scene.exists(Kind::ConfigMap, &config).await.unwrap(), "{name}");
        }
    }
}

#[tokio::test]
async fn a_damaged_record_is_named_and_other_releases_go_on() {
    let scene = Scene::new("damaged").await.unwrap();
    let charts = ChartServer::http().unwrap();
    charts.publish("demo", "1.0.0", &[("templates/config.yaml", CONFIG)]).unwrap();
    apply_repository(&scene, &charts);
    let damages = ["flipped", "truncated", "no-gzip", "no-base64", "empty", "another"];
    for name in damages {
        apply_release(&scene, name, "demo");
    }
    for name in damages {
        scene.until_ready(Kind::HelmRelease, name, "install succeeded").await.unwrap();
    }
    for name in damages {
        let secret = scene.get(Kind::Secret, &secret_name(name, 1)).await.unwrap();
        let inner = STANDARD.decode(secret["data"]["release"].as_str().unwrap()).unwrap();
        let inner = damaged(name, &inner);
        let data = json!({"data": {"release": STANDARD.encode(inner)}});
        scene.patch(Kind::Secret, &secret_name(name, 1), &data).await.unwrap();
        scene.request_reconcile(Kind::HelmRelease, name, "1").await.unwrap();
    }
    apply_release(&scene, "whole", "demo");
    scene.until_ready(Kind::HelmRelease, "whole", "install succeeded").await.unwrap();
    for name in damages {
        let part = format!("release record `{}` is corrupt", secret_name(name, 1));
        let ready = scene.until_failed(Kind::HelmRelease, name, &part).await.unwrap();
        assert_eq!(ready.reason, "StateError", "{ready:?}");
        let config = format!("{name}-config");
        assert!(scene.exists(Kind::ConfigMap, &config).await.unwrap(), "it was left alone");
        // As the message says.
        scene.delete(Kind::Secret, &secret_name(name, 1)).await.unwrap();
        scene.request_reconcile(Kind::HelmRelease, name, "2").await.unwrap();
    }
    for name in damages {
        scene.until_ready(Kind::HelmRelease, name, "install succeeded").await.unwrap();
    }
}

/// A record that was damaged in the way that its release is named after. `record` is gzip in base64.
fn damaged(how: &str, record: &[u8]) -> Vec<u8> {
    let gzip = || STANDARD.decode(record).unwrap();
    match how {
        "flipped" => {
            let mut bytes = gzip();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 0x55;
            STANDARD.encode(bytes).into_bytes()
        }
        "truncated" => STANDARD.encode(&gzip()[..gzip().len() / 2]).into_bytes(),
        "no-gzip" => STANDARD.encode("this is no record").into_bytes(),
        "no-base64" => b"!!!".to_vec(),
        "empty" => Vec::new(),
        "another" => {
            let other = json!({"name": "another", "version": 7, "info": {"status": "deployed"}});
            encode(&other).into_bytes()
        }
        _ => unreachable!("no such damage"),
    }
}

#[tokio::test]
async fn a_release_that_fits_no_secret_is_told_before_anything_is_written() {
    let scene = Scene::new("large").await.unwrap();
    let charts = ChartServer::http().unwrap();
    let noise = noise(2 << 20);
    let group = format!("{}.example.com", scene.namespace().name());
    let crd = format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {{name: \
         larges.{group}}}\nspec:\n  group: {group}\n  scope: Namespaced\n  names: {{kind: Large, \
         plural: larges}}\n  versions: [{{name: v1, served: true, storage: true, schema: \
         {{openAPIV3Schema: {{type: object}}}}}}]\n"
    );
    let files = [
        ("templates/config.yaml", CONFIG),
        ("files/big.txt", &noise),
        ("files/small", "x"),
        ("crds/one.yaml", &crd),
    ];
    charts.publish("large", "1.0.0", &files).unwrap();
    apply_repository(&scene, &charts);
    apply_release(&scene, "large", "large");
    let size = format!("`files/big.txt` ({} bytes)", noise.len());
    let ready = scene.until_failed(Kind::HelmRelease, "large", &size).await.unwrap();
    assert_eq!(ready.reason, "InstallFailed", "{ready:?}");
    assert!(ready.message.contains("a Secret holds 1048576"), "{ready:?}");
    // Nothing but another chart helps.
    let (status, reason, told) = condition(&scene, "large", "Stalled").await;
    assert_eq!((status.as_str(), reason.as_str()), ("True", "ReleaseTooLarge"));
    assert!(told.contains(&size), "{told}");
    let definition = format!("larges.{}", scene.namespace().name());
    let found = ["get", "customresourcedefinitions", "--output=name"];
    let found = scene.namespace().kubectl(&found).unwrap();
    assert!(!found.contains(&definition), "a definition was applied");
    assert!(!scene.exists(Kind::ConfigMap, "large-config").await.unwrap());
    assert_eq!(revisions(&scene, "large").await.unwrap(), "");

    // A chart without the file heals it.
    let files = [("templates/config.yaml", CONFIG), ("files/small", "x")];
    charts.publish("large", "1.0.1", &files).unwrap();
    scene.request_reconcile(Kind::HelmRepository, "charts", "1").await.unwrap();
    scene.until_ready(Kind::HelmRelease, "large", "large@1.0.1").await.unwrap();
}

/// Text that cannot be made much smaller.
fn noise(bytes: usize) -> String {
    let mut state = 1_u64;
    let random = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    });
    STANDARD.encode(random.take(bytes).collect::<Vec<u8>>())
}
