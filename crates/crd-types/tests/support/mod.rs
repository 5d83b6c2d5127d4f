//! What the tests of this crate share.
#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::print_stdout, reason = "a skipped check has to be seen")]

pub(crate) mod facts;

use std::path::PathBuf;

/// A folder of the reference material that stands beside the repository, if it is there.
pub(crate) fn reference(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("NOTICE: ../shared/{folder} is absent; what needs it was not checked");
    None
}
