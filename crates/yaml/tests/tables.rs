//! What `sigs.k8s.io/yaml` v1.6.0 reads and prints (made by the real library).

use serde_json::Value;

fn report(what: &str, total: usize, different: &[String]) {
    assert!(
        different.is_empty(),
        "{what}: {} of {total} differ:\n{}",
        different.len(),
        different.join("\n")
    );
}

#[test]
fn documents_are_read_as_go_reads_them() {
    let table: Vec<Value> = serde_json::from_str(include_str!("tables/goyaml.json")).unwrap();
    let mut different = Vec::new();
    for case in &table {
        let text = case["yaml"].as_str().unwrap();
        let wanted = match case.get("json") {
            Some(json) => Ok(serde_json::from_str(json.as_str().unwrap()).unwrap()),
            None => Err(case["error"].as_str().unwrap().to_owned()),
        };
        let read: Result<Value, String> = yaml::parse(text.as_bytes()).map_err(|e| e.to_string());
        if read != wanted {
            different.push(format!("{text:?}: want {wanted:?}, got {read:?}"));
        }
    }
    report("goyaml.json", table.len(), &different);
}

#[test]
fn strict_parsing_refuses_what_go_refuses() {
    let table: Vec<Value> = serde_json::from_str(include_str!("tables/goyaml.json")).unwrap();
    let mut different = Vec::new();
    for case in table.iter().filter(|case| case.get("error").is_none()) {
        let text = case["yaml"].as_str().unwrap();
        let wanted = case["strict_error"].as_str().map(str::to_owned);
        let read = yaml::parse_strict(text.as_bytes()).err().map(|error| error.to_string());
        if read != wanted {
            different.push(format!("{text:?}: want {wanted:?}, got {read:?}"));
        }
    }
    report("goyaml.json strict", table.len(), &different);
}

#[test]
fn values_are_printed_as_go_prints_them() {
    let table: Vec<Value> = serde_json::from_str(include_str!("tables/emit.json")).unwrap();
    let mut different = Vec::new();
    for case in table.iter().filter(|case| case.get("error").is_none()) {
        let json = case["json"].as_str().unwrap();
        let value: Value = serde_json::from_str(json).unwrap();
        let wanted = case["yaml"].as_str().unwrap();
        let printed = yaml::emit(&value);
        // Our values keep integers as JSONToYAML does, and floats as Marshal does.
        let unrounded = case["jsonToYAML"].as_str() == Some(&printed);
        if printed != wanted && !unrounded {
            different.push(format!("{json}: want {wanted:?}, got {printed:?}"));
        }
    }
    report("emit.json", table.len(), &different);
}

#[test]
fn values_are_printed_as_helm_prints_them_prettily() {
    let table: Vec<Value> = serde_json::from_str(include_str!("tables/emit.json")).unwrap();
    let mut different = Vec::new();
    for case in table.iter().filter(|case| case.get("error").is_none()) {
        let json = case["json"].as_str().unwrap();
        let value = with_floats(serde_json::from_str(json).unwrap());
        let wanted = case["toYamlPretty"].as_str().unwrap();
        let printed = yaml::emit_pretty(&value);
        if printed.strip_suffix('\n').unwrap_or(&printed) != wanted {
            different.push(format!("{json}: want {wanted:?}, got {printed:?}"));
        }
    }
    report("emit.json, pretty", table.len(), &different);
}

/// Go's JSON reads every number as a float.
fn with_floats(value: Value) -> Value {
    match value {
        Value::Number(number) => Value::from(number.as_f64()),
        Value::Array(items) => items.into_iter().map(with_floats).collect(),
        Value::Object(map) => {
            map.into_iter().map(|(key, value)| (key, with_floats(value))).collect()
        }
        other @ (Value::Null | Value::Bool(_) | Value::String(_)) => other,
    }
}

/// Texts of random pieces; `sigs.k8s.io/yaml` v1.6.0 and `go.yaml.in/yaml/v3` v3.0.4 said what they
/// make of them.
#[test]
fn random_texts_are_read_and_printed_the_same() {
    let table: Vec<Value> = serde_json::from_str(include_str!("tables/random.json")).unwrap();
    let mut different = Vec::new();
    for case in &table {
        let text = case["yaml"].as_str().unwrap();
        let field = |name: &str| case.get(name).map(|value| value.as_str().unwrap().to_owned());
        let mut compare = |what: &str, found: Option<String>, wanted: Option<String>| {
            if found != wanted {
                different.push(format!("{text:?} {what}: want {wanted:?}, got {found:?}"));
            }
        };
        let read = match yaml::parse(text.as_bytes()) {
            Ok(read) => read,
            Err(error) => {
                compare("error", Some(error.to_string()), field("error"));
                continue;
            }
        };
        let strict = yaml::parse_strict(text.as_bytes()).err().map(|error| error.to_string());
        compare("value", Some(read.to_string()), field("json").map(|json| normal(&json)));
        compare("strictly", strict, field("strict_error"));
        compare("printed", Some(yaml::emit(&read)), field("emit"));
        compare("prettily", Some(yaml::emit_pretty(&with_floats(read))), field("pretty"));
        if let Some(wanted) = field("kustomize") {
            let read = yaml::kyaml::parse(text.as_bytes()).map(|value| value.to_string());
            compare("by kustomize", read.ok(), Some(normal(&wanted)));
        }
    }
    report("random.json", table.len(), &different);
}

/// Go escapes more characters in JSON than we do.
fn normal(json: &str) -> String {
    serde_json::from_str(json).map_or_else(|_| json.to_owned(), |value: Value| value.to_string())
}
