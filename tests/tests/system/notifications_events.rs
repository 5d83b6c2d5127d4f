//! The event API, as the controllers of Flux use it.

use std::time::Duration;

use crate::incidents::Notified;
use crate::plain_http::ask;
use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use testbed::eventually;

const PATIENCE: Duration = Duration::from_mins(1);

/// What a recorder of Flux posts, with all that it can say.
fn recorded(namespace: &str, message: &str) -> Value {
    json!({
        "involvedObject": {
            "kind": "Kustomization", "namespace": namespace, "name": "web",
            "uid": "7f9c1a52-6a0e-4f3d-9d5e-0a4d3c2b1a00",
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "resourceVersion": "4711",
        },
        "severity": "info",
        "timestamp": "2026-01-02T03:04:05Z",
        "message": message,
        "reason": "ReconciliationSucceeded",
        "metadata": {
            "kustomize.toolkit.fluxcd.io/revision": "main@sha1:0123456789abcdef0123456789abcdef01234567",
            "kustomize.toolkit.fluxcd.io/checksum": "sha256:ab",
            "kustomize.toolkit.fluxcd.io/token": "t1",
            "event.toolkit.fluxcd.io/change_request": "7",
            "example.com/other": "not ours",
        },
        "reportingController": "kustomize-controller",
        "reportingInstance": "kustomize-controller-6b8f",
    })
}

#[tokio::test]
async fn events_of_flux_are_taken_told_and_limited() {
    let notified = Notified::new("event-api").await;
    notified.alert("all", &json!({}));
    notified.until_known(&["all"]).await;
    let namespace = notified.scene.namespace().name();
    let url = format!("{}/", notified.events);
    let event = recorded(namespace, "Reconciliation finished in 41ms, next run in 10m0s");
    let first = ask("POST", &url, &[], &event.to_string()).await.unwrap();
    assert_eq!((first.status, first.body.as_str()), (202, ""));
    let limits = |answer: &crate::plain_http::Answer| {
        ["x-ratelimit-limit", "x-ratelimit-remaining"]
            .map(|it| answer.header(it).map(str::to_owned))
    };
    let one_of_one = [Some("1".to_owned()), Some("0".to_owned())];
    assert_eq!(limits(&first), one_of_one);
    assert!(first.header("x-ratelimit-reset").is_some() && first.header("retry-after").is_none());

    let told = eventually(PATIENCE, || async {
        notified.told("all").into_iter().next().context("nothing is told")
    });
    let mut wanted = event.clone();
    wanted["metadata"] = json!({
        "revision": "main@sha1:0123456789abcdef0123456789abcdef01234567", "change_request": "7",
    });
    assert_eq!(told.await.unwrap(), wanted);

    // The severity, the reason and the controller do not make it another event, but its token does.
    let mut again = event.clone();
    (again["severity"], again["reason"]) = (json!("error"), json!("Other"));
    again["reportingController"] = json!("other-controller");
    let second = ask("POST", &url, &[], &again.to_string()).await.unwrap();
    assert_eq!((second.status, second.body.as_str()), (429, "Too Many Requests\n"));
    assert_eq!(limits(&second), one_of_one);
    assert!(second.header("retry-after").is_some(), "{second:?}");
    again["metadata"]["kustomize.toolkit.fluxcd.io/token"] = json!("t2");
    let other = ask("POST", &format!("{url}any/path"), &[], &again.to_string()).await.unwrap();
    assert_eq!(other.status, 202);
    eventually(PATIENCE, || async {
        ensure!(notified.told("all").len() == 2, "{:#?}", notified.told("all"));
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn events_that_are_none_are_refused() {
    let notified = Notified::new("event-refusals").await;
    let url = format!("{}/", notified.events);
    let long = format!("{{\"message\": \"{}\"}}", "x".repeat(3 << 20));
    for (body, wanted) in [
        ("", 400),
        ("no json", 400),
        ("[]", 400),
        ("{\"metadata\": {\"a\": 1}}", 400),
        (&"[".repeat(100_000), 400),
        (&long, 413),
    ] {
        let answer = ask("POST", &url, &[], body).await.unwrap();
        assert_eq!(answer.status, wanted, "{}", &body[..body.len().min(40)]);
    }
}
