//! Health: the wait follows objects by watch and ends with a verdict.

use std::time::Duration;

use cluster_apply::{Change, HealthTarget, HealthWait};
use manifest::{Gvk, Object};
use serde_json::json;

use super::Bench;

fn targets(entries: Vec<Change>) -> Vec<HealthTarget> {
    let target = |entry: Change| {
        let gvk = Gvk {
            group: entry.id.group.clone(),
            version: entry.version,
            kind: entry.id.kind.clone(),
        };
        HealthTarget { id: entry.id, gvk, seen: entry.live }
    };
    entries.into_iter().map(target).collect()
}

#[tokio::test]
async fn a_deployment_becomes_healthy_without_a_read() {
    let bench = Bench::new("healthy").await;
    let objects = [bench.deployment("web", 2), bench.config_map("config", &json!({}))];
    let done = bench.apply(&objects).await.unwrap();
    let timeout = Duration::from_mins(1);
    let took = HealthWait::start(&bench.tenant, targets(done.entries), timeout, true, None).await;
    assert!(took.unwrap() < timeout);
    assert_eq!(bench.get("deployment/web")["status"]["readyReplicas"], 2);
    let requests = bench.requests();
    assert_eq!((requests.get("get"), requests.get("list")), (None, None), "{requests:?}");
    assert!(requests.get("watch").is_none_or(|watches| *watches == 1), "{requests:?}");
}

#[tokio::test]
async fn what_is_not_there_is_waited_for() {
    let bench = Bench::new("missing").await;
    let missing = Object::new(bench.deployment("nope", 1)).unwrap();
    let target = || HealthTarget { id: missing.id(), gvk: missing.gvk(), seen: None };
    let wait = |timeout| HealthWait::start(&bench.tenant, vec![target()], timeout, true, None);
    assert_eq!(
        wait(Duration::from_secs(1)).await.unwrap_err().to_string(),
        format!(
            "timeout waiting for: [Deployment/{}/nope status: 'NotFound']",
            bench.namespace.name()
        )
    );
    let later = async { bench.apply(&[bench.deployment("nope", 0)]).await.unwrap() };
    let (waited, _applied) = tokio::join!(wait(Duration::from_mins(1)), later);
    waited.unwrap();
}

#[tokio::test]
async fn a_workload_whose_pods_crash_fails_early() {
    let bench = Bench::new("crash").await;
    let mut workload = bench.deployment("web", 1);
    workload["spec"]["template"]["spec"]["nodeName"] = json!("no-such-node");
    let done = bench.apply(&[workload]).await.unwrap();
    let timeout = Duration::from_mins(1);
    let wait = HealthWait::start(&bench.tenant, targets(done.entries), timeout, true, None);
    let crash = async {
        let status = json!({"status": {"phase": "Running", "containerStatuses": [{
            "name": "c", "ready": false, "restartCount": 3, "image": "i", "imageID": "",
            "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}});
        testbed::eventually(timeout, || async {
            let name = bench.namespace.kubectl(&["get", "pods", "-o", "name"])?;
            let patch = status.to_string();
            let args = ["patch", name.trim(), "--subresource=status", "--type=merge", "-p", &patch];
            bench.namespace.kubectl(&args)
        })
        .await
        .unwrap();
    };
    let (failed, ()) = tokio::join!(wait, crash);
    assert_eq!(
        failed.unwrap_err().to_string(),
        format!(
            "failed early due to stalled resources: [Deployment/{}/web status: 'Failed']",
            bench.namespace.name()
        )
    );
}
