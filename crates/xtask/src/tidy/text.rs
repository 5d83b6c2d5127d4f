//! Names and contents of files.

use super::Findings;
use crate::repository;
use std::path::{Path, PathBuf};

/// A module is named after a noun of the domain, never after what it is not.
const NO_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "commons", "misc"];

/// A reader should hold a file in the head. Split by meaning, never to please a counter.
const LONG_LINES: usize = 600;

/// Starts of paths on somebody's machine.
const MACHINES: &[&str] = &["/home/", "/Users/", "/root/"];

/// Hostile input in tests likes to point here, on whatever machine.
const TARGETS_OF_ATTACKS: &[&str] = &["/root/.bashrc", "/root/.ssh"];

pub(super) fn check(files: &[PathBuf], findings: &mut Findings) {
    let root = repository::root();
    let own_root = format!("{}/", root.display());
    for path in files {
        let shown = path.display();
        let is_rust = path.extension().is_some_and(|e| e == "rs");
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let folders = path.parent().into_iter().flat_map(Path::components);
        let mut folders = folders.filter_map(|part| part.as_os_str().to_str());
        if is_rust && (NO_NAMES.contains(&stem) || folders.any(|name| NO_NAMES.contains(&name))) {
            findings.fault(format!("{shown}: name the module after what it holds"));
        }
        // Binary fixtures are not text.
        let Ok(text) = std::fs::read_to_string(root.join(path)) else { continue };
        if is_rust && text.lines().count() > LONG_LINES {
            findings.advise(format!("{shown} has {} lines", text.lines().count()));
        }
        if is_fixture(path) || path.ends_with("xtask/src/tidy/text.rs") {
            continue;
        }
        let machines = MACHINES.iter().copied().chain([own_root.as_str()]);
        for found in machines.filter(|found| names_machine_path(&text, found)) {
            findings.fault(format!("{shown} names a path of one machine ({found}…)"));
        }
    }
}

/// Recorded from real tools, so not ours to word.
fn is_fixture(path: &Path) -> bool {
    let mut parts = path.components().filter_map(|part| part.as_os_str().to_str());
    parts.any(|part| matches!(part, "tables" | "cases" | "fixtures" | "snapshots" | "inputs"))
}

/// Whether a path starts with `prefix`; in the middle of another path (`https://host/home/`) it does not.
fn names_machine_path(text: &str, prefix: &str) -> bool {
    text.match_indices(prefix).any(|(at, _)| {
        if TARGETS_OF_ATTACKS.iter().any(|target| text[at..].starts_with(target)) {
            return false;
        }
        let before = text[..at].chars().next_back();
        !before
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '~' | '-' | '_' | '}' | ')'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_machine_is_seen() {
        assert!(names_machine_path("see /home/me/x", "/home/"));
        assert!(!names_machine_path("https://example.com/home/me", "/home/"));
    }
}
