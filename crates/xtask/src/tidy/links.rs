//! Links in Markdown files lead to files that exist.

use super::Findings;
use crate::repository;
use anyhow::Result;
use std::path::{Path, PathBuf};

pub(super) fn check(files: &[PathBuf], findings: &mut Findings) -> Result<()> {
    for path in files.iter().filter(|path| path.extension().is_some_and(|e| e == "md")) {
        let text = std::fs::read_to_string(repository::root().join(path))?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        for target in targets(&text).filter(|target| is_file_link(target)) {
            let file = target.split('#').next().unwrap_or_default();
            if !file.is_empty() && !repository::root().join(folder).join(file).exists() {
                findings.fault(format!("{}: the link to {target} leads nowhere", path.display()));
            }
        }
    }
    Ok(())
}

/// What stands in the brackets of `[text](target)`.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ', '\n']).next())
}

fn is_file_link(target: &str) -> bool {
    !target.contains("://") && !target.starts_with("mailto:") && !target.starts_with('<')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_found() {
        let text = "see [a](b.md#c) and [d](https://e.f) (not this)";
        let found: Vec<_> = targets(text).filter(|t| is_file_link(t)).collect();
        assert_eq!(found, ["b.md#c"]);
    }
}
