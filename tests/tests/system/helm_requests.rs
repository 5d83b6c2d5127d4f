//! What a HelmRelease is asked for besides its chart: removal, requests by annotation, suspension,
//! drift, definitions, where it is installed.

use std::time::Duration;

use serde_json::{Value, json};
use system_tests::{Kind, Scene};
use testbed::eventually;

use crate::releases::{
    apply_plain, apply_release, chart, condition, config_map, gated, publish, publish_as, slow,
};

const SOON: Duration = Duration::from_secs(40);

fn kubectl(scene: &Scene, args: &[&str]) -> String {
    scene.namespace().kubectl(args).unwrap()
}

/// Sets annotations of a release.
async fn annotate(scene: &Scene, name: &str, annotations: Value) {
    let change = json!({"metadata": {"annotations": annotations}});
    scene.patch(Kind::HelmRelease, name, &change).await.unwrap();
}

#[tokio::test]
async fn each_field_of_an_uninstallation_counts() {
    let scene = Scene::new("helm-uninstalls").await.unwrap();
    let _charts = publish(&scene, &["1.0.0"]);
    let held = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "{{ .Release.Name }}-held", "finalizers": ["example.com/hold"]},
    });
    let hook = config_map("{{ .Release.Name }}-hook", &json!({"helm.sh/hook": "pre-delete"}));
    let of = |uninstall: Value, object: &Value| json!({"install": {"disableWait": true}, "uninstall": uninstall, "values": {"objects": [object]}});
    let releases = [
        ("kept", of(json!({"keepHistory": true}), &hook)),
        ("orphans", of(json!({"deletionPropagation": "orphan"}), &slow())),
        ("hookless", of(json!({"disableHooks": true}), &hook)),
        ("hurried", of(json!({"timeout": "1s"}), &held)),
        ("careless", of(json!({"disableWait": true}), &held)),
    ];
    for (name, spec) in &releases {
        apply_release(&scene, name, spec);
    }
    for (name, _) in &releases {
        scene.until_ready(Kind::HelmRelease, name, "install succeeded").await.unwrap();
    }
    let replica_sets = || {
        let own = ["get", "replicasets", "--selector=app=slow", "--output=name"];
        kubectl(&scene, &own).lines().count()
    };
    eventually(SOON, || async {
        anyhow::ensure!(replica_sets() == 1, "there is no ReplicaSet yet");
        Ok(())
    })
    .await
    .unwrap();
    for (name, _) in &releases {
        scene.delete(Kind::HelmRelease, name).await.unwrap();
    }
    for name in ["kept", "orphans", "hookless", "careless"] {
        scene.until_gone(Kind::HelmRelease, name).await.unwrap();
    }
    let record = "secret/sh.helm.release.v1.kept.v1";
    let status = kubectl(&scene, &["get", record, "--output=jsonpath={.metadata.labels.status}"]);
    assert_eq!(status, "uninstalled");
    assert!(scene.exists(Kind::ConfigMap, "kept-hook").await.unwrap(), "hooks ran");
    assert!(!scene.exists(Kind::ConfigMap, "hookless-hook").await.unwrap(), "hooks did not run");
    assert!(!scene.exists(Kind::Deployment, "orphans-slow").await.unwrap());
    assert_eq!(replica_sets(), 1, "it is left behind");

    // Helm: what is not gone in time is told, and the release is gone nevertheless.
    scene.until_gone(Kind::HelmRelease, "hurried").await.unwrap();
    let events = scene.list(Kind::Event).await.unwrap();
    let failed = |name: &str| {
        events.iter().any(|event| {
            let part = "timeout waiting for termination of: [ConfigMap/";
            event["involvedObject"]["name"] == name
                && event["message"].as_str().is_some_and(|message| message.contains(part))
        })
    };
    assert!(failed("hurried") && !failed("careless"));
    let free = json!({"metadata": {"finalizers": null}});
    for name in ["hurried-held", "careless-held"] {
        scene.patch(Kind::ConfigMap, name, &free).await.unwrap();
    }

    // The name is taken by what was kept.
    apply_release(&scene, "kept", &json!({}));
    let part = "cannot reuse a name that is still in use";
    scene.until_failed(Kind::HelmRelease, "kept", part).await.unwrap();
    apply_release(&scene, "kept", &json!({"install": {"replace": true}}));
    scene.until_ready(Kind::HelmRelease, "kept", "install succeeded").await.unwrap();
}

