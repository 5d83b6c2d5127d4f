//! Incidents that outlast the process that told them.

use std::time::Duration;

use crate::incidents::Notified;
use crate::notifications_replicas::world;
use anyhow::{Result, ensure};
use futures::future::try_join_all;
use jiff::Timestamp;
use serde_json::json;
use system_tests::{Kind, Replica};
use testbed::eventually;

const PATIENCE: Duration = Duration::from_mins(1);
/// Objects that fail alike.
const OBJECTS: u32 = 50;
const LEASE: &str = "notification-controller-leader-election";

/// A controller that cares for the namespace of the test only.
fn replica(notified: &mut Notified) -> Replica {
    let namespace = format!("--runtime-namespace={}", notified.scene.namespace().name());
    let flags = [
        namespace.as_str(),
        "--watch-all-namespaces=false",
        "--enable-leader-election=true",
        "--leader-election-lease-duration=3s",
        "--leader-election-renew-deadline=2s",
        "--leader-election-retry-period=500ms",
    ];
    let replica = Replica::start(world(), &flags, &[]).unwrap();
    notified.events = replica.events();
    replica
}

/// Has objects say that they failed. There is no controller for them here.
async fn fail(notified: &Notified, names: &[String], message: &str) -> Result<()> {
    let release = |name: &String| {
        json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": name},
            "spec": {"interval": "1h", "chartRef": {"kind": "OCIRepository", "name": name}},
        })
    };
    notified.scene.apply_all(&names.iter().map(release).collect::<Vec<_>>())?;
    let now = Timestamp::now();
    let ready = json!({
        "type": "Ready", "status": "False", "reason": "InstallFailed", "message": message,
        "lastTransitionTime": format!("{now:.0}"),
    });
    let status = json!({"status": {"conditions": [ready]}});
    let paths: Vec<_> = names.iter().map(|name| format!("{name}/status")).collect();
    try_join_all(paths.iter().map(|it| notified.scene.patch(Kind::HelmRelease, it, &status)))
        .await?;
    Ok(())
}

/// Comes back when the process has been seen alive after now, as seconds tell it.
async fn until_renewed(notified: &Notified) {
    let now = Timestamp::now() + Duration::from_secs(1);
    let namespace = notified.scene.namespace().name();
    let path = "--output=jsonpath={.spec.renewTime}";
    let renewed = eventually(PATIENCE, || async {
        let renewed = world().cluster().kubectl(&["-n", namespace, "get", "lease", LEASE, path])?;
        ensure!(renewed.trim().parse::<Timestamp>()? > now, "renewed at {renewed}");
        Ok(())
    });
    renewed.await.unwrap();
}

#[tokio::test]
async fn a_killed_controller_loses_no_recovery_and_tells_no_storm() {
    let mut notified = Notified::on(world(), "incident-restart", "").await;
    let first = replica(&mut notified);
    notified.alert("one", &json!({"ferroflux.dev/incidents": "true"}));
    notified.until_known(&["one"]).await;
    let names: Vec<_> = (0..OBJECTS).map(|n| format!("app-{n}")).collect();
    fail(&notified, &names, "no such host").await.unwrap();
    for name in &names {
        notified.tell("HelmRelease", name, "error", "no such host").await.unwrap();
    }
    notified.messages("one", 1).await.unwrap();
    until_renewed(&notified).await;

    first.kill().unwrap();
    // Nobody hears of this one.
    fail(&notified, &["late".to_owned()], "bad values").await.unwrap();
    let second = replica(&mut notified);
    let told = notified.messages("one", 2).await.unwrap();
    assert_eq!(
        (&told[0]["message"], &told[1]["message"]),
        (&json!("no such host"), &json!("bad values"))
    );
    notified.tell("HelmRelease", &names[0], "error", "no such host").await.unwrap();
    for name in &names {
        notified.tell("HelmRelease", name, "info", &format!("installed {name}")).await.unwrap();
    }
    notified.messages("one", 3).await.unwrap();
    // What comes last has been told, so nothing more is to come.
    notified.tell("HelmRelease", "last", "info", "something else").await.unwrap();
    let mut told = notified.messages("one", 4).await.unwrap().split_off(2);
    let resolved = told.remove(0);
    assert_eq!((told.len(), &told[0]["message"]), (1, &json!("something else")), "{told:#?}");
    assert_eq!(resolved["reason"], "IncidentResolved");
    let said = resolved["message"].as_str().unwrap();
    assert!(said.contains("50 objects (HelmRelease/"), "{said}");
    second.kill().unwrap();
}
