//! Who owns which fields of an object, as `metadata.managedFields` tells it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use crate::compare::hash_value;
use crate::settings::{Cleanup, Operation, Settings};

/// How deep the set of owned fields of one manager is followed. The API server limits objects to
/// far less.
const MAX_DEPTH: usize = 128;

/// One entry of `metadata.managedFields`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a>(&'a Value);

impl<'a> Entry<'a> {
    pub(crate) const fn new(entry: &'a Value) -> Self {
        Self(entry)
    }

    fn text(self, field: &str) -> &'a str {
        self.0.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether it is what `manager` applied.
    fn is_applied_by(self, manager: &str) -> bool {
        self.text("manager") == manager
            && self.text("operation") == Operation::Apply.as_str()
            && self.text("subresource").is_empty()
    }

    /// Whether its fields are to become ours. Flux: the name of a manager is a prefix, so that
    /// `kubectl` is also `kubectl-edit`.
    fn is_stale(self, cleanup: &Cleanup) -> bool {
        self.text("subresource").is_empty()
            && cleanup.managers.iter().any(|stale| {
                self.text("manager").starts_with(&stale.prefix)
                    && self.text("operation") == stale.operation.as_str()
            })
    }
}

/// The entries of an object; empty if it has none.
fn entries(object: &Map<String, Value>) -> &[Value] {
    let list = object.get("metadata").and_then(|metadata| metadata.get("managedFields"));
    list.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// When our fields were last set by a write, on the server's clock.
///
/// A (dry-run) apply that changes nothing keeps this time, one that changes something sets it.
pub(crate) fn applied_at(object: &Map<String, Value>, manager: &str) -> Option<SystemTime> {
    let ours = entries(object).iter().map(Entry::new).find(|entry| entry.is_applied_by(manager))?;
    let time: jiff::Timestamp = ours.text("time").parse().ok()?;
    Some(time.into())
}

/// A number that changes when somebody takes a field from us, gives us one, or leaves fields that
/// we are to clean up. It does not change when others write what is theirs (status, annotations of
/// other controllers, defaults).
///
/// Limit: two writers under our own name within one second look like one.
pub(crate) fn fingerprint<'a>(
    entries: impl Iterator<Item = Entry<'a>>,
    settings: &Settings,
) -> u64 {
    let mut hasher = DefaultHasher::new();
    for entry in entries {
        let ours = entry.is_applied_by(&settings.field_manager);
        if !ours && !entry.is_stale(&settings.cleanup) {
            continue;
        }
        entry.text("manager").hash(&mut hasher);
        entry.text("operation").hash(&mut hasher);
        if ours {
            entry.text("time").hash(&mut hasher);
        }
        hash_value(entry.0.get("fieldsV1").unwrap_or(&Value::Null), &mut hasher);
    }
    hasher.finish()
}

/// The fingerprint of a whole object.
pub(crate) fn fingerprint_of(object: &Map<String, Value>, settings: &Settings) -> u64 {
    fingerprint(entries(object).iter().map(Entry::new), settings)
}

/// Whether earlier owners left something on this object that is to be cleaned up.
pub(crate) fn needs_cleanup(
    object: &Map<String, Value>,
    desired: &manifest::Object,
    settings: &Settings,
) -> bool {
    entries(object).iter().map(Entry::new).any(|entry| entry.is_stale(&settings.cleanup))
        || leftovers(object, desired, settings).next().is_some()
}

/// The JSON patch that makes the fields of earlier owners ours (so that the next apply removes
/// what we do not want) and drops their annotations and labels. None if there is nothing to do.
/// It fails if the object has changed since.
pub(crate) fn cleanup_patch(
    live: &Map<String, Value>,
    desired: &manifest::Object,
    settings: &Settings,
) -> Option<Value> {
    let mut patch: Vec<Value> = leftovers(live, desired, settings)
        .map(|(map, key)| json!({"op": "remove", "path": pointer(&["metadata", map, key])}))
        .collect();
    if let Some(entries) = taken_over(entries(live), settings) {
        patch.push(json!({"op": "replace", "path": "/metadata/managedFields", "value": entries}));
    }
    if patch.is_empty() {
        return None;
    }
    let version = live.get("metadata")?.get("resourceVersion")?;
    patch.push(json!({"op": "replace", "path": "/metadata/resourceVersion", "value": version}));
    Some(Value::Array(patch))
}

/// Labels and annotations of earlier owners that are there and not wanted, as (map, key).
fn leftovers<'a>(
    live: &Map<String, Value>,
    desired: &manifest::Object,
    settings: &'a Settings,
) -> impl Iterator<Item = (&'static str, &'a str)> {
    let annotations = settings.cleanup.annotations.iter().map(|key| ("annotations", key.as_str()));
    let labels = settings.cleanup.labels.iter().map(|key| ("labels", key.as_str()));
    annotations.chain(labels).filter(move |(map, key)| {
        let has = |metadata: Option<&Map<String, Value>>| {
            metadata.and_then(|m| m.get(*map)).and_then(|m| m.get(*key)).is_some()
        };
        has(live.get("metadata").and_then(Value::as_object)) && !has(desired.metadata())
    })
}

