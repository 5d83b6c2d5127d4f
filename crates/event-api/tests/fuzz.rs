//! Any event is read or refused; what is printed is read again.
#![expect(clippy::unwrap_used, reason = "what tests share fails as tests do")]

use event_api::Event;
use fuzz_input::{check_json, soon};
use serde_json::{Value, json};

fn events() -> [Value; 2] {
    [
        json!({
            "involvedObject": {
                "kind": "HelmRelease", "namespace": "apps", "name": "web", "uid": "0f7a3c1e",
                "apiVersion": "helm.toolkit.fluxcd.io/v2", "resourceVersion": "17",
            },
            "severity": "info", "timestamp": "2026-03-04T05:06:07.123456789+01:00",
            "message": "Helm upgrade succeeded <&>\u{2028}", "reason": "UpgradeSucceeded",
            "metadata": {"helm.toolkit.fluxcd.io/revision": "1.0.0"},
            "reportingController": "helm-controller", "reportingInstance": "pod",
        }),
        json!({"involvedObject": {}, "severity": "loud", "timestamp": null, "metadata": null}),
    ]
}

fn run(text: &[u8]) {
    let Ok(event) = soon(|| serde_json::from_slice::<Event>(text)) else { return };
    let printed = soon(|| event.to_json());
    let again: Event = serde_json::from_str(&printed).unwrap();
    assert_eq!(again.to_json(), printed);
    assert_eq!(
        (again.is_error(), again.commit_revision()),
        (event.is_error(), event.commit_revision())
    );
}

#[test]
fn any_events() {
    check_json(&events(), run);
}
