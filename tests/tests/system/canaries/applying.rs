//! What sources are opened with, and what sops encrypted.

use std::time::Duration;

use serde_json::{Value, json};
use system_tests::{Kind, Scene};
use testbed::{Access, Reply, Sink};

use super::{Canaries, world};
use crate::decryption::{Sops, vault};
use crate::notifications::{notifier, secret};

const PATIENCE: Duration = Duration::from_mins(1);

/// Tells a sink of everything that happens in the scene.
fn tell_all(scene: &Scene, sink: &Sink) {
    let kinds = ["GitRepository", "Kustomization", "HelmRepository", "HelmChart", "HelmRelease"];
    let sources = kinds.map(|kind| json!({"kind": kind, "name": "*"}));
    let provider = json!({"type": "generic", "address": format!("{}/all", sink.url())});
    let alert = json!({"providerRef": {"name": "all"}, "eventSources": sources});
    let objects = [notifier("Provider", "all", &provider), notifier("Alert", "all", &alert)];
    scene.apply_all(&objects).unwrap();
}

/// Fails if a canary was told to the sink.
pub(super) fn assert_not_sent(canaries: &Canaries, sink: &Sink) {
    let all = sink.all();
    assert!(!all.is_empty(), "nothing was told");
    for request in all {
        let leaks = canaries.leaks("a notification", &super::sent(&request));
        assert!(leaks.is_empty(), "{leaks:?}");
    }
}

/// A scene whose events a sink is told.
pub(super) async fn scene(title: &str) -> (Scene, Sink, Canaries) {
    let (scene, sink) = (Scene::on(world(), title).await.unwrap(), Sink::start().unwrap());
    tell_all(&scene, &sink);
    (scene, sink, Canaries::default())
}

async fn until_failed(scene: &Scene, kind: Kind, name: &str) {
    scene.until_failed(kind, name, "").await.unwrap();
}

#[tokio::test]
async fn sources_tell_no_credentials() {
    let (scene, sink, canaries) = scene("canary-sources").await;
    scene.commit(&[("a.yaml", Some(&crate::config_map("a", "1")))]).unwrap();
    let password = canaries.put("git/password");
    let access = Access::Basic { user: "user".to_owned(), password: password.clone() };
    scene.world().git().set_access(scene.namespace().name(), access);
    let echoing = Sink::start().unwrap();
    echoing.reply_to_all(Reply::Echo(403));
    let echo = format!("{}/repository.git", echoing.url());
    let closed = format!("http://127.0.0.1:{}/x.git", testbed::free_port().unwrap());
    let login = |place: &str| json!({"username": "user", "password": canaries.put(place)});
    let bearer = |place: &str| json!({"bearerToken": canaries.put(place)});
    let key = canaries.put("git-ssh/key");
    let pem =
        format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{key}\n-----END OPENSSH PRIVATE KEY-----\n");
    let docker = json!({"auths": {"127.0.0.1": {
        "username": "user", "password": canaries.put("oci/password"),
    }}});
    let userinfo = echo.replace("://", &format!("://user:{}@", canaries.put("git-url/password")));
    let sources = [
        ("good", json!({"username": "user", "password": password}), scene.url()),
        ("wrong", login("git-wrong/password"), scene.url()),
        ("echo", login("git-echo/password"), echo.clone()),
        ("bearer", bearer("git-bearer/token"), echo.clone()),
        ("closed", bearer("git-closed/token"), closed),
        (
            "ssh",
            json!({"identity": pem, "known_hosts": "x ssh-ed25519 AAAA", "password": canaries.put("git-ssh/password")}),
            "ssh://git@127.0.0.1/x.git".to_owned(),
        ),
        ("url", bearer("git-url/token"), userinfo),
        (
            "certificate",
            json!({"tls.crt": "no certificate", "tls.key": canaries.put("git-certificate/key")}),
            echo.replace("http:", "https:"),
        ),
        (
            "proxy",
            json!({"address": echoing.url(), "username": "u", "password": canaries.put("git-proxy/password")}),
            "http://127.0.0.1:1/x.git".to_owned(),
        ),
    ];
    let mut objects = Vec::new();
    for (name, data, url) in &sources {
        objects.push(secret(name, data));
        let field = if *name == "proxy" { "proxySecretRef" } else { "secretRef" };
        let reference = json!({"branch": "main"});
        let spec = json!({"interval": "1h", "url": url, "ref": reference, field: {"name": name}});
        objects.push(json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
            "metadata": {"name": name}, "spec": spec,
        }));
    }
    let helm = |name: &str, spec: Value| {
        json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
            "metadata": {"name": name}, "spec": spec,
        })
    };
    objects.extend([
        secret("helm", &login("helm/password")),
        helm(
            "helm",
            json!({"interval": "1h", "url": echoing.url(), "secretRef": {"name": "helm"}}),
        ),
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "oci"},
            "type": "kubernetes.io/dockerconfigjson",
            "stringData": {".dockerconfigjson": docker.to_string()},
        }),
        json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository",
            "metadata": {"name": "oci"},
            "spec": {
                "interval": "1h", "insecure": true, "secretRef": {"name": "oci"},
                "url": echoing.url().replace("http:", "oci:") + "/org/app",
            },
        }),
    ]);
    scene.apply_all(&objects).unwrap();
    scene.until_ready(Kind::GitRepository, "good", "stored artifact").await.unwrap();
    for (name, ..) in &sources[1..] {
        until_failed(&scene, Kind::GitRepository, name).await;
    }
    until_failed(&scene, Kind::HelmRepository, "helm").await;
    let failed = ["wait", "--for=condition=Ready=False", "--timeout=60s", "ocirepository/oci"];
    scene.namespace().kubectl(&failed).unwrap();
    let asked = echoing.all();
    let found: Vec<_> = asked.iter().flat_map(|it| canaries.found_in(&super::sent(it))).collect();
    assert!(found.len() >= 3, "servers were told {found:?} only");
    canaries.assert_untold().await;
    assert_not_sent(&canaries, &sink);
}

