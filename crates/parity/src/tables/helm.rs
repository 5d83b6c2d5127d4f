//! `templates/helm.json`: small charts through Helm's engine.

use std::collections::BTreeMap;

use helm_chart::{Chart, ChartFile, Rules, dependencies, schema, values};
use serde_json::{Map, Value};

use super::{list, text};
use crate::compare;
use crate::host;
use crate::report::Set;
use helm_render::templates;
use helm_render::{Capabilities, KubeVersion, Options, Release, Rendered, render};

pub(super) fn cases(table: &Value, set: &mut Set) {
    for case in list(table) {
        let theirs = if case["helm4"].is_object() { &case["helm4"] } else { case };
        let difference = compare_outputs(theirs, &outputs(case));
        let difference = difference.or_else(|| compare_install(case));
        set.count(text(case, "name"), difference);
    }
}

/// The output of each template, or the error.
fn outputs(case: &Value) -> Result<BTreeMap<String, String>, String> {
    let (mut chart, user) = (chart(case)?, user_values(case)?);
    let options = options(case, Rules::Helm4);
    dependencies::process(&mut chart, &user, options.rules).map_err(|e| e.to_string())?;
    let values =
        values::coalesce(&chart, &user, options.rules).map_err(|error| error.to_string())?;
    schema::validate(&chart, &values).map_err(|error| error.to_string())?;
    let host = host(case["lint"] == Value::Bool(true));
    let (release, capabilities) = (release(case), capabilities(case)?);
    let files = templates(&chart, &values, &release, &capabilities, host, &options);
    files.map_err(|error| error.to_string())
}

fn compare_outputs(
    theirs: &Value,
    ours: &Result<BTreeMap<String, String>, String>,
) -> Option<String> {
    match (theirs["expected"].as_object(), ours) {
        (Some(expected), Ok(ours)) => {
            let theirs: BTreeMap<String, String> = expected
                .iter()
                .map(|(path, text)| (path.clone(), text.as_str().unwrap_or_default().to_owned()))
                .collect();
            (theirs != *ours).then(|| format!("-{theirs:?}\n+{ours:?}"))
        }
        (Some(_), Err(error)) => Some(format!("+error: {error}")),
        (None, Ok(ours)) => Some(format!("-{}\n+{ours:?}", error_of(theirs))),
        (None, Err(error)) => {
            let prefix = theirs["error_prefix"].as_str();
            if prefix.is_some_and(|prefix| error.starts_with(prefix)) {
                return None;
            }
            compare::texts(error_of(theirs), error)
        }
    }
}

fn error_of(case: &Value) -> &str {
    case["error"].as_str().unwrap_or_else(|| text(case, "error_prefix"))
}

/// The table's installations were made by Helm 3.
fn compare_install(case: &Value) -> Option<String> {
    if case["install"].is_null() {
        return None;
    }
    let mut options = options(case, Rules::Helm3);
    options.include_crds = case["include_crds"] == Value::Bool(true);
    let installed = install(case, &options);
    match (case["install_error"].as_str(), installed) {
        (Some(theirs), Err(ours)) => compare::texts(theirs, &ours),
        (Some(theirs), Ok(_)) => Some(format!("-{theirs}\n+(no error)")),
        (None, Err(ours)) => Some(format!("+error: {ours}")),
        (None, Ok(rendered)) => compare::texts(text(case, "manifest"), &rendered.manifest_text())
            .or_else(|| compare::texts(text(case, "notes"), &rendered.notes))
            .or_else(|| compare_hooks(&case["hooks"], &rendered)),
    }
}

fn install(case: &Value, options: &Options<'_>) -> Result<Rendered, String> {
    let (chart, user) = (chart(case)?, user_values(case)?);
    let (release, capabilities) = (release(case), capabilities(case)?);
    render(&chart, &user, &release, &capabilities, host(false), options).map_err(|e| e.to_string())
}

fn compare_hooks(theirs: &Value, ours: &Rendered) -> Option<String> {
    let list: Vec<Value> = ours
        .hooks
        .iter()
        .map(|hook| {
            serde_json::json!({
                "name": hook.name, "kind": hook.kind, "path": hook.path, "weight": hook.weight,
                "manifest": hook.manifest,
                "events": hook.events.iter().map(|event| event.name()).collect::<Vec<_>>(),
                "delete_policies": hook.delete_policies,
            })
        })
        .collect();
    let theirs = theirs.as_array().map(Vec::as_slice).unwrap_or_default();
    let same = theirs.len() == list.len()
        && theirs.iter().zip(&list).all(|(theirs, ours)| {
            theirs.as_object().is_some_and(|theirs| {
                theirs.iter().all(|(key, value)| {
                    ours.get(key).is_none_or(|ours| ours == value)
                        || (value.is_null() && ours[key].as_array().is_some_and(Vec::is_empty))
                })
            })
        });
    (!same).then(|| format!("-{theirs:?}\n+{list:?}"))
}

fn chart(case: &Value) -> Result<Chart, String> {
    let files = case["chart"]["files"].as_object().into_iter().flatten();
    let files = files.map(|(name, text)| ChartFile {
        name: name.clone(),
        bytes: text.as_str().unwrap_or_default().to_owned().into(),
    });
    Chart::from_files(files.collect()).map_err(|error| error.to_string())
}

fn user_values(case: &Value) -> Result<Map<String, Value>, String> {
    let mut user = values::read(text(case, "values").as_bytes()).map_err(|e| e.to_string())?;
    for assignment in list(&case["set"]).filter_map(Value::as_str) {
        strvals::set(assignment, &mut user).map_err(|error| error.to_string())?;
    }
    Ok(user)
}

fn release(case: &Value) -> Release {
    let release = &case["release"];
    let is_upgrade = release["upgrade"] == Value::Bool(true);
    Release {
        name: text(release, "name").to_owned(),
        namespace: text(release, "namespace").to_owned(),
        is_upgrade,
        revision: if is_upgrade { 3 } else { 1 },
    }
}

fn capabilities(case: &Value) -> Result<Capabilities, String> {
    let mut capabilities = Capabilities::without_cluster();
    capabilities.kube_version =
        KubeVersion::parse(text(case, "kube_version")).map_err(|error| error.to_string())?;
    Ok(capabilities.with_api_versions(list(&case["api_versions"]).filter_map(Value::as_str)))
}

fn options(case: &Value, rules: Rules) -> Options<'static> {
    Options { rules, strict: case["strict"] == Value::Bool(true), ..Options::default() }
}
