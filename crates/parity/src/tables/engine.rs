//! `templates/engine-*.json`: single templates through Helm 4's engine.

use helm_chart::{Chart, ChartFile, Rules, dependencies, schema, values};
use serde_json::{Value, json};

use super::{difference, list, members, text};
use crate::host;
use crate::report::Set;
use helm_render::templates;
use helm_render::{Capabilities, KubeVersion, Options, Release};

/// The template of every case.
const MAIN: &str = "templates/main.yaml";

pub(super) fn cases(table: &Value, set: &mut Set) {
    for case in list(&table["cases"]) {
        set.count(text(case, "id"), difference(case, &output(table, case)));
    }
}

/// What a chart is told when no cluster answers.
pub(super) fn capabilities(table: &Value, set: &mut Set) {
    let ours = Capabilities::without_cluster();
    let versions: Vec<&str> = ours.api_versions.iter().map(AsRef::as_ref).collect();
    let version = &ours.kube_version;
    let version = json!({
        "Version": *version.version, "Major": *version.major, "Minor": *version.minor,
    });
    for (key, ours) in
        [("default_api_versions", json!(versions)), ("default_kube_version", version)]
    {
        set.count(key, members(table, &json!({ key: ours })));
    }
    let functions = helm_functions::functions(helm_functions::Dialect::Helm4);
    for name in list(&table["sprig_functions"]).filter_map(Value::as_str) {
        let template = format!("{{{{ {name} }}}}");
        let parsed = go_template::Templates::new("x", functions.clone()).parse("x", &template);
        let unknown = parsed.err().map(|error| error.to_string());
        let unknown = unknown.filter(|error| error.ends_with("not defined"));
        set.count(name, unknown.map(|error| format!("+{error}")));
    }
}

fn output(table: &Value, case: &Value) -> Result<String, String> {
    let fixture = |key: &str, shared: &str| {
        case[key].as_str().unwrap_or_else(|| text(table, shared)).to_owned()
    };
    let mut files = vec![
        ("Chart.yaml".to_owned(), fixture("chart_yaml", "chart_yaml")),
        ("values.yaml".to_owned(), fixture("values", "fixture")),
        (MAIN.to_owned(), text(case, "template").to_owned()),
    ];
    if let Some(schema) = case["schema"].as_str() {
        files.push(("values.schema.json".to_owned(), schema.to_owned()));
    }
    for (key, folder) in [("partials", "templates/"), ("files", "")] {
        for (name, text) in case[key].as_object().into_iter().flatten() {
            let name =
                if name.starts_with(folder) { name.clone() } else { format!("{folder}{name}") };
            files.push((name, text.as_str().unwrap_or_default().to_owned()));
        }
    }
    let files = files.into_iter().map(|(name, text)| ChartFile { name, bytes: text.into() });
    let mut chart = Chart::from_files(files.collect()).map_err(|error| format!("load: {error}"))?;
    let invalid = |error: &dyn std::error::Error| format!("values: {error}");
    let user = values::read(text(case, "overrides").as_bytes()).map_err(|e| invalid(&e))?;
    let rules = Rules::Helm4;
    dependencies::process(&mut chart, &user, rules).map_err(|error| invalid(&error))?;
    let values = values::coalesce(&chart, &user, rules).map_err(|error| invalid(&error))?;
    schema::validate(&chart, &values).map_err(|error| invalid(&error))?;
    let mut capabilities = Capabilities::without_cluster();
    let version = case["kube_version"].as_str().unwrap_or("v1.34.0");
    capabilities.kube_version =
        KubeVersion::parse(version).map_err(|error| format!("kube_version: {error}"))?;
    let more = list(&case["api_versions"]).filter_map(Value::as_str);
    let capabilities = capabilities.with_api_versions(more);
    let release = Release {
        name: "rel".to_owned(),
        namespace: "ns".to_owned(),
        is_upgrade: case["is_upgrade"] == Value::Bool(true),
        revision: case["revision"].as_i64().unwrap_or(1),
    };
    let options =
        Options { rules, strict: case["strict"] == Value::Bool(true), ..Options::default() };
    let host = host(case["lint"] == Value::Bool(true));
    let mut files = templates(&chart, &values, &release, &capabilities, host, &options)
        .map_err(|error| error.to_string())?;
    Ok(files.remove(&format!("{}/{MAIN}", chart.name())).unwrap_or_default())
}
