//! Every case of the golden tables, which real Go has answered.

use std::path::Path;

use go_template::{Budget, Functions, Integers, MissingKey, Session, Templates, Value};
use serde_json::Value as Json;

#[expect(clippy::unwrap_used, reason = "a broken table must stop the test")]
fn wanted(case: &Json) -> Result<String, (String, String)> {
    match case.get("expected") {
        Some(expected) => Ok(expected.as_str().unwrap().to_owned()),
        None => Err((field(case, "error").to_owned(), field(case, "partial").to_owned())),
    }
}

fn field<'c>(case: &'c Json, name: &str) -> &'c str {
    case.get(name).and_then(Json::as_str).unwrap_or_default()
}

/// What the template gives: output, or error text and what was written before.
fn outcome(case: &Json, data: Value) -> Result<String, (String, String)> {
    let mut templates = Templates::new("x", Functions::new());
    if let Err(error) = templates.parse("x", field(case, "template")) {
        return Err((error.to_string(), String::new()));
    }
    let mut session = Session::new(Budget::default());
    session.missing_key = match field(case, "missingkey") {
        "zero" => MissingKey::Zero,
        "error" => MissingKey::Error,
        _ => MissingKey::Invalid,
    };
    let mut out = Vec::new();
    let result = templates.execute_into("x", data, &mut session, &mut out);
    let out = go_template::lossy(&out);
    result.map(|()| out.clone()).map_err(|error| (error.to_string(), out))
}

fn check(case: &Json) -> Result<(), String> {
    let integers = match field(case, "nums") {
        "int64" => Integers::Int64,
        "float64" => Integers::Float64,
        _ => Integers::Int,
    };
    let data = Value::from_json(&case["data"], integers);
    let wanted = wanted(case);
    let got = outcome(case, data);
    if got == wanted {
        return Ok(());
    }
    Err(format!(
        "{}: {}\n  wanted {wanted:?}\n  got    {got:?}",
        field(case, "name"),
        field(case, "template")
    ))
}

#[test]
fn text_template() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables/gotemplate.json");
    let cases: Vec<Json> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let failures: Vec<String> = cases.iter().filter_map(|case| check(case).err()).collect();
    let same = cases.len() - failures.len();
    println!("gotemplate.json: {same} of {} same", cases.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