#[tokio::test(flavor = "multi_thread")]
async fn decryption_tells_neither_keys_nor_what_they_open() {
    let (scene, sink, canaries) = scene("canary-sops").await;
    let sops = Sops::new();
    let identity = sops.identity.lines().find(|it| it.starts_with("AGE-SECRET-KEY")).unwrap();
    canaries.watch("age/key", identity);
    let encrypted = |name: &str, entries: &str| {
        let plain = format!("apiVersion: v1\nkind: Secret\nmetadata:\n  name: {name}\n{entries}");
        sops.encrypt("secret.yaml", &plain, &["--encrypted-regex", "^(data|stringData)$"])
    };
    let text = |place: &str| format!("stringData:\n  password: {}\n", canaries.put(place));
    let immutable = |place: &str| format!("immutable: true\n{}", text(place));
    // Each of the wrong ones is refused by the API server, which tells what it was sent.
    let folders = [
        ("good", encrypted("good", &text("sops-good/password"))),
        (
            "base64",
            encrypted(
                "base64",
                &format!("data:\n  password: '{}!'\n", canaries.put("sops-base64/password")),
            ),
        ),
        (
            "tls",
            encrypted("tls", &format!("type: kubernetes.io/tls\n{}", text("sops-tls/password"))),
        ),
        (
            "type",
            encrypted(
                "type",
                &format!("stringData:\n  password: [{}]\n", canaries.put("sops-type/list")),
            ),
        ),
        ("field", encrypted("field", &format!("stringData:\n  {}: {{a: b}}\n", "password"))),
        ("kept", encrypted("kept", &immutable("sops-kept/first"))),
    ];
    let vault = vault().await;
    let plain = format!(
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: vault\n{}",
        text("sops-vault/password")
    );
    let key = format!("{vault}/v1/transit/keys/key");
    let options = ["--hc-vault-transit", &key, "--encrypted-regex", "^stringData$"];
    let environment = [("VAULT_TOKEN", "s.token"), ("VAULT_ADDR", vault.as_str())];
    let file = sops.encrypt_for("vault.yaml", plain.as_bytes(), &options, &environment);
    let echoing = Sink::start().unwrap();
    echoing.reply_to_all(Reply::Echo(403));
    let file = file.replace(&vault, echoing.url());
    let mut files: Vec<_> =
        folders.iter().map(|(name, text)| (format!("{name}/secret.yaml"), text.clone())).collect();
    files.push(("vault/secret.yaml".to_owned(), file));
    let commit = |files: &[(String, String)]| {
        let files: Vec<_> =
            files.iter().map(|(path, text)| (path.as_str(), Some(text.as_str()))).collect();
        scene.commit(&files).unwrap()
    };
    commit(&files);
    let keys = json!({
        "age.agekey": sops.identity, "sops.vault-token": canaries.put("vault/token"),
    });
    let broken = canaries.put("age-broken/key").to_uppercase();
    canaries.watch("age-broken/key", &broken);
    let broken = json!({"age.agekey": format!("AGE-SECRET-KEY-1{broken}")});
    scene.apply_all(&[secret("keys", &keys), secret("broken", &broken)]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    let apply = |name: &str, folder: &str, keys: &str| {
        let decryption = json!({"provider": "sops", "secretRef": {"name": keys}});
        let spec = json!({"path": format!("./{folder}"), "decryption": decryption});
        scene.kustomization(name, &spec)
    };
    let mut all: Vec<_> = folders.iter().map(|(name, _)| apply(name, name, "keys")).collect();
    all.extend([apply("vault", "vault", "keys"), apply("broken", "good", "broken")]);
    scene.apply_all(&all).unwrap();
    for name in ["good", "kept"] {
        scene.until_ready(Kind::Kustomization, name, "Applied").await.unwrap();
    }
    for name in ["base64", "tls", "type", "field", "vault", "broken"] {
        until_failed(&scene, Kind::Kustomization, name).await;
    }
    // What may not change, and what somebody else changes.
    commit(&[("kept/secret.yaml".to_owned(), encrypted("kept", &immutable("sops-kept/second")))]);
    scene.request_reconcile(Kind::GitRepository, "app", "again").await.unwrap();
    until_failed(&scene, Kind::Kustomization, "kept").await;
    let drift = json!({"stringData": {"password": canaries.put("sops-drift/password")}});
    let good = scene.get(Kind::Secret, "good").await.unwrap();
    scene.patch(Kind::Secret, "good", &drift).await.unwrap();
    scene.request_reconcile(Kind::Kustomization, "good", "drift").await.unwrap();
    let is_back = |secret: &Value| secret["data"] == good["data"];
    scene.until_object(PATIENCE, Kind::Secret, "good", is_back).await.unwrap();
    canaries.assert_untold().await;
    assert_not_sent(&canaries, &sink);
}