/// The entries after ours has taken over the stale ones; none if none is stale.
fn taken_over(entries: &[Value], settings: &Settings) -> Option<Vec<Value>> {
    let manager = &settings.field_manager;
    let mut ours = entries.iter().find(|e| Entry(e).is_applied_by(manager)).cloned();
    let mut others = Vec::with_capacity(entries.len());
    let mut changed = false;
    for entry in entries {
        if Entry(entry).is_applied_by(manager) {
            continue;
        }
        if !Entry(entry).is_stale(&settings.cleanup) {
            others.push(entry.clone());
            continue;
        }
        changed = true;
        match &mut ours {
            None => {
                let mut renamed = entry.clone();
                renamed["manager"] = json!(manager);
                renamed["operation"] = json!(Operation::Apply.as_str());
                ours = Some(renamed);
            }
            Some(ours) => {
                let theirs = entry.get("fieldsV1").unwrap_or(&Value::Null);
                unite(&mut ours["fieldsV1"], theirs, MAX_DEPTH);
            }
        }
    }
    changed.then(|| {
        others.extend(ours);
        others
    })
}

/// Adds one set of fields to another.
fn unite(to: &mut Value, from: &Value, depth: usize) {
    if depth == 0 {
        return;
    }
    match (to, from) {
        (Value::Object(to), Value::Object(from)) => {
            for (key, below) in from {
                unite(to.entry(key).or_insert_with(|| json!({})), below, depth - 1);
            }
        }
        (to @ Value::Null, from) => *to = from.clone(),
        _ => {}
    }
}

/// A JSON pointer (RFC 6901).
fn pointer(segments: &[&str]) -> String {
    segments.iter().fold(String::new(), |path, segment| {
        path + "/" + &segment.replace('~', "~0").replace('/', "~1")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live() -> Value {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {
                "name": "config", "resourceVersion": "7",
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "keep": "1"},
                "managedFields": [
                    {"manager": "kubectl-edit", "operation": "Update", "apiVersion": "v1",
                     "fieldsV1": {"f:data": {"f:mine": {}}}},
                    {"manager": "kustomize-controller", "operation": "Apply", "apiVersion": "v1",
                     "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:data": {"f:key": {}}}},
                    {"manager": "someone", "operation": "Update", "apiVersion": "v1",
                     "fieldsV1": {"f:data": {"f:theirs": {}}}},
                    {"manager": "kubectl-edit", "operation": "Update", "subresource": "status"},
                ],
            },
        })
    }

    fn desired() -> manifest::Object {
        let wanted =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "config"}});
        manifest::Object::new(wanted).unwrap()
    }

    #[test]
    fn fields_of_stale_managers_become_ours() {
        let live = live();
        let settings = Settings::kustomize_controller();
        let patch = cleanup_patch(live.as_object().unwrap(), &desired(), &settings).unwrap();
        assert_eq!(
            patch[0],
            json!({"op": "remove",
                   "path": "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration"})
        );
        let entries = patch[1]["value"].as_array().unwrap();
        let managers: Vec<_> = entries.iter().map(|e| e["manager"].as_str().unwrap()).collect();
        assert_eq!(managers, ["someone", "kubectl-edit", "kustomize-controller"]);
        assert_eq!(entries[2]["fieldsV1"], json!({"f:data": {"f:key": {}, "f:mine": {}}}));
        assert_eq!(patch[2]["value"], "7");
    }

    #[test]
    fn the_first_stale_manager_is_renamed_where_we_have_no_entry() {
        let mut live = live();
        live["metadata"]["managedFields"].as_array_mut().unwrap().remove(1);
        let entries = taken_over(
            super::entries(live.as_object().unwrap()),
            &Settings::kustomize_controller(),
        );
        let ours = entries.unwrap().pop().unwrap();
        assert_eq!(ours["manager"], "kustomize-controller");
        assert_eq!(ours["operation"], "Apply");
        assert_eq!(ours["fieldsV1"], json!({"f:data": {"f:mine": {}}}));
    }

    #[test]
    fn a_clean_object_needs_no_patch() {
        let clean = json!({"metadata": {"resourceVersion": "7", "managedFields": [
            {"manager": "flux-client-side-apply", "operation": "Update"}]}});
        let settings = Settings::kustomize_controller();
        assert_eq!(cleanup_patch(clean.as_object().unwrap(), &desired(), &settings), None);
        assert!(!needs_cleanup(clean.as_object().unwrap(), &desired(), &settings));
    }

    #[test]
    fn the_fingerprint_moves_with_our_fields_only() {
        let settings = Settings::kustomize_controller();
        let of = |live: &Value| fingerprint_of(live.as_object().unwrap(), &settings);
        let before = live();
        let mut status = live();
        status["metadata"]["managedFields"][2]["fieldsV1"] = json!({"f:status": {}});
        status["metadata"]["resourceVersion"] = json!("8");
        assert_eq!(of(&before), of(&status));
        let mut taken = live();
        taken["metadata"]["managedFields"][1]["fieldsV1"] = json!({});
        assert_ne!(of(&before), of(&taken));
        let mut edited = live();
        edited["metadata"]["managedFields"][0]["fieldsV1"] = json!({"f:data": {"f:more": {}}});
        assert_ne!(of(&before), of(&edited));
    }
}
