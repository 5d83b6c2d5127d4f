//! `kstatus/cases.json`.

use manifest::Object;
use serde_json::{Value, json};

use super::{list, members, text};
use crate::report::Set;

pub(super) fn cases(table: &Value, set: &mut Set) {
    for case in list(table) {
        let object = Object::new(case["object"].clone()).map_err(|error| error.to_string());
        let health = object
            .and_then(|object| manifest_health::health(&object).map_err(|error| error.to_string()));
        let ours = match health {
            Err(error) => json!({ "error": error }),
            Ok(health) => json!({
                "error": null,
                "status": health.status.as_str(),
                "message": health.message,
            }),
        };
        let mut theirs = case.clone();
        if theirs["message"].is_null() {
            theirs["message"] = json!("");
        }
        set.count(text(case, "name"), members(&theirs, &ours));
    }
}
