//! The files that the real sops wrote, and what it made of them.

use std::path::Path;

use sops_decrypt::parity;

#[test]
fn files_come_out_as_sops_prints_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables/sops");
    let report = parity::run(&|name| std::fs::read(root.join(name)).ok()).unwrap();
    assert!(report.differences.is_empty(), "{report}");
    assert_eq!(report.same, 309);
}
