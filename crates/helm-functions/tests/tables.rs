//! Every case of the golden tables, which real sprig and Helm have answered.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a broken table must stop the test, and a missing one be seen"
)]

use std::path::{Path, PathBuf};

use go_template::{Budget, Functions, Integers, MissingKey, Session, Templates, Value};
use helm_functions::{Dialect, Helm, SystemEntropy, functions};
use serde_json::Value as Json;

fn field<'c>(case: &'c Json, name: &str) -> &'c str {
    case.get(name).and_then(Json::as_str).unwrap_or_default()
}

fn outcome(
    functions: &Functions,
    name: &str,
    template: &str,
    data: Value,
    missing_key: MissingKey,
) -> Result<String, String> {
    let mut templates = Templates::new(name, functions.clone());
    templates.parse(name, template).map_err(|error| error.to_string())?;
    let now = jiff::Timestamp::from_second(1_700_000_000).unwrap_or_default();
    let mut session = Session::with_state(Budget::default(), Helm::new(now, SystemEntropy));
    session.missing_key = missing_key;
    match templates.execute(name, data, &mut session) {
        Ok(output) => Ok(go_template::lossy(&output)),
        Err(error) => Err(error.to_string()),
    }
}

fn wanted(case: &Json, expected: &str, error: &str) -> Option<Result<String, String>> {
    let text = |key: &str| case.get(key).and_then(Json::as_str).map(ToOwned::to_owned);
    text(expected).map(Ok).or_else(|| text(error).map(Err))
}

fn report(table: &str, count: usize, failures: &[String]) {
    println!("{table}: {} of {count} same", count - failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn read(path: &Path) -> Json {
    let bytes = std::fs::read(path).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

fn own(table: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables").join(table)
}

/// The sprig table, in a dialect.
fn sprig(dialect: Dialect) {
    let functions = functions(dialect);
    let table = read(&own("sprig.json"));
    let cases = table.as_array().unwrap();
    let mut failures = Vec::new();
    for case in cases {
        let integers = match field(case, "nums") {
            "int64" => Integers::Int64,
            "float64" => Integers::Float64,
            _ => Integers::Int,
        };
        let data = Value::from_json(&case["data"], integers);
        let template = field(case, "template");
        let answer = match case.get("helm4") {
            Some(newer) if dialect == Dialect::Helm4 => newer,
            _ => case,
        };
        let wanted = wanted(answer, "expected", "error").unwrap();
        let got = outcome(&functions, "x", template, data, MissingKey::Zero);
        if got != wanted {
            let name = field(case, "name");
            failures.push(format!("{name}: {template}\n  wanted {wanted:?}\n  got    {got:?}"));
        }
    }
    report("sprig.json", cases.len(), &failures);
}

#[test]
fn sprig_in_helm_4() {
    sprig(Dialect::Helm4);
}

#[test]
fn sprig_in_helm_3() {
    sprig(Dialect::Helm3);
}

/// Whether a template asks for what Helm's functions do not give: the environment, the network,
/// today's date.
fn asks_the_world(template: &str) -> bool {
    ["env \"", "getHostByName", ".Time \""].iter().any(|part| template.contains(part))
}

/// The cases of an engine table that need nothing of Helm: plain text/template with sprig.
fn plain(path: &Path) {
    let table = read(path);
    let Some(cases) = table["cases"].as_array() else {
        println!("{} is not here: skipped", path.display());
        return;
    };
    let functions = functions(Dialect::Helm4);
    let mut failures = Vec::new();
    let mut count = 0;
    for case in cases {
        let Some(wanted) = wanted(case, "plain_expected", "plain_error") else { continue };
        count += 1;
        let values =
            case.get("values").and_then(Json::as_str).unwrap_or_else(|| field(&table, "fixture"));
        let values = yaml::parse(values.as_bytes()).unwrap();
        let values = Value::from_json(&values, Integers::Float64);
        let data = Value::map([("Values", values)]);
        let template = field(case, "template");
        let got = outcome(&functions, "main", template, data, MissingKey::Invalid);
        let id = field(case, "id");
        if got != wanted && !asks_the_world(template) {
            failures.push(format!("{id}: {template}\n  wanted {wanted:?}\n  got    {got:?}"));
        }
    }
    report(&path.file_name().unwrap().to_string_lossy(), count, &failures);
}

#[test]
fn plain_handwritten() {
    plain(&own("engine-handwritten.json"));
}

/// What a case may have that needs no chart.
const KEYS: [&str; 6] = ["id", "template", "expected", "plain_expected", "plain_error", "values"];
/// What a template may ask for that there is not without a chart.
const CHART: [&str; 9] = [
    ".Chart",
    ".Files",
    ".Capabilities",
    ".Subcharts",
    ".Template",
    ".Release.S",
    ".Release }",
    ".Release |",
    "keys .",
];

/// As Helm does with a chart's own values.
fn without_nulls(values: Json) -> Json {
    match values {
        Json::Object(members) => Json::Object(
            members
                .into_iter()
                .filter(|(_, member)| !member.is_null())
                .map(|(key, member)| (key, without_nulls(member)))
                .collect(),
        ),
        other => other,
    }
}

/// The cases of the engine table that need Helm's functions, but no chart around them.
#[test]
fn helm_handwritten() {
    let table = read(&own("engine-handwritten.json"));
    let functions = functions(Dialect::Helm4);
    let mut failures = Vec::new();
    let mut count = 0;
    for case in table["cases"].as_array().unwrap() {
        let (template, id) = (field(case, "template"), field(case, "id"));
        let Some(expected) = case.get("expected").and_then(Json::as_str) else { continue };
        let needs_chart = case.as_object().unwrap().keys().any(|key| !KEYS.contains(&&**key))
            || CHART.iter().any(|part| template.contains(part))
            || asks_the_world(template);
        if needs_chart {
            continue;
        }
        let values =
            case.get("values").and_then(Json::as_str).unwrap_or_else(|| field(&table, "fixture"));
        // Helm reads all documents of its values, and they are a map.
        if values.contains("\n---\n") {
            continue;
        }
        let Ok(values @ Json::Object(_)) = yaml::parse(values.as_bytes()) else { continue };
        let values = without_nulls(values);
        count += 1;
        let release = Value::map([("Name", Value::from("rel")), ("Namespace", Value::from("ns"))]);
        let data = Value::map([
            ("Values", Value::from_json(&values, Integers::Float64)),
            ("Release", release),
        ]);
        let got = outcome(&functions, "tc/templates/main.yaml", template, data, MissingKey::Zero)
            .map(|output| output.replace("<no value>", ""));
        if got.as_deref() != Ok(expected) {
            failures.push(format!("{id}: {template}\n  wanted {expected:?}\n  got    {got:?}"));
        }
    }
    report("engine-handwritten.json, without a chart", count, &failures);
}

fn shared(table: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/templates").join(table)
}

#[test]
fn plain_sprig_literals() {
    plain(&shared("engine-sprig-literals.json"));
}

#[test]
fn plain_gotext_literals() {
    plain(&shared("engine-gotext-literals.json"));
}

#[test]
fn plain_helm_literals() {
    plain(&shared("engine-helm-literals.json"));
}
