//! `regex/cases.json`.

use go_regex::Regex;
use serde_json::{Value, json};

use super::{list, text};
use crate::compare;
use crate::report::Set;

pub(super) fn cases(table: &Value, set: &mut Set) {
    for case in list(table) {
        let keys = ["expected", "error", "index", "names"];
        let theirs =
            keys.iter().filter_map(|key| Some(((*key).to_owned(), case.get(*key)?.clone())));
        let theirs = Value::Object(theirs.collect()).to_string();
        let name =
            format!("{} {:?} {:?}", text(case, "op"), text(case, "pattern"), text(case, "input"));
        set.count(name, compare::texts(&theirs, &outcome(case).to_string()));
    }
}

fn outcome(case: &Value) -> Value {
    let re = match Regex::new(text(case, "pattern")) {
        Ok(re) => re,
        Err(error) => return json!({ "error": error.to_string() }),
    };
    let input = text(case, "input");
    let n = case["n"].as_i64().unwrap_or_default();
    let expected = match text(case, "op") {
        "match" => json!(re.is_match(input)),
        "find" => {
            let found = re.find(input);
            let expected = found.clone().map_or("", |range| &input[range]);
            return json!({
                "expected": expected,
                "index": found.map(|range| [range.start, range.end]),
            });
        }
        "longest" => json!(re.find_longest(input).map(|range| &input[range])),
        "findall" => json!(re.find_all(input, n)),
        "submatch" => {
            let groups = re.captures(input).map(|groups| {
                groups.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>()
            });
            return json!({ "expected": groups, "names": re.names() });
        }
        "replace" => json!(re.replace_all(input, text(case, "repl"))),
        "replaceliteral" => json!(re.replace_all_literal(input, text(case, "repl"))),
        "split" => json!(re.split(input, n)),
        other => json!(format!("unknown operation {other}")),
    };
    json!({ "expected": expected })
}