#[tokio::test]
async fn failures_are_met_as_the_strategy_says_and_requests_are_heard() {
    let scene = Scene::new("helm-requests").await.unwrap();
    let _charts = publish(&scene, &["1.0.0"]);
    let values = json!({"objects": [gated()]});
    let retry = json!({"name": "RetryOnFailure", "retryInterval": "1s"});
    let remediation = json!({"retries": 1, "remediateLastFailure": true});
    let strategy = json!({"strategy": retry});
    let spec = json!({"install": strategy, "upgrade": strategy, "values": values});
    apply_release(&scene, "retries", &spec);
    apply_release(&scene, "stalls", &json!({"values": values}));
    apply_release(
        &scene,
        "twice",
        &json!({"install": {"remediation": remediation}, "values": values}),
    );
    apply_release(&scene, "steady", &json!({}));
    apply_release(&scene, "asleep", &json!({"suspend": true}));
    for name in ["retries", "stalls"] {
        scene.until_failed(Kind::HelmRelease, name, "NO_NAME").await.unwrap();
    }
    eventually(SOON, || async {
        let (_, _, told) = condition(&scene, "retries", "Reconciling").await;
        anyhow::ensure!(told == "retrying after 1s", "{told}");
        let (_, reason, told) = condition(&scene, "twice", "Stalled").await;
        anyhow::ensure!(told == "Failed to install after 2 attempt(s)", "{reason} {told}");
        Ok(())
    })
    .await
    .unwrap();
    let (_, reason, told) = condition(&scene, "stalls", "Stalled").await;
    assert_eq!(
        (reason.as_str(), told.as_str()),
        ("RetriesExceeded", "Failed to install after 1 attempt(s)")
    );
    assert!(!scene.exists(Kind::Secret, "sh.helm.release.v1.twice.v1").await.unwrap());
    scene.until_ready(Kind::HelmRelease, "steady", "/steady.v1 ").await.unwrap();

    apply_plain(&scene, &config_map("gate", &json!({})));
    scene.until_ready(Kind::HelmRelease, "retries", " succeeded for ").await.unwrap();
    let force = json!({"reconcile.fluxcd.io/requestedAt": "1", "reconcile.fluxcd.io/forceAt": "1"});
    annotate(&scene, "steady", force).await;
    scene.until_ready(Kind::HelmRelease, "steady", "/steady.v2 ").await.unwrap();
    // What has stalled is not tried again by a request alone, but by one to forget the failures.
    scene.request_reconcile(Kind::HelmRelease, "stalls", "1").await.unwrap();
    let handled = |release: &Value| release["status"]["lastHandledReconcileAt"] == "1";
    let stalled = scene.until_object(SOON, Kind::HelmRelease, "stalls", handled).await.unwrap();
    assert_eq!(stalled["status"]["installFailures"], 1);
    let reset = json!({"reconcile.fluxcd.io/requestedAt": "2", "reconcile.fluxcd.io/resetAt": "2"});
    annotate(&scene, "stalls", reset).await;
    scene.until_ready(Kind::HelmRelease, "stalls", " succeeded for ").await.unwrap();

    assert!(!scene.exists(Kind::ConfigMap, "asleep-config").await.unwrap());
    apply_release(&scene, "asleep", &json!({"suspend": false}));
    scene.until_ready(Kind::HelmRelease, "asleep", "/asleep.v1 ").await.unwrap();
    apply_release(&scene, "asleep", &json!({"suspend": true, "values": {"text": "new"}}));
    let seen = |release: &Value| {
        release["status"]["observedGeneration"] == release["metadata"]["generation"]
    };
    scene.until_object(SOON, Kind::HelmRelease, "asleep", seen).await.unwrap();
    let config = scene.get(Kind::ConfigMap, "asleep-config").await.unwrap();
    assert_eq!(config["data"]["text"], "default");
}

#[tokio::test]
async fn drift_is_told_or_corrected_at_the_interval() {
    let scene = Scene::new("helm-drifts").await.unwrap();
    let _charts = publish(&scene, &["1.0.0"]);
    let detection = |mode: &str| json!({"interval": "3s", "driftDetection": {"mode": mode}});
    for (name, mode) in [("warns", "warn"), ("corrects", "enabled"), ("sleeps", "disabled")] {
        apply_release(&scene, name, &detection(mode));
    }
    let edit = json!({"data": {"text": "edited"}});
    for name in ["warns", "corrects", "sleeps"] {
        scene.until_ready(Kind::HelmRelease, name, "install succeeded").await.unwrap();
        scene.patch(Kind::ConfigMap, &format!("{name}-config"), &edit).await.unwrap();
    }
    let undone = |config: &Value| config["data"]["text"] == "default";
    scene.until_object(SOON, Kind::ConfigMap, "corrects-config", undone).await.unwrap();
    eventually(SOON, || async {
        let (status, reason, told) = condition(&scene, "warns", "Drifted").await;
        anyhow::ensure!(status == "True" && reason == "DriftDetected", "{status} {reason} {told}");
        Ok(())
    })
    .await
    .unwrap();
    for name in ["warns-config", "sleeps-config"] {
        let config = scene.get(Kind::ConfigMap, name).await.unwrap();
        assert_eq!(config["data"]["text"], "edited", "{name}");
    }
    let ready = scene.ready(Kind::HelmRelease, "warns").await.unwrap();
    assert_eq!(ready.status, "True");
}

