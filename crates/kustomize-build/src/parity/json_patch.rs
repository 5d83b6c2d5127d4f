//! The table of JSON patches and merge patches that evanphx/json-patch v5 applied.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::json_patch::{Options, Patch, merge_patch};

/// What came of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The cases that come out the same, error texts included.
    pub same: usize,
    /// All cases.
    pub total: usize,
    /// One text for each case that does not.
    pub differences: Vec<String>,
}

/// Every difference, then the totals.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        write!(f, "{} of {} the same", self.same, self.total)
    }
}

#[derive(Deserialize)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "the columns of the table")]
#[derive(Default)]
struct Case {
    doc: Value,
    patch: Value,
    merge: bool,
    ensure_path: bool,
    allow_missing_remove: bool,
    no_negative_indices: bool,
    expected: Value,
    error: Option<String>,
}

/// Applies the patches of a table (`jsonpatch/cases.json`).
///
/// # Errors
/// If the table is malformed.
pub fn json_patch(table: &[u8]) -> Result<Table, serde_json::Error> {
    let cases: Vec<Case> = serde_json::from_slice(table)?;
    let mut result = Table { total: cases.len(), ..Table::default() };
    for (place, case) in cases.iter().enumerate() {
        let wanted = match &case.error {
            Some(error) => Err(error.clone()),
            None => Ok(case.expected.clone()),
        };
        let have = applied(case);
        if have == wanted {
            result.same += 1;
        } else {
            let difference = format!("jsonpatch/{place}\n  want {wanted:?}\n  have {have:?}");
            result.differences.push(difference);
        }
    }
    Ok(result)
}

fn applied(case: &Case) -> Result<Value, String> {
    let (mut document, patch) = (read(&case.doc)?, read(&case.patch)?);
    if case.merge {
        merge_patch(&mut document, patch);
        return Ok(document);
    }
    let options = Options {
        ensure_path: case.ensure_path,
        allow_missing_remove: case.allow_missing_remove,
        negative_indices: !case.no_negative_indices,
        ..Options::default()
    };
    let patch = Patch::new(patch, options);
    let patched = patch.and_then(|patch| patch.apply(document, options));
    patched.map_err(|error| crate::error::message(&error))
}

/// A value, or what a text holds as it was handed to Go's library.
fn read(value: &Value) -> Result<Value, String> {
    match value {
        // Our callers hand over values, so the words for what is no JSON are those of the library.
        Value::String(raw) => {
            serde_json::from_str(raw).map_err(|_no_json| "invalid state detected".to_owned())
        }
        value => Ok(value.clone()),
    }
}
