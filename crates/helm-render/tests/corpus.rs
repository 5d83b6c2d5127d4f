//! Small charts and templates against what Helm made of them.

#![cfg(feature = "parity")]

use std::path::Path;

use helm_render::parity;

/// Cases that differ; COMPATIBILITY.md names them. The number may only fall.
const KNOWN: usize = 7;

#[test]
fn tables_are_replayed() {
    let report =
        parity::tables(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables")).unwrap();
    assert!(report.total() > 1000, "the tables are there");
    assert!(report.different() <= KNOWN, "{report}");
}
