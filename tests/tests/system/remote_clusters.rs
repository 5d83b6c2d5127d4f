//! Clusters that are reached by `spec.kubeConfig`. The remote one is our own, by its address.

use serde_json::{Value, json};
use system_tests::{Kind, Scene};

use crate::config_map;
use crate::releases::{apply_plain, apply_release, publish};

/// What the API server of the test bed calls itself (`--service-account-issuer`).
const AUDIENCE: &str = "https://kubernetes.default.svc";

/// A ConfigMap of `spec.kubeConfig.configMapRef`, with `data` over the usual keys.
fn apply_cluster(scene: &Scene, name: &str, data: &Value) {
    let view = ["config", "view", "--raw", "--minify", "--output=json"];
    let kubeconfig: Value =
        serde_json::from_str(&scene.namespace().kubectl(&view).unwrap()).unwrap();
    let cluster = &kubeconfig["clusters"][0]["cluster"];
    let authority = cluster["certificate-authority-data"].as_str().unwrap();
    let authority =
        base64::Engine::decode(&base64::engine::general_purpose::STANDARD, authority).unwrap();
    let mut full = json!({
        "provider": "generic",
        "address": cluster["server"],
        "ca.crt": String::from_utf8(authority).unwrap(),
        "audiences": format!("\n{AUDIENCE}\n"),
        "serviceAccountName": "remote",
    });
    for (key, value) in data.as_object().unwrap() {
        full[key] = value.clone();
    }
    let object = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": full,
    });
    apply_plain(scene, &object);
}

#[tokio::test]
async fn a_cluster_is_reached_with_tokens_of_a_service_account() {
    let scene = Scene::new("remote-account").await.unwrap();
    let namespace = scene.namespace().name().to_owned();
    let kubectl = |args: &[&str]| scene.namespace().kubectl(args).unwrap();
    let _charts = publish(&scene, &["1.0.0"]);
    let through = |name: &str| json!({"kubeConfig": {"configMapRef": {"name": name}}});
    apply_release(&scene, "app", &through("cluster"));
    let missing =
        format!("failed to get configmap {namespace}/cluster: configmaps \"cluster\" not found");
    until_no_client(&scene, &missing).await;
    apply_cluster(&scene, "cluster", &json!({"provider": "aws", "cluster": "arn:aws:eks:x"}));
    until_no_client(&scene, "provider 'aws' of ConfigMap").await;
    let stalled = scene.get(Kind::HelmRelease, "app").await.unwrap();
    assert!(stalled["status"]["conditions"].to_string().contains("Stalled"), "{stalled}");
    // The ConfigMap is watched: what is put right counts at once.
    apply_cluster(&scene, "cluster", &json!({"cluster": null}));
    let missing = format!(
        "failed to get access token for cluster: failed to get service account \
         '{namespace}/remote': serviceaccounts \"remote\" not found"
    );
    until_no_client(&scene, &missing).await;
    kubectl(&["create", "serviceaccount", "remote"]);
    let user = format!("User \"system:serviceaccount:{namespace}:remote\" cannot list");
    let ready = scene.until_failed(Kind::HelmRelease, "app", &user).await.unwrap();
    assert_eq!(ready.reason, "StateError");
    let account = format!("--serviceaccount={namespace}:remote");
    kubectl(&["create", "rolebinding", "remote", "--clusterrole=admin", &account]);
    scene.request_reconcile(Kind::HelmRelease, "app", "1").await.unwrap();
    scene.until_ready(Kind::HelmRelease, "app", "install succeeded").await.unwrap();
    let config = scene.get(Kind::ConfigMap, "app-config").await.unwrap();
    assert_eq!(config["data"]["host"], "127.0.0.1", "AllowDNSLookups is on");

    scene.commit(&[("c.yaml", Some(&config_map("applied", "one")))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("app", &through("cluster")).unwrap();
    scene.until_ready(Kind::Kustomization, "app", "Applied revision").await.unwrap();
    assert!(scene.exists(Kind::ConfigMap, "applied").await.unwrap());

    scene.delete(Kind::HelmRelease, "app").await.unwrap();
    scene.until_gone(Kind::HelmRelease, "app").await.unwrap();
    assert!(!scene.exists(Kind::ConfigMap, "app-config").await.unwrap());
}

/// Waits until the release `app` has no client, for this reason.
async fn until_no_client(scene: &Scene, part: &str) {
    let ready = scene.until_failed(Kind::HelmRelease, "app", part).await.unwrap();
    assert_eq!(ready.reason, "RESTClientError", "{part}");
}

#[tokio::test]
async fn a_kubeconfig_that_runs_programs_or_leads_nowhere_stops_only_its_own() {
    let scene = Scene::new("remote-bad").await.unwrap();
    scene.commit(&[("c.yaml", Some(&config_map("applied", "one")))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    let _charts = publish(&scene, &["1.0.0"]);
    let kubeconfig = |user: Value| {
        let kubeconfig = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "c",
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
            "users": [{"name": "u", "user": user}],
        });
        kubeconfig.to_string()
    };
    let exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/true"});
    let data = json!({"value": kubeconfig(json!({"token": "t"})), "exec": kubeconfig(json!({"exec": exec}))});
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "remote"}, "stringData": data,
    });
    apply_plain(&scene, &secret);
    let through = |key: &str| json!({"kubeConfig": {"secretRef": {"name": "remote", "key": key}}});
    apply_release(&scene, "exec", &through("exec"));
    apply_release(&scene, "nothing", &through("nothing"));
    scene.apply_kustomization("exec", &through("exec")).unwrap();
    scene.apply_kustomization("nowhere", &through("value")).unwrap();
    scene.apply_kustomization("steady", &json!({})).unwrap();
    let refused = "asks for a program to be run, which --insecure-kubeconfig-exec does not allow";
    let ready = scene.until_failed(Kind::HelmRelease, "exec", refused).await.unwrap();
    assert_eq!(ready.reason, "RESTClientError");
    let part = "does not contain a 'nothing' key with data";
    scene.until_failed(Kind::HelmRelease, "nothing", part).await.unwrap();
    scene.until_failed(Kind::Kustomization, "exec", refused).await.unwrap();
    scene
        .until_failed(Kind::Kustomization, "nowhere", "cannot reach the API server")
        .await
        .unwrap();
    scene.until_ready(Kind::Kustomization, "steady", "Applied revision").await.unwrap();
}
