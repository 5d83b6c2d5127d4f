//! Every Cargo.toml says what ours always say.

use super::Findings;
use crate::repository;
use anyhow::Result;
use std::path::PathBuf;

const ALWAYS: &[&str] = &[
    "publish.workspace = true",
    "license.workspace = true",
    "edition.workspace = true",
    "rust-version.workspace = true",
    "[lints]\nworkspace = true",
];

pub(super) fn check(files: &[PathBuf], findings: &mut Findings) -> Result<()> {
    let manifests = files.iter().filter(|path| path.file_name().is_some_and(|n| n == "Cargo.toml"));
    for path in manifests.filter(|path| path.components().count() > 1) {
        let text = std::fs::read_to_string(repository::root().join(path))?;
        for wanted in ALWAYS.iter().filter(|wanted| !text.contains(**wanted)) {
            findings.fault(format!("{} lacks `{}`", path.display(), wanted.replace('\n', " ")));
        }
        // Versions live in the root only.
        for line in text.lines().filter(|line| line.contains("version = \"")) {
            findings.fault(format!("{} names a version itself: {line}", path.display()));
        }
    }
    Ok(())
}
