//! `Chart.yaml`, its dependencies and its lock.

mod read;
mod validate;

use serde_json::Value;

pub(crate) use read::RawMetadata;
pub use validate::ValidationError;

/// What `Chart.yaml` says. Texts are empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of Chart.yaml")]
pub struct Metadata {
    pub name: String,
    pub home: String,
    pub sources: Vec<String>,
    pub version: String,
    pub description: String,
    pub keywords: Vec<String>,
    pub maintainers: Vec<Maintainer>,
    pub icon: String,
    /// `v1` if the chart does not say.
    pub api_version: String,
    pub condition: String,
    pub tags: String,
    pub app_version: String,
    pub deprecated: bool,
    /// None if the chart has no such field.
    pub annotations: Option<std::collections::BTreeMap<String, String>>,
    pub kube_version: String,
    /// None if the chart has no such field: its sub-charts are then taken as they are.
    pub dependencies: Option<Vec<Dependency>>,
    /// `type`: application, library or empty.
    pub kind: String,
}

/// Who maintains a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of Chart.yaml")]
pub struct Maintainer {
    pub name: String,
    pub email: String,
    pub url: String,
}

/// A chart that another one needs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dependency {
    /// Name of the chart.
    pub name: String,
    /// Range of versions, in the syntax of `semver-range`.
    pub version: String,
    /// URL of the repository, `@NAME`, `alias:NAME`, `file://…`, or empty.
    pub repository: String,
    /// Paths of values, separated by commas; the first that is a boolean decides.
    pub condition: String,
    /// Tags; true under `tags` in the values enables the chart, false disables it.
    pub tags: Vec<String>,
    /// Whether the chart is taken. Set while dependencies are processed.
    pub enabled: bool,
    /// What the parent takes over from the values of the chart: names of exports, or maps with
    /// `child` and `parent`.
    pub import_values: Vec<Value>,
    /// The name that the chart goes by within its parent.
    pub alias: String,
}

/// The versions that a `helm dependency update` found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lock {
    /// When, in RFC 3339.
    pub generated: String,
    /// Digest of the dependencies that were resolved.
    pub digest: String,
    /// The dependencies with exact versions.
    pub dependencies: Vec<Dependency>,
}

impl Metadata {
    /// Whether the chart is of the first format, which keeps dependencies in `requirements.yaml`.
    pub fn is_v1(&self) -> bool {
        self.api_version == "v1"
    }
}
