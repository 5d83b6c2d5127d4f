//! What in the cluster is not as a release says, found by dry run and put right.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cluster_apply::{ApiError, IgnoredFields, PatchFormat, ServerSide};
use futures::StreamExt as _;
use helm_release::Record;
use manifest::{Object, ObjectId};
use serde_json::{Map, Value, json};

use super::apply::own;
use crate::error::{ActionError, ObjectError};
use crate::release_objects::{self, Built};
use crate::target::Target;

/// The label or annotation by which an object is left alone.
const CONTROL: &str = "helm.toolkit.fluxcd.io/driftDetection";
/// How many objects are looked at at once.
const CONCURRENCY: usize = 8;

/// Which differences do not count.
#[derive(Clone, Debug, Default)]
pub struct DriftRules {
    /// Fields that are left to others; the empty pointer leaves the whole object.
    pub ignore: Option<Arc<dyn IgnoredFields>>,
}

/// What in the cluster is not as a release says.
#[derive(Clone, Debug, Default)]
pub struct DriftReport {
    /// One entry per object that is not as it should be, or is not looked at, in their order.
    pub entries: Vec<DriftEntry>,
}

/// An object that is not as it should be, or is not looked at.
#[derive(Clone, Debug)]
pub struct DriftEntry {
    built: Built,
    kind: DriftKind,
}

#[derive(Clone, Debug)]
enum DriftKind {
    /// It is not there.
    Removed,
    /// It is another one. The steps of a JSON patch (RFC 6902) that put it right.
    Changed(Vec<Value>),
    /// It asks to be left alone.
    Excluded,
}

/// What became of drift.
#[derive(Debug, Default)]
pub struct Correction {
    /// What was put right: `Kind/namespace/name created`, `… configured`.
    pub corrected: Vec<String>,
    /// What was not: `Kind/namespace/name`, and why.
    pub failed: Vec<(ObjectId, ApiError)>,
}

impl DriftReport {
    /// Whether anything is not as it should be.
    pub fn has_drift(&self) -> bool {
        self.entries.iter().any(|entry| !matches!(entry.kind, DriftKind::Excluded))
    }
}

/// One line per object, as Flux tells it.
impl fmt::Display for DriftReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, entry) in self.entries.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}", entry.built.id())?;
            match &entry.kind {
                DriftKind::Removed => f.write_str(" removed")?,
                DriftKind::Excluded => f.write_str(" excluded")?,
                DriftKind::Changed(steps) => {
                    let count = |op: &str| steps.iter().filter(|step| step["op"] == op).count();
                    write!(
                        f,
                        " changed ({} additions, {} changes, {} removals)",
                        count("add"),
                        count("replace"),
                        count("remove")
                    )?;
                }
            }
        }
        Ok(())
    }
}

/// Compares the objects of a release, but not its hooks, with the cluster. Writes nothing.
///
/// # Errors
/// If an object cannot be compared and no other has drifted.
pub async fn find_drift(
    target: &Target,
    record: &Record,
    rules: &DriftRules,
) -> Result<DriftReport, ActionError> {
    let mut built = release_objects::build(target, &record.manifest, "release manifest").await?;
    own(target, &mut built);
    let (mut report, mut failures) = (DriftReport::default(), Vec::new());
    let mut looks = futures::stream::iter(built)
        .map(|built| compare(target, built, rules))
        .buffered(CONCURRENCY);
    while let Some(look) = looks.next().await {
        match look {
            Ok(entry) => report.entries.extend(entry),
            Err(error) => failures.push(error),
        }
    }
    if failures.is_empty() || report.has_drift() {
        Ok(report)
    } else {
        Err(ActionError::Drift(failures))
    }
}

async fn compare(
    target: &Target,
    built: Built,
    rules: &DriftRules,
) -> Result<Option<DriftEntry>, ObjectError> {
    let ignored = rules.ignore.as_ref().map(|rules| rules.of(&built.object)).unwrap_or_default();
    if is_left_alone(&built.object) || ignored.iter().any(String::is_empty) {
        return Ok(Some(DriftEntry { built, kind: DriftKind::Excluded }));
    }
    let (namespace, name) = (built.object.namespace(), built.object.name());
    let client = &target.client;
    let get = client.get_object(&built.resource, namespace, name).await;
    let Some(live) = get.map_err(|source| ObjectError::Get(Box::new(source)))? else {
        return Ok(Some(DriftEntry { built, kind: DriftKind::Removed }));
    };
    if Object::new(live.clone()).is_ok_and(|live| is_left_alone(&live)) {
        return Ok(Some(DriftEntry { built, kind: DriftKind::Excluded }));
    }
    let how = ServerSide { force: true, strict: false, dry_run: true };
    let wanted = client.apply_object(&built.resource, &built.object, how).await;
    let wanted = wanted
        .map_err(|source| ObjectError::Apply { object: built.title(), source: Box::new(source) })?;
    let steps = steps(live, wanted, &ignored);
    Ok((!steps.is_empty()).then_some(DriftEntry { built, kind: DriftKind::Changed(steps) }))
}

fn is_left_alone(object: &Object) -> bool {
    [object.label(CONTROL), object.annotation(CONTROL)].contains(&Some("disabled"))
}

