//! Builds compared with those of kustomize v5.8.1.

use std::path::Path;

use kustomize_build::Mode;
use kustomize_build::parity::{Outcome, Report, json_patch, run, run_inline};

/// Our own cases that come out otherwise; the reasons stand in COMPATIBILITY.md.
const KNOWN: &[&str] = &["own.gen-multiline", "own.json6902-root"];

/// How many builds of the recorded roots may differ, in either mode.
const KNOWN_COMMAND: usize = 8;
const KNOWN_CONTROLLER: usize = 4;

#[test]
fn our_own_cases_come_out_as_from_kustomize() {
    let report = run_inline(include_bytes!("tables/units-handwritten.json")).unwrap();
    let mut different: Vec<&str> = report
        .comparisons
        .iter()
        .filter(|comparison| comparison.outcome != Outcome::Same)
        .map(|comparison| comparison.id.as_str())
        .collect();
    different.sort_unstable();
    assert_eq!(different, KNOWN);
}

#[test]
fn recorded_roots_come_out_as_from_kustomize() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/kustomize");
    if !folder.is_dir() {
        println!("the recorded roots ({}) are not here: nothing was compared", folder.display());
        return;
    }
    let read = |name: &str| std::fs::read(folder.join(name)).ok();
    let report = run(&read, &|_| true).unwrap();
    for (mode, known) in [(Mode::Command, KNOWN_COMMAND), (Mode::Controller, KNOWN_CONTROLLER)] {
        let (same, total) = report.count(mode, Outcome::Same);
        assert!(total - same <= known, "{mode:?}: {same} of {total}\n{}", listed(&report, mode));
    }
}

#[test]
fn json_patches_apply_as_in_go() {
    let table = json_patch(include_bytes!("tables/jsonpatch.json")).unwrap();
    assert_eq!(table.same, table.total, "{table}");
}

fn listed(report: &Report, mode: Mode) -> String {
    let different =
        |c: &&kustomize_build::parity::Comparison| c.mode == mode && c.outcome != Outcome::Same;
    let lines = report.comparisons.iter().filter(different);
    lines.map(|c| [c.id.as_str(), &c.difference].join(": ")).collect::<Vec<_>>().join("\n")
}
