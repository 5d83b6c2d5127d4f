//! Jobs and Pods that are waited for.

use manifest::Object;
use serde_json::Value;

#[test]
fn a_job_is_waited_for_to_its_end() {
    let job = |status: Value, suspend: bool| {
        let object = serde_json::json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"},
            "spec": {"suspend": suspend}, "status": status,
        });
        manifest_health::health_for_wait(&Object::new(object).unwrap()).unwrap().status.as_str()
    };
    assert_eq!(job(serde_json::json!({"startTime": "x", "active": 1}), false), "InProgress");
    assert_eq!(job(serde_json::json!({}), true), "Current");
    let complete = serde_json::json!({"conditions": [{"type": "Complete", "status": "True"}]});
    assert_eq!(job(complete, false), "Current");
}

#[test]
fn a_pod_is_given_up_when_no_node_took_it_in_time() {
    let pod = Object::new(serde_json::json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "x", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "status": {"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"},
        ]},
    }))
    .unwrap();
    let at = |now: &str| manifest_health::health_at(&pod, now.parse().unwrap()).unwrap().message;
    assert_eq!(at("2026-01-01T00:00:14Z"), "Pod has not been scheduled");
    assert_eq!(at("2026-01-01T00:00:15Z"), "Pod could not be scheduled");
}
