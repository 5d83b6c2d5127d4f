//! Objects written by patches that we make ourselves, as Helm 3 did.

use cluster_apply::{ApiError, PatchFormat};
use serde_json::{Map, Value, json};
use strategic_merge::Type;

use crate::error::ObjectError;
use crate::options::Options;
use crate::release_objects::Built;
use crate::target::Target;

/// Creates or patches an object.
///
/// Objects of built-in kinds get a strategic merge patch: all that is wanted, and without what the
/// last revision had and this one has not. Others get the difference of the two revisions.
pub(crate) async fn write(
    target: &Target,
    built: &Built,
    original: Option<&Built>,
    options: &Options,
) -> Result<Value, ObjectError> {
    let api = |source| ObjectError::Api(Box::new(source));
    let (namespace, name) = (built.object.namespace(), built.object.name());
    let (client, resource) = (&target.client, &built.resource);
    let wanted = Value::Object(built.object.fields().clone());
    let Some(live) = client.get_object(resource, namespace, name).await.map_err(api)? else {
        return client.create_object(resource, namespace, &wanted).await.map_err(api);
    };
    if options.force_replace {
        let mut wanted = wanted;
        wanted["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"].clone();
        let replaced = client.replace_object(resource, namespace, name, &wanted).await;
        return replaced.map_err(|source| ObjectError::Replace(Box::new(source)));
    }
    let none = Value::Object(Map::new());
    let before = original.map_or(none, |built| Value::Object(built.object.fields().clone()));
    let (format, patch) = match Type::of(built.object.api_version(), built.object.kind()) {
        Some(kind) => (PatchFormat::Strategic, strategic_merge::patch(&before, &wanted, kind)),
        None if original.is_some() => (PatchFormat::Merge, difference(&before, &wanted)),
        None => (PatchFormat::Merge, wanted),
    };
    client.patch_object(resource, namespace, name, format, &patch).await.map_err(api)
}

/// How often the field managers of an object are taken over anew that changes meanwhile.
const TRIES: usize = 5;

/// Makes fields that we own by other writes ours by apply, so that those that a chart leaves out
/// from now on are removed.
pub(crate) async fn migrate(target: &Target, built: &Built) -> Result<(), ObjectError> {
    let mut tries = 1;
    loop {
        match migrate_once(target, built).await {
            // Its own controller writes its status at any time.
            Err(error) if error.is_conflict() && tries < TRIES => tries += 1,
            end => return end.map_err(|error| ObjectError::Api(Box::new(error))),
        }
    }
}

async fn migrate_once(target: &Target, built: &Built) -> Result<(), ApiError> {
    let (namespace, name) = (built.object.namespace(), built.object.name());
    let (client, resource) = (&target.client, &built.resource);
    let Some(live) = client.get_object(resource, namespace, name).await? else { return Ok(()) };
    let Some(managed) = taken_over(&live, client.field_manager()) else { return Ok(()) };
    let version = &live["metadata"]["resourceVersion"];
    let patch = json!([
        {"op": "replace", "path": "/metadata/managedFields", "value": managed},
        {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
    ]);
    let patched = client.patch_object(resource, namespace, name, PatchFormat::Json, &patch).await;
    patched.map(drop)
}

/// The managed fields with our updates turned into an apply; none if there are no such.
fn taken_over(live: &Value, manager: &str) -> Option<Vec<Value>> {
    let all = live["metadata"]["managedFields"].as_array()?;
    let is_ours = |entry: &Value, operation: &str| {
        entry["manager"] == json!(manager)
            && entry["operation"] == json!(operation)
            && entry["subresource"].as_str().unwrap_or_default().is_empty()
    };
    if !all.iter().any(|entry| is_ours(entry, "Update")) {
        return None;
    }
    let has_apply = all.iter().any(|entry| is_ours(entry, "Apply"));
    let mut entries = Vec::new();
    for entry in all {
        if !is_ours(entry, "Update") {
            entries.push(entry.clone());
        } else if !has_apply {
            let mut entry = entry.clone();
            entry["operation"] = json!("Apply");
            entries.push(entry);
        }
    }
    Some(entries)
}

/// The JSON merge patch (RFC 7386) from one value to another.
fn difference(from: &Value, to: &Value) -> Value {
    let (Value::Object(from), Value::Object(to)) = (from, to) else { return to.clone() };
    let mut patch = Map::new();
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    for (key, value) in to {
        match from.get(key) {
            Some(old) if old == value => {}
            Some(old @ Value::Object(_)) if value.is_object() => {
                patch.insert(key.clone(), difference(old, value));
            }
            _ => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    Value::Object(patch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_revision_leaves_out_is_removed() {
        let from = json!({"data": {"a": "1", "b": "2"}, "spec": {"containers": [
            {"name": "x", "args": ["1"]}, {"name": "y"}], "ports": [{"port": 1}, {"port": 2}]}});
        let to = json!({"data": {"a": "1"}, "spec": {"containers": [
            {"name": "x", "image": "i"}], "ports": [{"port": 2}]}});
        assert_eq!(
            difference(&from, &to),
            json!({"data": {"b": null}, "spec": {"containers": [{"name": "x", "image": "i"}],
                "ports": [{"port": 2}]}})
        );
    }
}
