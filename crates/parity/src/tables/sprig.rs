//! Templates without a chart: `templates/gotemplate.json`, `templates/sprig.json`, and the cases of
//! `templates/engine-*.json` that were also run as plain text/template with sprig.

use go_template::{Budget, Functions, Integers, MissingKey, Session, Templates, Value};
use helm_functions::{Dialect, Helm, SystemEntropy, functions};
use serde_json::Value as Json;

use super::{difference, list, outcomes, text};
use crate::compare;
use crate::report::Set;

pub(super) fn text_template(table: &Json, set: &mut Set) {
    for case in list(table) {
        let missing_key = match text(case, "missingkey") {
            "zero" => MissingKey::Zero,
            "error" => MissingKey::Error,
            _ => MissingKey::Invalid,
        };
        let (ours, partial) = run(&Functions::new(), "x", case, data(case), missing_key);
        let written =
            ours.is_err().then(|| compare::texts(text(case, "partial"), &partial)).flatten();
        set.count(text(case, "name"), difference(case, &ours).or(written));
    }
}

pub(super) fn helm4(table: &Json, set: &mut Set) {
    sprig(table, Dialect::Helm4, set);
}

pub(super) fn helm3(table: &Json, set: &mut Set) {
    sprig(table, Dialect::Helm3, set);
}

fn sprig(table: &Json, dialect: Dialect, set: &mut Set) {
    let functions = functions(dialect);
    for case in list(table) {
        let theirs = match case.get("helm4") {
            Some(newer) if dialect == Dialect::Helm4 => newer,
            _ => case,
        };
        let (ours, _) = run(&functions, "x", case, data(case), MissingKey::Zero);
        set.count(text(case, "name"), difference(theirs, &ours));
    }
}

pub(super) fn plain(table: &Json, set: &mut Set) {
    let functions = functions(Dialect::Helm4);
    for case in list(&table["cases"]) {
        if case["plain_expected"].is_null() && case["plain_error"].is_null() {
            continue;
        }
        let values = case["values"].as_str().unwrap_or_else(|| text(table, "fixture"));
        let ours = yaml::parse(values.as_bytes()).map_err(|error| error.to_string());
        let ours = ours.and_then(|values| {
            let data = Value::map([("Values", Value::from_json(&values, Integers::Float64))]);
            run(&functions, "main", case, data, MissingKey::Invalid).0
        });
        set.count(text(case, "id"), outcomes(case, "plain_expected", "plain_error", &ours));
    }
}

/// What the template gives, and what was written before an error.
fn run(
    functions: &Functions,
    name: &str,
    case: &Json,
    data: Value,
    missing_key: MissingKey,
) -> (Result<String, String>, String) {
    let mut templates = Templates::new(name, functions.clone());
    if let Err(error) = templates.parse(name, text(case, "template")) {
        return (Err(error.to_string()), String::new());
    }
    let host = Helm::new(jiff::Timestamp::now(), SystemEntropy);
    let mut session = Session::with_state(Budget::default(), host);
    session.missing_key = missing_key;
    let mut out = Vec::new();
    let result = templates.execute_into(name, data, &mut session, &mut out);
    let out = go_template::lossy(&out);
    (result.map(|()| out.clone()).map_err(|error| error.to_string()), out)
}

fn data(case: &Json) -> Value {
    let integers = match text(case, "nums") {
        "int64" => Integers::Int64,
        "float64" => Integers::Float64,
        _ => Integers::Int,
    };
    Value::from_json(&case["data"], integers)
}
