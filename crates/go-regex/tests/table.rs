//! Every case of the golden table, which real Go has answered.

#![expect(clippy::panic, reason = "a broken table must stop the test")]

use std::path::Path;

use go_regex::Regex;
use serde_json::{Value, json};

fn text<'c>(case: &'c Value, name: &str) -> &'c str {
    case[name].as_str().unwrap_or_default()
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
        other => panic!("unknown op {other}"),
    };
    json!({ "expected": expected })
}

#[test]
fn regexp() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables/regex.json");
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut failures = Vec::new();
    for case in &cases {
        let wanted: serde_json::Map<String, Value> = ["expected", "error", "index", "names"]
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), case.get(*key)?.clone())))
            .collect();
        let got = outcome(case);
        if got != Value::Object(wanted) {
            failures.push(format!("{case}\n  got {got}"));
        }
    }
    println!("regex.json: {} of {} same", cases.len() - failures.len(), cases.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

proptest::proptest! {
    #[test]
    fn any_pattern_compiles_or_is_refused(
        pattern in r"[a(?P<n>)\[\]{}1,*+|^$.\\dQEpL:i-]{0,24}",
        input in ".{0,20}",
    ) {
        if let Ok(re) = Regex::new(&pattern) {
            re.replace_all(&input, "$1");
            re.split(&input, -1);
        }
    }
}
