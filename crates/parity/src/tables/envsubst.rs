//! `envsubst/*.json`.

use serde_json::{Map, Value};
use variable_substitution::{Options, substitute};

use super::{list, outcomes, text};
use crate::report::Set;

pub(super) fn cases(table: &Value, set: &mut Set) {
    for case in list(table) {
        let strict = case["strict"] == Value::Bool(true);
        let ours = evaluate(text(case, "input"), case["vars"].as_object(), strict);
        let difference = outcomes(case, "expected", "error", &ours);
        set.count(format!("{} strict {strict}", text(case, "input")), difference);
    }
}

/// Each input in both ways.
pub(super) fn matrix(table: &Value, set: &mut Set) {
    let variables = table["vars"].as_object();
    for case in list(&table["cases"]) {
        let input = text(case, "input");
        let ways = [(false, "output", "error"), (true, "strict_output", "strict_error")];
        let differences = ways.into_iter().filter_map(|(strict, output, error)| {
            let ours = evaluate(input, variables, strict);
            // The table has an empty output beside an error.
            let mut case = case.clone();
            if case[error].is_string() {
                case[output] = Value::Null;
            }
            outcomes(&case, output, error, &ours)
        });
        let differences: Vec<String> = differences.collect();
        set.count(input, (!differences.is_empty()).then(|| differences.join("\n")));
    }
}

fn evaluate(
    input: &str,
    variables: Option<&Map<String, Value>>,
    strict: bool,
) -> Result<String, String> {
    let lookup = |name: &str| variables?.get(name)?.as_str();
    substitute(input, &lookup, &Options { strict }).map_err(|error| error.to_string())
}
