//! A chart made in memory.

use std::sync::Arc;

use helm_action::Desired;
use helm_chart::{Chart, ChartFile, Metadata};
use serde_json::{Value, json};

/// A chart with these templates.
pub(crate) fn chart(version: &str, templates: &[(&str, &str)]) -> Chart {
    Chart {
        metadata: Metadata {
            name: "demo".to_owned(),
            version: version.to_owned(),
            app_version: version.to_owned(),
            api_version: "v2".to_owned(),
            ..Metadata::default()
        },
        values: object(&json!({"text": "default"})),
        templates: templates
            .iter()
            .map(|(name, text)| ChartFile {
                name: format!("templates/{name}"),
                bytes: (*text).to_owned().into_bytes().into(),
            })
            .collect(),
        ..Chart::default()
    }
}

/// A chart installed with these values.
pub(crate) fn desired(chart: Chart, values: &Value) -> Desired {
    Desired { chart: Arc::new(chart), values: object(values), post_render: None, templates: None }
}

pub(crate) fn object(value: &Value) -> serde_json::Map<String, Value> {
    value.as_object().unwrap().clone()
}

/// A ConfigMap that says which revision it is of.
pub(crate) const CONFIG: (&str, &str) = (
    "config.yaml",
    "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-config\n\
     data:\n  text: {{ .Values.text | quote }}\n  revision: {{ .Release.Revision | quote }}\n",
);

/// An object that only version 1 of the chart has.
pub(crate) const OLD: (&str, &str) = (
    "old.yaml",
    "{{ if hasPrefix \"1.\" .Chart.Version }}\napiVersion: v1\nkind: Secret\n\
     metadata:\n  name: {{ .Release.Name }}-old\n{{ end }}\n",
);

/// Hooks at every moment. They are ConfigMaps, which have run at once.
pub(crate) const HOOKS: (&str, &str) = (
    "hooks.yaml",
    "{{ range $moment := list \"install\" \"upgrade\" \"rollback\" \"delete\" }}\n\
     {{ range $when := list \"pre\" \"post\" }}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n\
     \x20 name: {{ $.Release.Name }}-{{ $when }}-{{ $moment }}\n  annotations:\n\
     \x20   helm.sh/hook: {{ $when }}-{{ $moment }}\n\
     {{ if eq $when \"post\" }}    helm.sh/hook-delete-policy: hook-succeeded,before-hook-creation{{ end }}\n\
     {{ end }}{{ end }}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n\
     \x20 name: {{ .Release.Name }}-test\n  annotations:\n    helm.sh/hook: test\n",
);
