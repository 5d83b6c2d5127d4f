use manifest::Object;
use serde_json::{Value, json};

use super::*;

fn target(kind: &str, name: &str) -> HealthTarget {
    let object = object(kind, name, &json!(null));
    HealthTarget { id: object.id(), gvk: object.gvk(), seen: None }
}

fn object(kind: &str, name: &str, conditions: &Value) -> Object {
    Object::new(json!({"apiVersion": "example.com/v1", "kind": kind,
        "metadata": {"name": name, "namespace": "shop", "resourceVersion": "5"},
        "status": {"conditions": conditions}}))
    .unwrap()
}

fn condition(kind: &str, status: &str) -> Value {
    json!([{"type": kind, "status": status}])
}

fn pod(name: &str, reason: &str) -> Sight {
    Sight::There(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "status": {"phase": "Running", "containerStatuses": [
            {"name": "c", "state": {"waiting": {"reason": reason}}}]}}))
}

fn scope_of(wait: &Wait) -> Scope {
    wait.scope(&(0..wait.tracked.len()).collect::<Vec<_>>())
}

fn there(kind: &str, name: &str, conditions: &Value) -> Sight {
    Sight::There(object(kind, name, conditions).into_value())
}

#[test]
fn a_wait_ends_when_all_are_current() {
    let mut wait = Wait::new(vec![target("A", "x"), target("A", "y")], true, None);
    let mut scope = scope_of(&wait);
    assert!(wait.verdict().is_none());
    wait.take_in(&mut scope, there("A", "x", &condition("Ready", "True")));
    wait.take_in(&mut scope, there("A", "other", &condition("Ready", "False")));
    assert!(wait.verdict().is_none());
    wait.take_in(&mut scope, there("A", "y", &condition("Ready", "True")));
    assert_eq!(wait.verdict(), Some(Ok(())));
}

#[test]
fn it_fails_early_only_when_nothing_is_on_its_way() {
    let mut wait = Wait::new(vec![target("A", "x"), target("A", "y")], true, None);
    let mut scope = scope_of(&wait);
    wait.take_in(&mut scope, there("A", "x", &condition("Stalled", "True")));
    wait.take_in(&mut scope, there("A", "y", &condition("Ready", "False")));
    assert!(wait.verdict().is_none());
    wait.take_in(&mut scope, there("A", "y", &condition("Ready", "True")));
    let error = wait.verdict().unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "failed early due to stalled resources: [A/shop/x status: 'Failed']"
    );
    wait.fail_fast = false;
    assert!(wait.verdict().is_none());
}

#[test]
fn what_is_missing_is_named() {
    let mut wait = Wait::new(vec![target("A", "x"), target("A", "y")], true, None);
    let mut scope = scope_of(&wait);
    let unknown = HealthError::TimedOut(wait.unhealthy()).to_string();
    assert_eq!(
        unknown,
        "timeout waiting for: [can't determine status for A/shop/x, \
         can't determine status for A/shop/y]"
    );
    wait.take_in(&mut scope, Sight::Restart);
    wait.take_in(&mut scope, there("A", "y", &condition("Ready", "False")));
    wait.take_in(&mut scope, Sight::Listed);
    assert_eq!(
        HealthError::TimedOut(wait.unhealthy()).to_string(),
        "timeout waiting for: [A/shop/x status: 'NotFound', A/shop/y status: 'InProgress']"
    );
}

#[test]
fn a_job_that_cleans_up_after_itself_has_ended() {
    let job = Object::new(json!({"apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "j", "namespace": "shop"}, "spec": {"ttlSecondsAfterFinished": 0}}));
    let job = job.unwrap();
    let seen = HealthTarget { id: job.id(), gvk: job.gvk(), seen: Some(job.clone()) };
    let mut wait = Wait::new(vec![seen], true, None);
    let mut scope = scope_of(&wait);
    wait.tracked[0].forget_content();
    wait.take_in(&mut scope, Sight::Gone(job.into_value()));
    assert_eq!(wait.verdict(), Some(Ok(())));
}

#[test]
fn a_workload_on_its_way_fails_with_its_pods() {
    let mut wait = Wait::new(vec![target("A", "x")], true, None);
    let mut scope = scope_of(&wait);
    let mut pods = Scope::Pods { of: 0, failed: HashSet::new() };
    wait.take_in(&mut scope, there("A", "x", &condition("Ready", "False")));
    wait.take_in(&mut pods, pod("p", "CrashLoopBackOff"));
    assert!(wait.verdict().unwrap().is_err());
    wait.take_in(&mut pods, pod("p", "ContainerCreating"));
    assert!(wait.verdict().is_none());
}

#[test]
fn a_watch_begins_where_the_oldest_object_was_seen() {
    let seen = |name: &str, version: &str| {
        let mut object = object("A", name, &condition("Ready", "False"));
        object.metadata_mut().insert("resourceVersion".to_owned(), json!(version));
        object.set_label("owner", "app");
        HealthTarget { seen: Some(object), ..target("A", name) }
    };
    let wait = Wait::new(vec![seen("x", "10"), seen("y", "9"), target("A", "z")], true, None);
    let both = wait.watched(&[0, 1], "owner");
    assert_eq!((both.from.as_deref(), both.labels.as_str()), (Some("9"), "owner=app"));
    let all = wait.watched(&[0, 1, 2], "owner");
    assert_eq!((all.from, all.labels.as_str()), (None, ""), "one has not been seen yet");
    let one = wait.watched(&[0], "owner");
    assert_eq!((one.fields.as_str(), one.namespace.as_str()), ("metadata.name=x", "shop"));
}
