//! `smp/cases.json`.

use serde_json::Value;
use strategic_merge::{Type, merge};

use super::{list, text};
use crate::compare;
use crate::report::Set;

/// Where the table's kinds are looked for; it names no versions.
const API_VERSIONS: [&str; 8] = [
    "v1",
    "apps/v1",
    "batch/v1",
    "networking.k8s.io/v1",
    "rbac.authorization.k8s.io/v1",
    "autoscaling/v2",
    "policy/v1",
    "storage.k8s.io/v1",
];

pub(super) fn cases(table: &Value, set: &mut Set) {
    for case in list(table) {
        let kind = text(case, "kind");
        let theirs = match case["error"].as_str() {
            Some(error) => format!("error: {error}"),
            None => case["expected"].to_string(),
        };
        let ours = match API_VERSIONS.iter().find_map(|version| Type::of(version, kind)) {
            Some(kind) => merge(case["original"].clone(), case["patch"].clone(), kind)
                .map_or_else(|error| format!("error: {error}"), |merged| merged.to_string()),
            None => format!("no kind {kind}"),
        };
        set.count(text(case, "name"), compare::texts(&theirs, &ours));
    }
}
