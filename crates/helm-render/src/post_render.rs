//! A step between templates and manifests.

use std::collections::BTreeMap;

/// Changes rendered files before they are taken apart: Kustomize patches, common metadata.
pub trait PostRender {
    /// Gets the rendered files by path, partials and notes left out, and returns what shall be
    /// installed. Paths may be kept, dropped or made up.
    ///
    /// # Errors
    /// Whatever stops the step; the rendering fails with it.
    fn run(
        &self,
        files: BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Box<dyn std::error::Error + Send + Sync>>;
}
