//! Releases of one chart that does what its values say.

use serde_json::{Value, json};
use system_tests::{Kind, Scene};
use testbed::ChartServer;

/// Whatever objects the values hold, as templates.
const OBJECTS: &str = "{{- range .Values.objects }}\n---\n{{ tpl (toYaml .) $ }}\n{{- end }}\n";
const CONFIG: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name \
                      }}-config\ndata:\n  text: {{ .Values.text | quote }}\n  revision: {{ \
                      .Release.Revision | quote }}\n  host: {{ getHostByName \"localhost\" | quote \
                      }}\n";
const FAIL: &str = "{{ if .Values.broken }}{{ fail \"values.broken is set\" }}{{ end }}\n";
const SCHEMA: &str = r#"{"type": "object", "properties": {"count": {"type": "integer"}}}"#;

/// The chart `demo` in some versions, and a HelmRepository of that name.
pub(crate) fn publish(scene: &Scene, versions: &[&str]) -> ChartServer {
    let charts = ChartServer::http().unwrap();
    for version in versions {
        publish_as(&charts, "demo", version, &[]);
    }
    apply_repository(scene, "demo", charts.url());
    charts
}

/// A chart like `demo`, of another name or with further files.
pub(crate) fn publish_as(charts: &ChartServer, name: &str, version: &str, more: &[(&str, &str)]) {
    let mut files = vec![
        ("values.yaml", "text: default\nkept: chart\nobjects: []\n"),
        ("values.schema.json", SCHEMA),
        ("templates/config.yaml", CONFIG),
        ("templates/fail.yaml", FAIL),
        ("templates/objects.yaml", OBJECTS),
    ];
    files.extend(more);
    charts.publish(name, version, &files).unwrap();
}

pub(crate) fn apply_repository(scene: &Scene, name: &str, url: &str) {
    let spec = json!({"interval": "1h", "url": url});
    apply(scene, "source.toolkit.fluxcd.io/v1", "HelmRepository", name, &spec);
}

pub(crate) fn apply(scene: &Scene, version: &str, kind: &str, name: &str, spec: &Value) {
    let object =
        json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec});
    scene.namespace().apply(&object.to_string()).unwrap();
}

/// Where the chart `name` comes from.
pub(crate) fn chart(repository: &str, name: &str, version: &str) -> Value {
    let source = json!({"kind": "HelmRepository", "name": repository});
    json!({"spec": {"chart": name, "version": version, "sourceRef": source}})
}

/// Applies a release of `demo` 1.0.0, with `spec` over the usual fields; `null` leaves one out.
pub(crate) fn apply_release(scene: &Scene, name: &str, spec: &Value) {
    let mut full =
        json!({"interval": "1h", "timeout": "45s", "chart": chart("demo", "demo", "1.0.0")});
    for (field, value) in spec.as_object().unwrap() {
        full[field] = value.clone();
    }
    full.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    apply(scene, "helm.toolkit.fluxcd.io/v2", "HelmRelease", name, &full);
}

/// Applies an object without a specification: a ConfigMap, say.
pub(crate) fn apply_plain(scene: &Scene, object: &Value) {
    scene.namespace().apply(&object.to_string()).unwrap();
}

/// A condition of a release: its status, reason and message; empty if there is none.
pub(crate) async fn condition(scene: &Scene, name: &str, type_: &str) -> (String, String, String) {
    let release = scene.get(Kind::HelmRelease, name).await.unwrap();
    let conditions = release["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let found = conditions.into_iter().find(|found| found["type"] == type_).unwrap_or_default();
    let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
    (text("status"), text("reason"), text("message"))
}

/// A Job. It gets no node, so it never ends by itself; with a deadline, in seconds, it fails.
pub(crate) fn job(name: &str, annotations: &Value, deadline: Option<u32>) -> Value {
    let container = json!({"name": "main", "image": "example.com/job:1"});
    json!({
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": deadline,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container]}},
        },
    })
}

/// A ConfigMap to be put into the values.
pub(crate) fn config_map(name: &str, annotations: &Value) -> Value {
    let metadata = json!({"name": name, "annotations": annotations});
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
}

/// A ConfigMap that is refused for its name, unless there is a ConfigMap `gate`.
pub(crate) fn gated() -> Value {
    let name = "{{ if lookup \"v1\" \"ConfigMap\" .Release.Namespace \"gate\" }}{{ .Release.Name \
                }}-gated{{ else }}NO_NAME{{ end }}";
    config_map(name, &json!({}))
}

/// A Deployment that never gets ready: no node takes its pods.
pub(crate) fn slow() -> Value {
    let labels = json!({"app": "slow"});
    let container = json!({"name": "main", "image": "example.com/app:1"});
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "{{ .Release.Name }}-slow"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    })
}
