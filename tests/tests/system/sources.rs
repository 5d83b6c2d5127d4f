//! Git servers that want to know who asks, and that prove who they are.

use crate::config_map;
use serde_json::{Value, json};
use system_tests::{Kind, Scene};
use testbed::{Access, Ca, GitServer};

#[tokio::test]
async fn a_bearer_token_opens_a_repository() {
    let scene = Scene::new("bearer").await.unwrap();
    let access = Access::Bearer("t0ken".to_owned());
    scene.world().git().set_access(scene.namespace().name(), access);
    scene.commit(&[("a.yaml", Some(&config_map("a", "1")))]).unwrap();
    scene.namespace().apply(&secret("token", &json!({"bearerToken": "t0ken"}))).unwrap();
    scene.apply_source("app", &json!({"secretRef": {"name": "token"}})).unwrap();
    scene.until_ready(Kind::GitRepository, "app", "stored artifact").await.unwrap();
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_the_secret_says_so() {
    let scene = Scene::new("https").await.unwrap();
    let (servers, clients) = (Ca::new("servers").unwrap(), Ca::new("clients").unwrap());
    let server = GitServer::https(&servers, Some(&clients)).unwrap();
    let repository = server.create("app").unwrap();
    repository.commit("main", &[("a.yaml", Some(&config_map("a", "1")))], "first").unwrap();
    let spec = json!({"url": server.repository_url("app"), "secretRef": {"name": "tls"}});

    scene.namespace().apply(&secret("tls", &json!({"username": "u", "password": "p"}))).unwrap();
    scene.apply_source("app", &spec).unwrap();
    scene.until_failed(Kind::GitRepository, "app", "").await.unwrap();
    let client = clients.client("me", &[]).unwrap();
    let tls = json!({
        "ca.crt": servers.certificate_pem(),
        "tls.crt": client.certificate_pem,
        "tls.key": client.key_pem,
    });
    scene.namespace().apply(&secret("tls", &tls)).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "1").await.unwrap();
    scene.until_ready(Kind::GitRepository, "app", "stored artifact").await.unwrap();
}

#[tokio::test]
async fn each_kind_of_reference_is_followed() {
    let scene = Scene::new("refs").await.unwrap();
    let first = scene.commit(&[("a.yaml", Some(&config_map("a", "1")))]).unwrap();
    let second = scene.commit(&[("a.yaml", Some(&config_map("a", "2")))]).unwrap();
    let third = scene.commit(&[("a.yaml", Some(&config_map("a", "3")))]).unwrap();
    scene.repository().tag("v1.0.0", &first).unwrap();
    scene.repository().tag("v1.1.0", &second).unwrap();
    let cases = [
        (json!({"branch": "main"}), format!("main@sha1:{third}")),
        (json!({"tag": "v1.0.0"}), format!("v1.0.0@sha1:{first}")),
        (json!({"semver": "1.x"}), format!("v1.1.0@sha1:{second}")),
        (json!({"name": "refs/tags/v1.0.0"}), format!("refs/tags/v1.0.0@sha1:{first}")),
        (json!({"commit": second}), format!("sha1:{second}")),
        (json!({"branch": "main", "commit": second}), format!("main@sha1:{second}")),
    ];
    for (reference, revision) in cases {
        scene.apply_source("app", &json!({"ref": reference})).unwrap();
        let ready = scene.until_ready(Kind::GitRepository, "app", &revision).await.unwrap();
        assert_eq!(ready.message, format!("stored artifact for revision '{revision}'"));
    }
}

#[tokio::test]
async fn a_source_that_has_not_changed_is_not_fetched_again() {
    let scene = Scene::new("no-op").await.unwrap();
    scene.commit(&[("a.yaml", Some(&config_map("a", "1")))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.until_ready(Kind::GitRepository, "app", "stored artifact").await.unwrap();
    let git = scene.world().git();
    let fetches = |name: &str| {
        let requests = git.take_requests(name);
        requests.iter().filter(|r| r.command.as_deref() == Some("fetch")).count()
    };
    assert!(fetches(scene.namespace().name()) > 0);
    scene.request_reconcile(Kind::GitRepository, "app", "again").await.unwrap();
    let handled = |o: &Value| o["status"]["lastHandledReconcileAt"] == "again";
    let patience = std::time::Duration::from_secs(30);
    scene.until_object(patience, Kind::GitRepository, "app", handled).await.unwrap();
    assert_eq!(fetches(scene.namespace().name()), 0);
}

fn secret(name: &str, data: &Value) -> String {
    let metadata = json!({"name": name});
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data})
        .to_string()
}
