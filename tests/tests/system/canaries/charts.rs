//! What releases are given.

use std::time::Duration;

use serde_json::{Value, json};
use system_tests::Kind;
use testbed::{Access, ChartServer};

use super::applying::{assert_not_sent, scene};
use crate::notifications::secret;

const PATIENCE: Duration = Duration::from_mins(1);

const GOOD: &str = "apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}
stringData:
  password: {{ .Values.password }}
  other: {{ .Values.other }}
";
/// The API server refuses it, and tells what it was sent.
const REFUSED: &str = "apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}
data:
  password: \"{{ .Values.password }}!\"
  other: [{{ .Values.other }}]
";
/// It fails for another reason than what it was given.
const BROKEN: &str = "{{ .Values.password | b64enc | b64enc | int | toYaml | fromJson }}
{{ fail \"no such luck\" }}
";

#[tokio::test]
async fn releases_tell_no_values() {
    let (scene, sink, canaries) = scene("canary-charts").await;
    let charts = ChartServer::http().unwrap();
    let password = canaries.put("charts/password");
    charts.set_access(Access::Basic { user: "user".to_owned(), password: password.clone() });
    let notes = ("templates/NOTES.txt", "Your password is {{ .Values.password }}.\n");
    for (name, template) in [("good", GOOD), ("refused", REFUSED), ("broken", BROKEN)] {
        charts.publish(name, "1.0.0", &[("templates/a.yaml", template), notes]).unwrap();
    }
    let wants_number = r#"{"properties": {"password": {"type": "integer"}}}"#;
    let with_schema = [("templates/a.yaml", GOOD), ("values.schema.json", wants_number)];
    charts.publish("schema", "1.0.0", &with_schema).unwrap();
    let mut objects = vec![
        secret("charts", &json!({"username": "user", "password": password})),
        json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
            "metadata": {"name": "charts"},
            "spec": {"interval": "1h", "url": charts.url(), "secretRef": {"name": "charts"}},
        }),
    ];
    let release = |name: &str, chart: &str, values_from: &Value| {
        json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": name},
            "spec": {
                "interval": "1h", "driftDetection": {"mode": "enabled"},
                "install": {"remediation": {"retries": 1}},
                "chart": {"spec": {
                    "chart": chart, "version": "1.0.0", "interval": "1h",
                    "sourceRef": {"kind": "HelmRepository", "name": "charts"},
                }},
                "values": {"other": canaries.put(&format!("{name}/inline"))},
                "valuesFrom": [values_from],
            },
        })
    };
    let whole = |name: &str| json!({"kind": "Secret", "name": name});
    for name in ["good", "refused", "broken", "schema"] {
        let values = format!("password: {}\n", canaries.put(&format!("{name}/password")));
        let from = format!("{name}-values");
        objects.push(secret(&from, &json!({"values.yaml": values})));
        objects.push(release(name, name, &whole(&from)));
    }
    let yaml = format!("password: [{}\n", canaries.put("yaml/password"));
    objects.extend([
        secret("yaml", &json!({"values.yaml": yaml, "one": canaries.put("path/password")})),
        release("yaml", "good", &whole("yaml")),
        release(
            "target",
            "good",
            &json!({"kind": "Secret", "name": "yaml", "valuesKey": "one", "targetPath": "password"}),
        ),
    ]);
    scene.apply_all(&objects).unwrap();
    for name in ["good", "target"] {
        scene.until_ready(Kind::HelmRelease, name, "Helm install succeeded").await.unwrap();
    }
    for name in ["refused", "broken", "schema", "yaml"] {
        scene.until_failed(Kind::HelmRelease, name, "").await.unwrap();
    }
    let made = scene.get(Kind::Secret, "target").await.unwrap();
    let drift = json!({"stringData": {"other": canaries.put("drift/other")}});
    scene.patch(Kind::Secret, "target", &drift).await.unwrap();
    scene.request_reconcile(Kind::HelmRelease, "target", "drift").await.unwrap();
    let is_back = |secret: &Value| secret["data"] == made["data"];
    scene.until_object(PATIENCE, Kind::Secret, "target", is_back).await.unwrap();
    canaries.assert_untold().await;
    assert_not_sent(&canaries, &sink);
}
