//! The manifests of examples, pointed at servers of ours.

use anyhow::{Context as _, Result};
use std::path::Path;

/// The manifests in `folder`, namespaces first, with `url` in the place of each `spec.url`.
///
/// # Errors
/// If a file cannot be read.
pub fn example(folder: &Path, url: &str) -> Result<String> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .map(|entry| Ok(std::fs::read_to_string(entry?.path())?));
    let mut manifests = entries.collect::<Result<Vec<_>>>()?;
    manifests.sort_by_key(|manifest| (!manifest.contains("kind: Namespace"), manifest.clone()));
    Ok(manifests
        .iter()
        .flat_map(|manifest| [with_url(manifest, url), "---\n".to_owned()])
        .collect())
}

/// A manifest with `url` in the place of its `spec.url`, if it has one.
pub fn with_url(manifest: &str, url: &str) -> String {
    let mut lines: Vec<_> = manifest.lines().map(str::to_owned).collect();
    for line in lines.iter_mut().filter(|line| line.starts_with("  url: ")) {
        *line = format!("  url: {url}");
    }
    lines.join("\n") + "\n"
}
