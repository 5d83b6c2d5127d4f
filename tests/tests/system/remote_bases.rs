//! Bases in other repositories: refused, unless the operator lets them be fetched.

use crate::config_map;
use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use serde_json::{Value, json};
use std::time::Duration;
use system_tests::{Kind, Scene, Shard};

const KS: Kind = Kind::Kustomization;
const SOON: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_base_of_another_repository_is_fetched_if_that_is_allowed() {
    let scene = Scene::new("remote-base").await.unwrap();
    let git = scene.world().git();
    let library = format!("{}-library", scene.namespace().name());
    let base = git.create(&library).unwrap();
    let shared = |value: &str| config_map("shared", value);
    let files = [
        ("apps/web/kustomization.yaml", Some("resources: [../../maps]\n")),
        ("maps/kustomization.yaml", Some("resources: [map.yaml]\n")),
    ];
    base.commit("stable", &files, "files").unwrap();
    base.commit("stable", &[("maps/map.yaml", Some(&shared("1")))], "map").unwrap();
    let url = format!("{}//apps/web?ref=stable", git.repository_url(&library));
    let overlay = format!("namePrefix: my-\nresources: ['{url}']\n");
    scene.commit(&[("kustomization.yaml", Some(&overlay))]).unwrap();
    scene.apply_source("app", &json!({})).unwrap();

    scene.apply_kustomization("refused", &json!({})).unwrap();
    let refused = scene.until_failed(KS, "refused", "is refused").await.unwrap();
    assert_eq!(refused.reason, "BuildFailed");
    assert!(git.take_requests(&library).is_empty(), "somebody asked for it");

    // It is no public address, and not reached by https.
    let public = Shard::start(&scene, scene.world().cluster(), &["--no-remote-bases=false"]);
    let public = public.unwrap();
    scene.apply_all(&[public.object(scene.kustomization("public", &json!({})))]).unwrap();
    scene.until_failed(KS, "public", "only https to addresses of the public").await.unwrap();
    assert!(git.take_requests(&library).is_empty(), "somebody asked for it");
    drop(public);

    let host = git.url().trim_start_matches("http://");
    let flags = ["--no-remote-bases=false", &format!("--remote-base-hosts={host}")];
    let near = Shard::start(&scene, scene.world().cluster(), &flags).unwrap();
    scene.apply_all(&[near.object(scene.kustomization("app", &json!({})))]).unwrap();
    scene.until_ready(KS, "app", "Applied").await.unwrap();
    let map = scene.get(Kind::ConfigMap, "my-shared").await.unwrap();
    assert_eq!(map["data"]["key"], "1");

    // That the source has nothing new for this build says nothing of the base.
    base.commit("stable", &[("maps/map.yaml", Some(&shared("2")))], "map").unwrap();
    scene.commit(&[("elsewhere/a.txt", Some("a"))]).unwrap();
    scene.request_reconcile(Kind::GitRepository, "app", "1").await.unwrap();
    let is_new = |map: &Value| map["data"]["key"] == "2";
    scene.until_object(SOON, Kind::ConfigMap, "my-shared", is_new).await.unwrap();
}

#[tokio::test]
async fn a_plain_file_is_fetched_if_that_is_allowed() {
    let scene = Scene::new("remote-file").await.unwrap();
    let map = config_map("shared", "1");
    let app = Router::new()
        .route("/release.yaml", get(|| async { Redirect::temporary("/stored?signature=s3cr3t") }))
        .route("/stored", get(move || async { map }))
        .route("/elsewhere.yaml", get(|| async { Redirect::temporary("https://127.0.0.1:1/") }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await });
    let directory = |name: &str, file: &str| {
        (format!("{name}/kustomization.yaml"), format!("resources: ['http://{host}/{file}']\n"))
    };
    let files = [
        directory("good", "release.yaml"),
        directory("missing", "missing.yaml"),
        directory("elsewhere", "elsewhere.yaml"),
    ];
    let files = files.each_ref().map(|(path, text)| (path.as_str(), Some(text.as_str())));
    scene.commit(&files).unwrap();
    scene.apply_source("app", &json!({})).unwrap();

    let flags = ["--no-remote-bases=false", &format!("--remote-base-hosts={host}")];
    let shard = Shard::start(&scene, scene.world().cluster(), &flags).unwrap();
    for path in ["good", "missing", "elsewhere"] {
        let object = scene.kustomization(path, &json!({"path": path}));
        scene.apply_all(&[shard.object(object)]).unwrap();
    }
    scene.until_ready(KS, "good", "Applied").await.unwrap();
    assert_eq!(scene.get(Kind::ConfigMap, "shared").await.unwrap()["data"]["key"], "1");
    scene.until_failed(KS, "missing", "cannot be fetched").await.unwrap();
    scene.until_failed(KS, "elsewhere", "only https to addresses of the public").await.unwrap();
}
