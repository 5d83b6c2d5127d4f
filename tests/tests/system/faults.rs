//! Bad input and broken servers: the right condition, no damage, and healing.

use crate::config_map;
use serde_json::json;
use std::time::Duration;
use system_tests::{Kind, Scene};
use testbed::{Access, Fault};

#[tokio::test]
async fn a_broken_git_server_heals() {
    let scene = Scene::new("broken").await.unwrap();
    let git = scene.world().git();
    let name = scene.namespace().name().to_owned();
    scene.commit(&[("a.yaml", Some(&config_map("a", "1")))]).unwrap();
    git.set_fault(&name, Some(Fault::Status(500)));
    scene.apply_source("app", &json!({"timeout": "2s"})).unwrap();
    let failed = scene.until_failed(Kind::GitRepository, "app", "").await.unwrap();
    assert_eq!(failed.reason, "GitOperationFailed");
    for fault in [
        Fault::Status(404),
        Fault::Hang,
        Fault::CloseMidPack { after: 40 },
        Fault::Endless,
        Fault::Slow { pause: Duration::from_millis(1500) },
    ] {
        git.set_fault(&name, Some(fault.clone()));
        let token = format!("{fault:?}");
        scene.request_reconcile(Kind::GitRepository, "app", &token).await.unwrap();
        let handled = |o: &serde_json::Value| o["status"]["lastHandledReconcileAt"] == token;
        let patience = Duration::from_secs(30);
        scene.until_object(patience, Kind::GitRepository, "app", handled).await.unwrap();
        let failed = scene.ready(Kind::GitRepository, "app").await.unwrap();
        assert_eq!(failed.status, "False", "{fault:?}: {failed:?}");
    }
    git.set_fault(&name, None);
    scene.request_reconcile(Kind::GitRepository, "app", "healed").await.unwrap();
    scene.until_ready(Kind::GitRepository, "app", "stored artifact").await.unwrap();
}

#[tokio::test]
async fn credentials_are_needed_and_never_shown() {
    let scene = Scene::new("login").await.unwrap();
    let git = scene.world().git();
    let password = "pa55-that-nobody-may-see";
    let access = Access::Basic { user: "u".to_owned(), password: password.to_owned() };
    git.set_access(scene.namespace().name(), access);
    scene.commit(&[("a.yaml", Some(&config_map("a", "1")))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.until_failed(Kind::GitRepository, "app", "authentication required").await.unwrap();
    let secret = |password: &str| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "login"},
            "stringData": {"username": "u", "password": password},
        })
        .to_string()
    };
    scene.namespace().apply(&secret(&format!("{password}-but-wrong"))).unwrap();
    scene.apply_source("app", &json!({"secretRef": {"name": "login"}})).unwrap();
    scene.until_failed(Kind::GitRepository, "app", "authentication").await.unwrap();
    scene.namespace().apply(&secret(password)).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "1").await.unwrap();
    scene.until_ready(Kind::GitRepository, "app", "stored artifact").await.unwrap();

    for log in scene.world().logs() {
        assert!(!std::fs::read_to_string(log).unwrap().contains(password), "a log shows it");
    }
    for kind in [Kind::GitRepository, Kind::Event] {
        let objects = scene.list(kind).await.unwrap();
        assert!(!json!(objects).to_string().contains(password), "{kind:?} shows it");
    }
}

#[tokio::test]
async fn one_invalid_object_means_that_nothing_is_applied() {
    let scene = Scene::new("invalid").await.unwrap();
    let good = config_map("a", "1");
    let bad =
        "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {ports: [{port: 99999}]}\n";
    scene.commit(&[("a.yaml", Some(&good)), ("s.yaml", Some(bad))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("app", &json!({})).unwrap();
    let failed = scene.until_failed(Kind::Kustomization, "app", "dry-run failed").await.unwrap();
    assert_eq!(failed.reason, "ReconciliationFailed");
    assert!(!scene.exists(Kind::ConfigMap, "a").await.unwrap(), "the stage was not refused whole");
    scene.commit(&[("s.yaml", None)]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "1").await.unwrap();
    scene.until_ready(Kind::Kustomization, "app", "Applied").await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_built_leaves_what_was_applied() {
    let scene = Scene::new("build").await.unwrap();
    let first = scene.commit(&[("a.yaml", Some(&config_map("a", "1")))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.apply_kustomization("app", &json!({})).unwrap();
    scene.until_ready(Kind::Kustomization, "app", &first).await.unwrap();
    let bomb = bomb();
    let cycle = "resources: [../two]\n";
    let escape = "resources: [../../../../etc/passwd]\n";
    let cases: &[&[(&str, Option<&str>)]] = &[
        &[("a.yaml", Some("a: [1"))],
        &[("a.yaml", Some(&bomb))],
        &[("kustomization.yaml", Some(escape))],
        &[
            ("kustomization.yaml", Some("resources: [one]\n")),
            ("one/kustomization.yaml", Some(cycle)),
            ("two/kustomization.yaml", Some("resources: [../one]\n")),
        ],
    ];
    for files in cases {
        let commit = scene.commit(files).unwrap();
        scene.request_reconcile(Kind::GitRepository, "app", &commit).await.unwrap();
        scene.until_ready(Kind::GitRepository, "app", &commit).await.unwrap();
        let attempted = |o: &serde_json::Value| {
            let revision = &o["status"]["lastAttemptedRevision"];
            *revision == format!("main@sha1:{commit}")
        };
        let patience = Duration::from_secs(30);
        scene.until_object(patience, Kind::Kustomization, "app", attempted).await.unwrap();
        let failed = scene.until_failed(Kind::Kustomization, "app", "").await.unwrap();
        assert_eq!(failed.reason, "BuildFailed", "{failed:?}");
        assert!(scene.exists(Kind::ConfigMap, "a").await.unwrap());
    }
}

/// Nine levels of nine aliases: 9⁹ values from 500 bytes.
fn bomb() -> String {
    let mut text = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (last, next) in "abcdefgh".chars().zip("bcdefghi".chars()) {
        let aliases = vec![format!("*{last}"); 9].join(", ");
        text.extend([format!("{next}: &{next} [{aliases}]\n")]);
    }
    text
}
