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