/// A definition of kind `Kind`, in a group that only this test has.
fn definition(kind: &str, note: &str, group: &str) -> String {
    let plural = kind.to_lowercase();
    format!(
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: \
         {plural}.{group}\nspec:\n  group: {group}\n  scope: Namespaced\n  names: {{kind: {kind}, \
         plural: {plural}}}\n  versions:\n  - name: v1\n    served: true\n    storage: true\n    \
         schema: {{openAPIV3Schema: {{type: object, description: {note}}}}}\n"
    )
}

#[tokio::test]
async fn definitions_and_namespaces_are_made_as_it_is_said() {
    let scene = Scene::new("helm-places").await.unwrap();
    let namespace = scene.namespace().name().to_owned();
    let group = format!("{namespace}.example.com");
    let charts = publish(&scene, &["1.0.0"]);
    for kind in ["skips", "creates", "replaces"] {
        for (version, note) in [("1.0.0", "first"), ("2.0.0", "second")] {
            let text = definition(kind, note, &group);
            publish_as(&charts, kind, version, &[("crds/one.yaml", &text)]);
        }
    }
    scene.request_reconcile(Kind::HelmRepository, "demo", "1").await.unwrap();
    let made = format!("{namespace}-made");
    let elsewhere = json!({
        "targetNamespace": made,
        "storageNamespace": made,
        "releaseName": "own-name",
        "install": {"createNamespace": true},
    });
    apply_release(&scene, "elsewhere", &elsewhere);
    let of = |kind: &str, version: &str, install: &str, upgrade: &str| {
        let policy = |policy: &str| json!({"crds": policy});
        let chart = chart("demo", kind, version);
        let spec = json!({"chart": chart, "install": policy(install), "upgrade": policy(upgrade)});
        apply_release(&scene, kind, &spec);
    };
    of("skips", "1.0.0", "Skip", "Skip");
    of("creates", "1.0.0", "Create", "Skip");
    of("replaces", "1.0.0", "CreateReplace", "CreateReplace");
    for kind in ["skips", "creates", "replaces"] {
        scene.until_ready(Kind::HelmRelease, kind, "install succeeded").await.unwrap();
    }
    let noted = |kind: &str| {
        let name = format!("{kind}.{group}");
        let path = "--output=jsonpath={.spec.versions[0].schema.openAPIV3Schema.description}";
        scene.namespace().kubectl(&["get", "customresourcedefinition", &name, path])
    };
    assert!(noted("skips").is_err(), "it is not there");
    assert_eq!(noted("creates").unwrap(), "first");
    of("creates", "2.0.0", "Create", "Skip");
    of("replaces", "2.0.0", "CreateReplace", "CreateReplace");
    for kind in ["creates", "replaces"] {
        scene.until_ready(Kind::HelmRelease, kind, "upgrade succeeded").await.unwrap();
    }
    assert_eq!(noted("creates").unwrap(), "first");
    assert_eq!(noted("replaces").unwrap(), "second");

    let said = format!("install succeeded for release {made}/own-name.v1 with chart demo@1.0.0");
    scene.until_ready(Kind::HelmRelease, "elsewhere", &said).await.unwrap();
    let cluster = scene.world().cluster();
    let there = |object: &str| cluster.kubectl(&["get", object, "--namespace", &made]);
    there("configmap/own-name-config").unwrap();
    there("secret/sh.helm.release.v1.own-name.v1").unwrap();
    let label = "--output=jsonpath={.metadata.labels.name}";
    assert_eq!(cluster.kubectl(&["get", "namespace", &made, label]).unwrap(), made);
    scene.delete(Kind::HelmRelease, "elsewhere").await.unwrap();
    scene.until_gone(Kind::HelmRelease, "elsewhere").await.unwrap();
    cluster.kubectl(&["delete", "namespace", &made, "--wait=false"]).unwrap();
}
