//! The golden tables that lie in the repository, and those beside it where they are.

use std::path::Path;

use parity::{Known, tables};

#[test]
fn what_differs_is_explained() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables");
    let report = tables(&folder).unwrap().explained_by(&Known::of_repository());
    assert!(report.total() > 6000, "the tables are there: {report}");
    assert_eq!(report.unexplained(), 0, "{report}");
}

#[test]
fn what_differs_in_tables_of_third_parties_is_explained() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/templates");
    if !folder.is_dir() {
        println!("NOT TESTED: {} is not there", folder.display());
        return;
    }
    let report = tables(&folder).unwrap().explained_by(&Known::of_repository());
    assert_eq!(report.unexplained(), 0, "{report}");
}
