//! `duration/cases.json`.

use go_duration::{Duration, parse};
use serde_json::{Value, json};

use super::{list, members, text};
use crate::report::Set;

pub(super) fn cases(table: &Value, set: &mut Set) {
    let (second, millisecond) =
        (Duration::from_nanos(1_000_000_000), Duration::from_nanos(1_000_000));
    for case in list(table) {
        let input = text(case, "input");
        let ours = match parse(input) {
            Err(error) => json!({ "error": error.to_string() }),
            Ok(read) => json!({
                "error": null,
                "nanoseconds": read.as_nanos().to_string(),
                "string": read.to_string(),
                "metav1_json": format!("\"{read}\""),
                "rounded_s": read.round(second).to_string(),
                "truncated_ms": read.truncate(millisecond).to_string(),
            }),
        };
        let seconds = parse(input).ok().map(Duration::as_seconds);
        let seconds = (seconds != case["seconds"].as_f64()).then(|| format!("+{seconds:?} s"));
        set.count(input, members(case, &ours).or(seconds));
    }
}
