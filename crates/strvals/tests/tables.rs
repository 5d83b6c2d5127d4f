//! The golden table, written by Helm v3.22.0, and hostile assignments.

#![expect(clippy::unwrap_used, reason = "a table that cannot be read fails the test")]

use serde_json::{Map, Number, Value};

#[test]
fn an_assignment_does_what_it_does_in_helm() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tables/cases.json");
    let cases: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for case in cases.as_array().unwrap() {
        let input = case["input"].as_str().unwrap();
        let op = case["op"].as_str().unwrap();
        let mut into = case["into"].as_object().cloned().unwrap_or_default();
        into.values_mut().for_each(make_floats);
        let result = match op {
            "parse" | "into" => strvals::set(input, &mut into),
            "string" | "intostring" => strvals::set_string(input, &mut into),
            "literal" | "literalinto" => strvals::set_literal(input, &mut into),
            "json" => strvals::set_json(input, &mut into),
            "file" => strvals::set_file(input, &mut into, &mut |name| {
                Ok(Value::String(format!("file:{name}")))
            }),
            other => panic!("unknown op {other}"),
        };
        if let Err(error) = result {
            assert_eq!(error.to_string(), case["error"], "{op} {input:?}");
            continue;
        }
        let (mut got, mut want) = (Value::Object(into), case["expected"].clone());
        make_floats(&mut got);
        make_floats(&mut want);
        assert_eq!(got, want, "{op} {input:?}");
    }
}

/// JSON does not tell Go's kinds of numbers apart, so the comparison cannot either.
fn make_floats(value: &mut Value) {
    match value {
        Value::Number(number) => {
            *number = Number::from_f64(number.as_f64().unwrap()).unwrap();
        }
        Value::Array(list) => list.iter_mut().for_each(make_floats),
        Value::Object(map) => map.values_mut().for_each(make_floats),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

#[test]
fn kinds_of_numbers_are_kept() {
    let mut values = Map::new();
    strvals::set("a=5", &mut values).unwrap();
    strvals::set_json("b=5", &mut values).unwrap();
    assert!(values["a"].is_i64());
    assert!(values["b"].is_f64());
}

#[test]
fn hostile_assignments_are_refused() {
    let set = |text: &str| strvals::set(text, &mut Map::new()).map_err(|e| e.to_string());
    assert_eq!(
        set("a[65537]=1").unwrap_err(),
        "index of 65537 is greater than maximum supported index of 65536"
    );
    assert_eq!(
        set("a[9999999999]=1").unwrap_err(),
        "index of 9999999999 is greater than maximum supported index of 65536"
    );
    assert!(set(&("a".to_owned() + &".a".repeat(30) + "=1")).is_ok());
    assert_eq!(
        set(&("a".to_owned() + &".a".repeat(31) + "=1")).unwrap_err(),
        "value name nested level is greater than maximum supported nested level of 30"
    );
    assert!(set(&("a".to_owned() + &"[0]".repeat(100_000) + "=1")).is_err());
    assert!(set(&("a".to_owned() + &"[0].a".repeat(100_000) + "=1")).is_err());
    let many: Vec<String> = (0..100).map(|i| format!("a{i}[65536]=1")).collect();
    assert!(set(&many.join(",")).is_err());
    assert!(strvals::set_json(&("a=".to_owned() + &"[".repeat(100_000)), &mut Map::new()).is_err());
}
