//! Any event is taken in or refused, and nothing of it is passed on that is not taken in.

use std::sync::{Arc, LazyLock};

use crd_types::notification::Alert;
use event_api::{GROUP, key};
use fuzz_input::{check_json, soon};
use serde_json::{Value, json};

use super::limiter::EventKey;
use super::{metadata, read, weight};
use crate::alert::rules::Rules;

fn events() -> Vec<Value> {
    let about = |kind: &str, group: &str| {
        json!({
            "kind": kind, "namespace": "apps", "name": "web", "uid": "0f7a3c1e", "resourceVersion": "17",
            "apiVersion": format!("{group}/v1"), "fieldPath": "spec",
        })
    };
    let kustomize = "kustomize.toolkit.fluxcd.io";
    vec![
        json!({
            "involvedObject": about("Kustomization", kustomize), "severity": "error",
            "timestamp": "2026-03-04T05:06:07Z", "message": "Health check failed after 30s",
            "reason": "HealthCheckFailed", "metadata": {
                "kustomize.toolkit.fluxcd.io/revision": "main@sha1:00",
                "kustomize.toolkit.fluxcd.io/checksum": "00",
                "kustomize.toolkit.fluxcd.io/digest": "sha256:00",
                "kustomize.toolkit.fluxcd.io/token": "t",
                "event.toolkit.fluxcd.io/summary": "s",
                "event.toolkit.fluxcd.io/digest": "d",
                "other.io/x": "y",
            },
            "reportingController": "kustomize-controller", "reportingInstance": "pod",
        }),
        json!({
            "involvedObject": about("GitRepository", "source.toolkit.fluxcd.io"), "severity": "info",
            "timestamp": null, "message": "stored artifact", "reason": "NewArtifact", "metadata": null,
        }),
        json!({"involvedObject": {"kind": "K", "name": "n", "apiVersion": "v1"}, "severity": "trace"}),
        json!({"involvedObject": {"apiVersion": "/"}, "metadata": {"/": "", "/checksum": "", "": ""}}),
    ]
}

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let alert = |name: &str, spec: Value| -> Arc<Alert> {
        let alert = json!({"metadata": {"name": name, "namespace": "apps"}, "spec": spec});
        Arc::new(serde_json::from_value(alert).unwrap())
    };
    let all =
        json!([{"kind": "Kustomization", "name": "*"}, {"kind": "GitRepository", "name": "web"}]);
    Rules::compile(vec![
        alert("all", json!({"providerRef": {"name": "p"}, "eventSources": all, "summary": "s"})),
        alert(
            "some",
            json!({
                "providerRef": {"name": "p"}, "eventSources": all, "eventSeverity": "error",
                "inclusionList": ["(?i)^health.*(failed|x{1,50})+$", "("], "exclusionList": ["a*b*c*$"],
                "eventMetadata": {"revision": "mine", "": ""},
            }),
        ),
    ])
});

fn run(body: &[u8]) {
    let Ok(mut event) = soon(|| read(body)) else { return };
    let own = format!("{}/", event.involved_object.group());
    for name in event.metadata.keys() {
        let is_common = name.starts_with(&format!("{GROUP}/"));
        let of_own = name.strip_prefix(&own);
        assert!(is_common || of_own.is_some(), "{name}");
        assert!(!matches!(of_own, Some(key::CHECKSUM | key::DIGEST)), "{name}");
    }
    assert!(weight(&event, body) >= body.len());
    let with_token = EventKey::of(&event);
    assert_eq!(with_token, EventKey::of(&event));
    metadata::forget_token(&mut event);
    assert_eq!(metadata::own(&event, key::TOKEN), None);
    soon(|| {
        for chosen in RULES.choice(&event).chosen {
            drop(metadata::combined(&event, &chosen.rule.alert.spec));
        }
        drop(event.to_json());
    });
}

#[test]
fn any_events() {
    check_json(&events(), run);
}

#[test]
fn events_that_are_large() {
    let mut event = events().remove(0);
    event["message"] = "Health ".repeat(100_000).into();
    run(event.to_string().as_bytes());
    event["metadata"] = (0..50_000).map(|n| (format!("{GROUP}/{n}"), json!("x"))).collect();
    run(event.to_string().as_bytes());
    event["metadata"] = json!({"deep": null});
    run(format!("{}{}", "[".repeat(1_000_000), event).as_bytes());
}
