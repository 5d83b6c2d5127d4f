//! Waiting for health holds up nobody else.

use crate::{config_map, deployment};
use serde_json::json;
use std::time::{Duration, Instant};
use system_tests::{Kind, Scene};

const ALL: usize = 20;
const HANGING: usize = 5;

#[tokio::test]
async fn twenty_of_which_five_hang() {
    let scene = Scene::new("health").await.unwrap();
    let files: Vec<_> = (0..ALL)
        .map(|n| {
            let hangs = n < HANGING;
            let app = format!("{}---\n{}", deployment(&name(n), !hangs), config_map(&name(n), "1"));
            (format!("{}/app.yaml", name(n)), app)
        })
        .collect();
    let files: Vec<_> = files.iter().map(|(p, t)| (p.as_str(), Some(t.as_str()))).collect();
    scene.commit(&files).unwrap();
    scene.apply_source("app", &json!({})).unwrap();
    scene.until_ready(Kind::GitRepository, "app", "stored").await.unwrap();
    // The ones that hang come first, so that they have every worker when the others come.
    for n in 0..ALL {
        let spec = json!({"path": format!("./{}", name(n)), "wait": true, "timeout": "5m"});
        scene.apply_kustomization(&name(n), &spec).unwrap();
    }
    let start = Instant::now();
    for n in HANGING..ALL {
        scene.until_ready(Kind::Kustomization, &name(n), "Applied").await.unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(20), "took {:?}", start.elapsed());
    for n in 0..HANGING {
        let waits = scene.ready(Kind::Kustomization, &name(n)).await.unwrap();
        assert_eq!(waits.status, "Unknown", "{waits:?}");
    }
    // Nothing is left behind that would wait for five minutes more.
    for n in 0..ALL {
        scene.delete(Kind::Kustomization, &name(n)).await.unwrap();
    }
    scene.until_gone(Kind::Kustomization, &name(0)).await.unwrap();
}

fn name(n: usize) -> String {
    format!("app-{n:02}")
}
