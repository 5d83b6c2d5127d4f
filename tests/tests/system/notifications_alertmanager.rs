//! Alerts as the real Alertmanager sees them.

use std::process::Command;
use std::time::Duration;

use crate::incidents::{Notified, unheard, words};
use crate::notifications::notifier;
use crate::plain_http::ask;
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use testbed::{Process, eventually, free_port};
use testbed_programs::{Assets, Program};

const PATIENCE: Duration = Duration::from_mins(1);

fn alertmanager(port: u16, dir: &std::path::Path) -> Process {
    let config = dir.join("alertmanager.yml");
    std::fs::write(&config, "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n").unwrap();
    let mut command = Command::new(Assets::from_env().path(Program::Alertmanager).unwrap());
    command.current_dir(dir).args([
        "--config.file=alertmanager.yml",
        "--storage.path=data",
        // Alone.
        "--cluster.listen-address=",
        &format!("--web.listen-address=127.0.0.1:{port}"),
    ]);
    Process::start("alertmanager", &command, dir).unwrap()
}

#[tokio::test]
async fn a_real_alertmanager_takes_alerts() {
    let notified = Notified::new("alertmanager").await;
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port().unwrap());
    let _alertmanager = alertmanager(port, dir.path());
    let url = format!("http://127.0.0.1:{port}/api/v2/alerts");
    let spec = json!({
        "providerRef": {"name": "alerts"}, "summary": "the lab is burning",
        "eventSources": [{"kind": "Kustomization", "name": "*"}],
        "eventMetadata": {"cluster": "lab"},
    });
    let provider = json!({"type": "alertmanager", "address": url});
    let objects = [notifier("Provider", "alerts", &provider), notifier("Alert", "alerts", &spec)];
    notified.scene.apply_all(&objects).unwrap();

    let namespace = notified.scene.namespace().name();
    let found = eventually(PATIENCE, || async {
        notified.tell("Kustomization", "app", "error", &words(unheard())).await?;
        let answer = ask("GET", &url, &[], "").await?;
        ensure!(answer.status == 200, "{answer:?}");
        let alerts: Vec<Value> = serde_json::from_str(&answer.body)?;
        alerts.into_iter().next().context("there is no alert")
    });
    let found = found.await.unwrap();
    let labels = json!({
        "alertname": "FluxKustomizationFailed", "severity": "error", "reason": "Failed",
        "kind": "Kustomization", "name": "app", "namespace": namespace,
        "reportingcontroller": "test", "cluster": "lab",
    });
    assert_eq!(found["labels"], labels);
    assert_eq!(found["annotations"]["summary"], "the lab is burning");
    assert!(found["annotations"]["message"].as_str().is_some_and(|it| !it.is_empty()), "{found}");
    assert_eq!(found["startsAt"], "2026-01-02T03:04:05.000Z");
    assert_eq!(found["status"]["state"], "active");
    assert_eq!(notified.remarks("alerts", "NotificationDispatchFailed").await.unwrap().len(), 0);
}

#[tokio::test]
async fn a_real_alertmanager_resolves_what_is_over() {
    let notified = Notified::new("alertmanager-incident").await;
    let (dir, port) = (tempfile::tempdir().unwrap(), free_port().unwrap());
    let _alertmanager = alertmanager(port, dir.path());
    let url = format!("http://127.0.0.1:{port}/api/v2/alerts");
    let spec = json!({
        "providerRef": {"name": "alerts"},
        "eventSources": [{"kind": "Kustomization", "name": "*"}],
    });
    let provider = json!({"type": "alertmanager", "address": url});
    let mut alert = notifier("Alert", "alerts", &spec);
    alert["metadata"]["annotations"] = json!({"ferroflux.dev/incidents": "true"});
    notified.scene.apply_all(&[notifier("Provider", "alerts", &provider), alert]).unwrap();
    let firing = async || -> anyhow::Result<Vec<Value>> {
        let answer = ask("GET", &url, &[], "").await?;
        ensure!(answer.status == 200, "{answer:?}");
        Ok(serde_json::from_str(&answer.body)?)
    };

    let fires = eventually(PATIENCE, || async {
        notified.tell("Kustomization", "app", "error", &words(unheard())).await?;
        firing().await?.into_iter().next().context("there is no alert")
    });
    let fires = fires.await.unwrap();
    assert!(fires["labels"]["incident"].as_str().unwrap().starts_with("app-"), "{fires}");
    notified.tell("Kustomization", "app", "info", &words(unheard())).await.unwrap();
    let resolved = eventually(PATIENCE, || async {
        let firing = firing().await?;
        ensure!(firing.is_empty(), "{firing:?}");
        Ok(())
    });
    resolved.await.unwrap();
    assert_eq!(notified.remarks("alerts", "NotificationDispatchFailed").await.unwrap().len(), 0);
}
