//! A loaded chart.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::metadata::{Lock, Metadata};

/// A chart with its sub-charts. Cloning shares file contents.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// `Chart.yaml`, with `requirements.yaml` laid over it for old charts.
    pub metadata: Metadata,
    /// `Chart.lock` or `requirements.lock`.
    pub lock: Option<Lock>,
    /// `values.yaml`. Every number is floating-point, as Go's JSON decoder has it.
    pub values: Map<String, Value>,
    /// `values.schema.json`, unread.
    pub schema: Option<Bytes>,
    /// Files below `templates/`, in the order of the archive or folder.
    pub templates: Vec<ChartFile>,
    /// All other files, `crds/` among them.
    pub files: Vec<ChartFile>,
    /// The charts below `charts/`.
    pub dependencies: Vec<Self>,
}

/// A file of a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartFile {
    /// Path below the chart's folder.
    pub name: String,
    /// The content, without a byte order mark.
    pub bytes: Bytes,
}

/// A file of custom resource definitions.
#[derive(Clone, Copy, Debug)]
pub struct CrdFile<'a> {
    /// The path of the chart within its parents: `parent/charts/child`.
    pub chart_path: &'a str,
    /// The file; its name begins with `crds/`.
    pub file: &'a ChartFile,
}

impl Chart {
    /// The name by which values and templates know the chart: its alias, if it has one.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Whether the chart only lends its templates to others.
    pub fn is_library(&self) -> bool {
        self.metadata.kind.eq_ignore_ascii_case("library")
    }

    /// Calls `visit` for every file with definitions, this chart's own first.
    pub fn visit_crds(&self, visit: &mut dyn FnMut(CrdFile<'_>)) {
        self.visit_crds_below(self.name(), visit);
    }

    fn visit_crds_below(&self, chart_path: &str, visit: &mut dyn FnMut(CrdFile<'_>)) {
        for file in &self.files {
            if file.name.starts_with("crds/") && has_manifest_extension(&file.name) {
                visit(CrdFile { chart_path, file });
            }
        }
        for chart in &self.dependencies {
            chart.visit_crds_below(&format!("{chart_path}/charts/{}", chart.name()), visit);
        }
    }
}

fn has_manifest_extension(name: &str) -> bool {
    let name = name.rsplit('/').next().unwrap_or(name);
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
}
