//! What can stop a rendering.

use helm_chart::schema::Mismatch;
use helm_chart::values::CoalesceError;

use crate::exec_error::TemplateError;
use crate::manifest::ManifestError;

/// Why a chart was not rendered. The words are Helm 4's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Values and charts do not fit.
    #[error(transparent)]
    Values(#[from] CoalesceError),
    /// The values of a sub-chart are no map.
    #[error("chart dependencies processing failed: {0}")]
    Dependencies(CoalesceError),
    /// Values violate a schema.
    #[error(transparent)]
    Schema(#[from] Mismatch),
    /// The chart wants another version of Kubernetes.
    #[error("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {version}")]
    KubeVersion {
        /// The range of the chart.
        wanted: String,
        /// The version of the cluster.
        version: String,
    },
    /// A template is malformed or stopped.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A document is no manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The step between templates and manifests failed.
    #[error("error while running post render on files: {0}")]
    PostRender(Box<dyn std::error::Error + Send + Sync>),
}
