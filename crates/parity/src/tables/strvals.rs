//! `strvals/cases.json`.

use serde_json::{Map, Number, Value};

use super::{list, text};
use crate::compare;
use crate::report::Set;

pub(super) fn cases(table: &Value, set: &mut Set) {
    for case in list(table) {
        let (op, input) = (text(case, "op"), text(case, "input"));
        let mut into = case["into"].as_object().cloned().unwrap_or_default();
        into.values_mut().for_each(make_floats);
        let result = assign(op, input, &mut into);
        let ours = match result {
            Err(error) => format!("error: {error}"),
            Ok(()) => floats(&Value::Object(into)),
        };
        let theirs = match case["error"].as_str() {
            Some(error) => format!("error: {error}"),
            None => floats(&case["expected"]),
        };
        set.count(format!("{op} {input}"), compare::texts(&theirs, &ours));
    }
}

fn assign(op: &str, input: &str, into: &mut Map<String, Value>) -> Result<(), strvals::Error> {
    match op {
        "string" | "intostring" => strvals::set_string(input, into),
        "literal" | "literalinto" => strvals::set_literal(input, into),
        "json" => strvals::set_json(input, into),
        "file" => strvals::set_file(input, into, &mut |name| Ok(format!("file:{name}").into())),
        _ => strvals::set(input, into),
    }
}

fn floats(value: &Value) -> String {
    let mut value = value.clone();
    make_floats(&mut value);
    value.to_string()
}

/// JSON does not tell Go's kinds of numbers apart, so the comparison cannot either.
fn make_floats(value: &mut Value) {
    match value {
        Value::Number(number) => {
            if let Some(float) = number.as_f64().and_then(Number::from_f64) {
                *number = float;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(make_floats),
        Value::Object(map) => map.values_mut().for_each(make_floats),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
