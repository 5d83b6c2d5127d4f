//! The alerts and the events that they may choose; a receiver and a delivery.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::json;

pub(super) const NAMESPACE: &str = "bench";
/// Alerts that look at all events, and choose none.
pub(super) const IDLE: u64 = 20;
/// Alerts that choose what [`event`] is told to have chosen.
pub(super) const CHOOSING: u64 = 5;
/// The name of the receiver, and of its Secret.
pub(super) const RECEIVER: &str = "bench";
/// Objects that the receiver wakes.
pub(super) const WOKEN: u64 = 10;
const TOKEN: &str = "token-of-the-bench";
/// Objects that events are about.
const OBJECTS: u64 = 300;

/// A provider and an alert each for those that choose, and those that choose nothing: half by the
/// names of objects, half by expressions.
pub(super) fn alerts(sink: SocketAddr) -> String {
    let meta = |name: String| json!({"name": name, "namespace": NAMESPACE});
    let api_version = "notification.toolkit.fluxcd.io/v1beta3";
    let alert = |name: String, provider: String, object: String, include: Option<String>| {
        json!({
            "apiVersion": api_version, "kind": "Alert", "metadata": meta(name),
            "spec": {
                "providerRef": {"name": provider},
                "eventSources": [{"kind": "Kustomization", "name": object}],
                "inclusionList": include.into_iter().collect::<Vec<_>>(),
            },
        })
    };
    let mut objects = Vec::new();
    for n in 0..CHOOSING {
        let name = format!("chooses-{n}");
        objects.push(json!({
            "apiVersion": api_version, "kind": "Provider", "metadata": meta(name.clone()),
            "spec": {"type": "slack", "channel": "bench", "address": format!("http://{sink}/{n}")},
        }));
        let include = Some("^Health check failed".to_owned());
        objects.push(alert(name.clone(), name, "*".to_owned(), include));
    }
    for n in 0..IDLE {
        let (object, include) = match n % 2 {
            0 => (format!("nobody-{n}"), None),
            _ => ("*".to_owned(), Some(format!("(?i)quota {n} (exceeded|gone)"))),
        };
        objects.push(alert(format!("idle-{n}"), "chooses-0".to_owned(), object, include));
    }
    json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string()
}

/// A receiver that wakes one object by its name and [`WOKEN`] by their labels.
pub(super) fn receiver() -> String {
    let source = |name: String| {
        json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
            "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"woken": "together"}},
            "spec": {"interval": "1h", "url": "https://git.example.org/x", "ref": {"branch": "main"}},
        })
    };
    let mut objects: Vec<_> = (0..WOKEN).map(|n| source(format!("source-{n}"))).collect();
    objects.push(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": RECEIVER, "namespace": NAMESPACE}, "stringData": {"token": TOKEN},
    }));
    objects.push(json!({
        "apiVersion": "notification.toolkit.fluxcd.io/v1", "kind": "Receiver",
        "metadata": {"name": RECEIVER, "namespace": NAMESPACE},
        "spec": {
            "type": "gitlab", "secretRef": {"name": RECEIVER}, "events": ["Push Hook"],
            "resources": [
                {"kind": "GitRepository", "name": "source-0"},
                {"kind": "GitRepository", "name": "*", "matchLabels": {"woken": "together"},
                 "filter": "req.project.default_branch == 'main'"},
            ],
        },
    }));
    json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string()
}

/// A delivery for the receiver, as GitLab sends it.
pub(super) fn delivery(path: &str, host: SocketAddr) -> String {
    let body = json!({
        "object_kind": "push", "ref": "refs/heads/main", "project_id": 15,
        "project": {"name": "x", "default_branch": "main"}, "commits": [], "total_commits_count": 0,
    });
    let body = body.to_string();
    format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nX-Gitlab-Event: Push Hook\r\nX-Gitlab-Token: \
         {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A request that posts event number `n`, as a kustomize-controller does.
pub(super) fn event(n: u64, is_chosen: bool, host: SocketAddr, into: &mut String) {
    let object = n % OBJECTS;
    let (severity, message) = if is_chosen {
        ("error", "Health check failed after 30.02s: timeout waiting for: [Deployment")
    } else {
        ("info", "Reconciliation finished in 512.3ms, next run in 10m0s [applied")
    };
    let body = format!(
        "{{\"involvedObject\":{{\"kind\":\"Kustomization\",\"namespace\":\"{NAMESPACE}\",\"name\":\
         \"app-{object}\",\"uid\":\"0f7a3c1e-52a8-4a43-9b5d-6f0e2d1c{object:04}\",\"apiVersion\":\
         \"kustomize.toolkit.fluxcd.io/v1\",\"resourceVersion\":\"{n}\"}},\"severity\":\
         \"{severity}\",\"timestamp\":\"2026-03-04T05:06:07Z\",\"message\":\"{message} {n}]\",\
         \"reason\":\"ReconciliationSucceeded\",\"metadata\":{{\
         \"kustomize.toolkit.fluxcd.io/revision\":\
         \"main@sha1:6b8f3d2c1a0e9f8d7c6b5a4938271605f4e3d2c1\",\
         \"kustomize.toolkit.fluxcd.io/originRevision\":\
         \"v1.2.3@sha1:16b8f3d2c1a0e9f8d7c6b5a4938271605f4e3d2c\",\
         \"event.toolkit.fluxcd.io/cluster\":\"production-eu-1\"}},\
         \"reportingController\":\"kustomize-controller\",\
         \"reportingInstance\":\"kustomize-controller-6f7d8c9b5-x2x4z\"}}"
    );
    // Writing to a string cannot fail.
    _ = write!(
        into,
        "POST / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: \
         {}\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n{body}",
        body.len()
    );
}
