//! The charts that are released while their controller is killed.

use testbed::ChartServer;

const CONFIG: &str = "apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-config}
data: {text: {{ .Values.text | quote }}, revision: {{ .Release.Revision | quote }}}
";

/// Is not in version 2, so an upgrade deletes it.
const OLD: &str = r#"{{ if eq .Chart.Version "1.0.0" }}
apiVersion: v1
kind: Secret
metadata: {name: {{ .Release.Name }}-old}
{{ end }}"#;

/// Is waited for. It is the same in all versions.
const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      nodeName: lab-node
      containers: [{name: main, image: example.com/app:1}]
";

/// One at every moment, if the values say so: before it a Job, which takes its time, and after it a
/// ConfigMap, which is there at once and deleted when it is.
const HOOKS: &str = r#"{{ range $moment := list "install" "upgrade" "rollback" "delete" }}
{{ if $.Values.hooks }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $.Release.Name }}-pre-{{ $moment }}
  annotations: {helm.sh/hook: pre-{{ $moment }}}
spec:
  template:
    spec:
      nodeName: lab-node
      restartPolicy: Never
      containers: [{name: main, image: example.com/hook:1}]
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ $.Release.Name }}-post-{{ $moment }}
  annotations:
    helm.sh/hook: post-{{ $moment }}
    helm.sh/hook-delete-policy: hook-succeeded,before-hook-creation
{{ end }}
{{ end }}"#;

/// Fails in the second revision if it shall: no node takes it.
const TEST: &str = r#"{{ $fails := and (eq .Values.broken "test") (eq (int .Release.Revision) 2) }}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-test
  annotations: {helm.sh/hook: test}
spec:
  {{ if $fails }}activeDeadlineSeconds: 1{{ end }}
  template:
    spec:
      {{ if not $fails }}nodeName: lab-node{{ end }}
      restartPolicy: Never
      containers: [{name: main, image: example.com/test:1}]
"#;

/// Refused by the API server: in the second revision, or until a `pre-delete` hook has run.
const BROKEN: &str = r#"{{ $healed := lookup "batch/v1" "Job" .Release.Namespace (print .Release.Name "-pre-delete") }}
{{ if or (and (eq .Values.broken "upgrade") (eq (int .Release.Revision) 2)) (and (eq .Values.broken "install") (not $healed)) }}
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}-broken}
spec: {ports: [{port: 99999999}]}
{{ end }}"#;

/// The name of the chart.
pub(super) const NAME: &str = "demo";

/// A repository with versions 1 and 2.
pub(super) fn repository() -> ChartServer {
    let charts = ChartServer::http().unwrap();
    let files = [
        ("values.yaml", "text: default\nbroken: never\nhooks: true\n"),
        ("templates/config.yaml", CONFIG),
        ("templates/old.yaml", OLD),
        ("templates/deployment.yaml", DEPLOYMENT),
        ("templates/hooks.yaml", HOOKS),
        ("templates/test.yaml", TEST),
        ("templates/broken.yaml", BROKEN),
    ];
    for version in ["1.0.0", "2.0.0"] {
        charts.publish(NAME, version, &files).unwrap();
    }
    charts
}
