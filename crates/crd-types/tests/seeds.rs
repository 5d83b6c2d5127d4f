//! The manifests of real walkthroughs against our schemas.
//!
//! A stand-in for an API server: types, required fields, enumerations, patterns, lengths and unknown
//! fields are checked, CEL rules are not.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

mod support;

use regex::Regex;
use serde_json::{Map, Value};

/// Fields that no version ever had. An API server drops them with a warning, as it does with Flux's.
const UNKNOWN_EVERYWHERE: &[&str] = &["spec.chart.spec.sourceRef.url"];

#[test]
fn the_manifests_of_the_walkthroughs_are_valid() {
    let Some(seeds) = support::reference("seeds") else { return };
    let schemas = schemas();
    let mut faults = Vec::new();
    let mut checked = 0;
    for file in std::fs::read_dir(seeds).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for manifest in manifests(&text) {
            let object = yaml::parse(manifest.as_bytes())
                .unwrap_or_else(|error| panic!("{error}:\n{manifest}"));
            let id = format!("{} {}", object["apiVersion"], object["kind"]);
            let Some((_, schema)) = schemas.iter().find(|(name, _)| *name == id) else {
                faults.push(format!("{id} is not served"));
                continue;
            };
            checked += 1;
            let mut found = Vec::new();
            validate(&object, schema, "", &mut found);
            let name = &object["metadata"]["name"];
            faults.extend(found.into_iter().map(|fault| format!("{id} {name}: {fault}")));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    assert!(checked > 0, "no manifest found");
    println!("{checked} manifests are valid");
}

#[test]
fn the_stand_in_finds_what_an_api_server_would() {
    let schemas = schemas();
    let (_, schema) = schemas
        .iter()
        .find(|(name, _)| name == r#""source.toolkit.fluxcd.io/v1" "GitRepository""#)
        .unwrap();
    let object = serde_json::json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": { "name": "x" },
        "spec": { "interval": "soon", "provider": "svn", "suspend": "no", "colour": "red" },
    });
    let mut faults = Vec::new();
    validate(&object, schema, "", &mut faults);
    assert_eq!(
        faults,
        [
            "spec.colour is unknown",
            "spec.interval does not match its pattern",
            "spec.provider is not one of its values",
            "spec.suspend is no boolean",
            "spec.url is missing",
        ]
    );
}

/// The schema of each served version, by what a manifest says.
fn schemas() -> Vec<(String, Value)> {
    let mut schemas = Vec::new();
    for (_, crd) in crd_types::codegen::crds() {
        let spec = &crd["spec"];
        for version in spec["versions"].as_array().unwrap() {
            let group = spec["group"].as_str().unwrap();
            let name = version["name"].as_str().unwrap();
            let id = format!("\"{group}/{name}\" {}", spec["names"]["kind"]);
            schemas.push((id, version["schema"]["openAPIV3Schema"].clone()));
        }
    }
    schemas
}

/// The manifests of the Flux groups in a text: from `apiVersion` as far as the indentation holds.
fn manifests(text: &str) -> Vec<String> {
    let start =
        Regex::new(r#"^(\s*(?:- )?)apiVersion: ['"]?[a-z]+\.toolkit\.fluxcd\.io/"#).unwrap();
    let lines: Vec<String> = text.lines().map(|line| line.replace('\t', "  ")).collect();
    let mut manifests = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(found) = start.captures(line) else { continue };
        let margin = found[1].len();
        let mut manifest = line[margin..].to_owned() + "\n";
        for line in &lines[index + 1..] {
            let is_inside = line.get(..margin).is_some_and(|indent| indent.trim().is_empty());
            let rest = line.get(margin..).unwrap_or_default();
            if !is_inside
                || rest.starts_with("---")
                || rest.starts_with("```")
                || rest.trim().is_empty()
            {
                break;
            }
            manifest += rest;
            manifest += "\n";
        }
        manifests.push(fill_in(&manifest));
    }
    manifests
}

/// Replaces `<one|other>` by `one` and `<url>` by a URL.
fn fill_in(manifest: &str) -> String {
    let placeholder = Regex::new("<([a-zA-Z]+)(?:[|][a-zA-Z|]+)?>").unwrap();
    placeholder
        .replace_all(manifest, |found: &regex::Captures<'_>| match &found[1] {
            "url" => "https://example.org/charts".to_owned(),
            word => word.to_owned(),
        })
        .into_owned()
}

fn validate(value: &Value, schema: &Value, path: &str, faults: &mut Vec<String>) {
    if schema["x-kubernetes-preserve-unknown-fields"] == true {
        return;
    }
    let mut fault = |text: &str| faults.push(format!("{} {text}", path.trim_start_matches('.')));
    let expected = schema["type"].as_str().unwrap();
    let fits = match expected {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64(),
        other => panic!("type {other}"),
    };
    if !fits {
        return fault(&format!("is no {expected}"));
    }
    if let Some(text) = value.as_str() {
        if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
            fault("is not one of its values");
        }
        if schema["pattern"]
            .as_str()
            .is_some_and(|pattern| !Regex::new(pattern).unwrap().is_match(text))
        {
            fault("does not match its pattern");
        }
        let length = text.chars().count() as u64;
        if schema["minLength"].as_u64().is_some_and(|least| length < least)
            || schema["maxLength"].as_u64().is_some_and(|most| length > most)
        {
            fault("is too short or too long");
        }
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        validate(item, &schema["items"], &format!("{path}[{index}]"), faults);
    }
    if let Some(fields) = value.as_object() {
        validate_fields(fields, schema, path, faults);
    }
}

fn validate_fields(
    fields: &Map<String, Value>,
    schema: &Value,
    path: &str,
    faults: &mut Vec<String>,
) {
    // Metadata is the API server's own business.
    if path == ".metadata" {
        return;
    }
    for (name, value) in fields {
        let path = format!("{path}.{name}");
        let known = path.trim_start_matches('.');
        if let Some(field) =
            schema["properties"].get(name).or_else(|| schema.get("additionalProperties"))
        {
            validate(value, field, &path, faults);
        } else if !UNKNOWN_EVERYWHERE.contains(&known) {
            faults.push(format!("{known} is unknown"));
        }
    }
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        if !fields.contains_key(name) {
            faults.push(format!("{} is missing", format!("{path}.{name}").trim_start_matches('.')));
        }
    }
}
