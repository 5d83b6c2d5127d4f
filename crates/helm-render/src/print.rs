//! The text that `helm template` prints.

use crate::render::Rendered;

/// Manifests and hooks as `helm template` prints them.
pub fn template_output(rendered: &Rendered) -> String {
    let mut out = rendered.manifest_text().trim().to_owned();
    out.push('\n');
    for hook in &rendered.hooks {
        push_document(&mut out, &hook.path, &hook.manifest);
    }
    out
}

/// `---`, where the document comes from, the document.
pub(crate) fn push_document(out: &mut String, path: &str, content: &str) {
    out.push_str("---\n# Source: ");
    out.push_str(path);
    out.push('\n');
    out.push_str(content);
    out.push('\n');
}
