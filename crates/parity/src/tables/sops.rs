//! `sops/cases.json` and `sops/matrix/cases.json`; the comparison is `sops-decrypt`'s own.

use std::path::Path;

use super::place;
use crate::corpus;
use crate::report::{ParityError, Set};

pub(super) fn sets(folder: &Path) -> Result<Option<Set>, ParityError> {
    let Some(cases) = place(folder, "sops/cases.json") else { return Ok(None) };
    let Some(folder) = cases.parent() else { return Ok(None) };
    let read = |name: &str| std::fs::read(folder.join(name)).ok();
    let report = sops_decrypt::parity::run(&read)
        .map_err(|error| corpus::layout(folder, error.to_string()))?;
    let mut set = Set::new("sops");
    set.total = report.same;
    for difference in report.differences {
        let case = difference.lines().next().unwrap_or_default().to_owned();
        set.count(case, Some(difference));
    }
    Ok(Some(set))
}
