//! The pods of a workload that does not get ready: do they fail?

use manifest::{Gvk, Object};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::HealthStatus;
use crate::api::Query;
use crate::cluster::TenantClient;
use crate::watch::Watched;

/// Whether the health of this kind also depends on its pods.
pub(super) fn has_pods(object: &Object) -> bool {
    object.gvk().group == "apps"
        && matches!(object.kind(), "Deployment" | "StatefulSet" | "ReplicaSet")
}

/// Whether a pod has failed for good. Flux: one that is being deleted, or that cannot be scheduled
/// (a node may come), has not.
pub(super) fn has_failed(pod: &Object) -> bool {
    let is_going = pod.metadata().is_some_and(|m| m.contains_key("deletionTimestamp"));
    !is_going && !is_unschedulable(pod) && super::status(pod) == Ok(HealthStatus::Failed)
}

fn is_unschedulable(pod: &Object) -> bool {
    let conditions = pod.fields().get("status").and_then(|status| status.get("conditions"));
    conditions.and_then(Value::as_array).into_iter().flatten().any(|condition| {
        condition["type"] == "PodScheduled" && condition["reason"] == "Unschedulable"
    })
}

/// What to watch to see the pods that a workload makes now. None if that cannot be told (yet).
///
/// Differs: Flux counts the pods of earlier revisions, too, so that a fix fails because of what it
/// fixes.
pub(super) async fn of(tenant: &TenantClient, workload: &Object) -> Option<Watched> {
    let mut labels = match_labels(workload)?;
    match workload.kind() {
        "StatefulSet" => {
            let status = workload.fields().get("status")?;
            let revision = status.get("updateRevision")?.as_str()?;
            labels.push(format!("controller-revision-hash={revision}"));
        }
        "Deployment" => {
            labels.push(format!("pod-template-hash={}", current_hash(tenant, workload).await?));
        }
        _ => {}
    }
    Some(Watched {
        namespace: workload.namespace().to_owned(),
        labels: labels.join(","),
        ..Watched::all(Gvk::new("v1", "Pod"))
    })
}

/// The selector of a workload as a query has it. Expressions are left out: they only narrow it.
fn match_labels(workload: &Object) -> Option<Vec<String>> {
    let labels = workload.fields().get("spec")?.get("selector")?.get("matchLabels")?.as_object()?;
    let label = |(key, value): (&String, &Value)| Some(format!("{key}={}", value.as_str()?));
    let labels: Option<Vec<String>> = labels.iter().map(label).collect();
    labels.filter(|labels| !labels.is_empty())
}

#[derive(Deserialize)]
struct ReplicaSets {
    items: Option<Vec<Value>>,
}

/// The hash of the pod template that a Deployment rolls out now: that of its replica set of the same
/// revision.
async fn current_hash(tenant: &TenantClient, deployment: &Object) -> Option<String> {
    const REVISION: &str = "deployment.kubernetes.io/revision";
    let revision = deployment.annotation(REVISION)?;
    let resource = tenant.resource(&Gvk::new("apps/v1", "ReplicaSet")).await.ok()?;
    let path = resource.path(deployment.namespace(), "").ok()?;
    let query = Query::default().with("labelSelector", &match_labels(deployment)?.join(","));
    let sets = tenant.list::<ReplicaSets>(&query.after(&path), true).await.ok()?;
    let uid = deployment.metadata()?.get("uid")?;
    let is_current = |metadata: &&Map<String, Value>| {
        let owners = metadata.get("ownerReferences").and_then(Value::as_array);
        let is_ours = owners.into_iter().flatten().any(|owner| owner.get("uid") == Some(uid));
        let annotations = metadata.get("annotations");
        is_ours && annotations.and_then(|a| a.get(REVISION)?.as_str()) == Some(revision)
    };
    let sets = sets.items.unwrap_or_default();
    let mut metadata = sets.iter().filter_map(|set| set.get("metadata")?.as_object());
    let labels = metadata.find(is_current)?.get("labels")?;
    Some(labels.get("pod-template-hash")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_selector_is_written_as_a_query_has_it() {
        let workload = |selector: Value| {
            Object::new(json!({"apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": {"name": "w"}, "spec": {"selector": selector}}))
            .unwrap()
        };
        let labels = json!({"matchLabels": {"app": "w", "tier": "front"}});
        assert_eq!(match_labels(&workload(labels)).unwrap().join(","), "app=w,tier=front");
        assert_eq!(match_labels(&workload(json!({"matchLabels": {}}))), None);
        assert_eq!(match_labels(&workload(json!({}))), None);
    }
}