/// The steps from what is there to what ought to be: all but metadata and status, and labels and
/// annotations that are missing or other ones.
fn steps(mut live: Value, mut wanted: Value, ignored: &[String]) -> Vec<Value> {
    for pointer in ignored {
        remove(&mut live, pointer);
        remove(&mut wanted, pointer);
    }
    let mut steps = Vec::new();
    for map in ["labels", "annotations"] {
        let base = format!("/metadata/{map}");
        let (Some(wanted), found) =
            (wanted["metadata"][map].as_object(), live["metadata"][map].as_object())
        else {
            continue;
        };
        let Some(found) = found else {
            steps.push(json!({ "op": "add", "path": base, "value": wanted }));
            continue;
        };
        for (key, value) in wanted.iter().filter(|(key, value)| found.get(*key) != Some(value)) {
            let op = if found.contains_key(key) { "replace" } else { "add" };
            let path = format!("{base}/{}", escaped(key));
            steps.push(json!({ "op": op, "path": path, "value": value }));
        }
    }
    let (Some(live), Some(wanted)) = (live.as_object_mut(), wanted.as_object_mut()) else {
        return steps;
    };
    for field in ["metadata", "status"] {
        live.remove(field);
        wanted.remove(field);
    }
    push_differences(&mut steps, "", live, wanted);
    steps
}

fn push_differences(
    steps: &mut Vec<Value>,
    base: &str,
    from: &Map<String, Value>,
    to: &Map<String, Value>,
) {
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        steps.push(json!({ "op": "remove", "path": format!("{base}/{}", escaped(key)) }));
    }
    for (key, wanted) in to {
        let path = format!("{base}/{}", escaped(key));
        match (from.get(key), wanted) {
            (None, _) => steps.push(json!({ "op": "add", "path": path, "value": wanted })),
            (Some(found), wanted) if found == wanted => {}
            (Some(Value::Object(found)), Value::Object(wanted)) => {
                push_differences(steps, &path, found, wanted);
            }
            (Some(Value::Array(found)), Value::Array(wanted)) if found.len() == wanted.len() => {
                push_item_differences(steps, &path, found, wanted);
            }
            _ => steps.push(json!({ "op": "replace", "path": path, "value": wanted })),
        }
    }
}

fn push_item_differences(steps: &mut Vec<Value>, base: &str, from: &[Value], to: &[Value]) {
    for (n, (found, wanted)) in from.iter().zip(to).enumerate() {
        let path = format!("{base}/{n}");
        match (found, wanted) {
            (found, wanted) if found == wanted => {}
            (Value::Object(found), Value::Object(wanted)) => {
                push_differences(steps, &path, found, wanted);
            }
            _ => steps.push(json!({ "op": "replace", "path": path, "value": wanted })),
        }
    }
}

/// Removes what a JSON pointer points at, if there is anything.
fn remove(value: &mut Value, pointer: &str) {
    let Some((parent, last)) = pointer.rsplit_once('/') else { return };
    let last = last.replace("~1", "/").replace("~0", "~");
    match value.pointer_mut(parent) {
        Some(Value::Object(members)) => {
            members.remove(&last);
        }
        Some(Value::Array(items)) => {
            if let Some(n) = last.parse::<usize>().ok().filter(|n| *n < items.len()) {
                items.remove(n);
            }
        }
        _ => {}
    }
}

fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Puts right what was found: creates what is not there, patches what is another. What is not done
/// within the limit is given up.
pub async fn correct_drift(target: &Target, report: &DriftReport, limit: Duration) -> Correction {
    let deadline = tokio::time::Instant::now() + limit;
    let mut correction = Correction::default();
    for entry in &report.entries {
        let id = entry.built.id();
        let done = tokio::time::timeout_at(deadline, correct(target, entry)).await;
        match done.unwrap_or(Err(ApiError::TimedOut(limit))) {
            Ok(Some(what)) => correction.corrected.push(format!("{id} {what}")),
            Ok(None) => {}
            Err(error) => correction.failed.push((id, error)),
        }
    }
    correction
}

async fn correct(target: &Target, entry: &DriftEntry) -> Result<Option<&'static str>, ApiError> {
    let DriftEntry { built, kind } = entry;
    let (client, resource) = (&target.client, &built.resource);
    let (namespace, name) = (built.object.namespace(), built.object.name());
    match kind {
        DriftKind::Excluded => Ok(None),
        DriftKind::Removed => {
            let object = Value::Object(built.object.fields().clone());
            client.create_object(resource, namespace, &object).await?;
            Ok(Some("created"))
        }
        DriftKind::Changed(steps) => {
            let patch = Value::Array(steps.clone());
            client.patch_object(resource, namespace, name, PatchFormat::Json, &patch).await?;
            Ok(Some("configured"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_release_says_is_drift() {
        let live = json!({"metadata": {"labels": {"a": "1", "own": "x"}, "uid": "u"},
            "spec": {"n": 2, "list": [{"k": 1}], "extra": true}, "status": {"x": 1}});
        let wanted = json!({"metadata": {"labels": {"a": "2", "b/c": "3", "own": "x"}},
            "spec": {"n": 1, "list": [{"k": 2}], "new": {}}});
        let found = steps(live.clone(), wanted.clone(), &["/spec/n".to_owned()]);
        assert_eq!(
            Value::Array(found),
            json!([
                {"op": "replace", "path": "/metadata/labels/a", "value": "2"},
                {"op": "add", "path": "/metadata/labels/b~1c", "value": "3"},
                {"op": "remove", "path": "/spec/extra"},
                {"op": "replace", "path": "/spec/list/0/k", "value": 2},
                {"op": "add", "path": "/spec/new", "value": {}},
            ])
        );
        assert!(steps(live.clone(), live, &[]).is_empty());
    }
}
