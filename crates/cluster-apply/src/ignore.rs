//! Fields that are left to others (`spec.ignore`).

use std::fmt;

use manifest::Object;
use serde_json::{Map, Value, json};

use crate::settings::Operation;

/// Says which fields of which objects are left to others.
pub trait IgnoredFields: fmt::Debug + Send + Sync {
    /// JSON pointers (RFC 6901) to the fields of this object that are left to others.
    fn of(&self, object: &Object) -> Vec<String>;
}

/// A copy of an object without these fields.
pub(crate) fn without(object: &Map<String, Value>, pointers: &[String]) -> Map<String, Value> {
    let mut rest = object.clone();
    for pointer in pointers {
        remove(&mut rest, pointer);
    }
    rest
}

/// The object as it is written when something else in it has to change: an ignored field that
/// differs is left out if somebody else applies it, and otherwise written as it is.
pub(crate) fn yielding(
    desired: &Object,
    live: &Object,
    pointers: &[String],
    our_manager: &str,
) -> Object {
    let mut yielding = desired.clone();
    let (wanted, found) = (json!(desired.fields()), Value::Object(live.fields().clone()));
    for pointer in pointers {
        let (Some(ours), theirs) = (wanted.pointer(pointer), found.pointer(pointer)) else {
            continue; // we do not set it
        };
        if Some(ours) == theirs {
            continue;
        }
        match theirs.filter(|_| !is_applied_by_others(live, pointer, our_manager)) {
            Some(theirs) => replace(yielding.fields_mut(), pointer, theirs.clone()),
            None => remove(yielding.fields_mut(), pointer),
        }
    }
    yielding
}

/// Whether somebody else has applied the field.
///
/// Limit: fields below the items of a list are not found, as managed fields name these by key.
fn is_applied_by_others(live: &Object, pointer: &str, our_manager: &str) -> bool {
    let owned =
        segments(pointer).fold(String::new(), |path, segment| path + "/f:" + &escaped(&segment));
    let entries = live.metadata().and_then(|metadata| metadata.get("managedFields"));
    entries.and_then(Value::as_array).into_iter().flatten().any(|entry| {
        entry["operation"] == Operation::Apply.as_str()
            && entry["manager"] != our_manager
            && entry.get("fieldsV1").is_some_and(|fields| fields.pointer(&owned).is_some())
    })
}

fn segments(pointer: &str) -> impl Iterator<Item = String> {
    pointer.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"))
}

fn escaped(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

/// The place of a field: what holds it, and its name or index there.
fn parent<'a>(object: &'a mut Map<String, Value>, pointer: &str) -> Option<(Parent<'a>, String)> {
    let (above, _) = pointer.rsplit_once('/')?;
    let last = segments(pointer).last()?;
    let mut above = segments(above);
    let Some(first) = above.next() else { return Some((Parent::Fields(object), last)) };
    let mut at = object.get_mut(&first)?;
    for segment in above {
        at = match at {
            Value::Object(fields) => fields.get_mut(&segment)?,
            Value::Array(items) => items.get_mut(segment.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    match at {
        Value::Object(fields) => Some((Parent::Fields(fields), last)),
        Value::Array(items) => Some((Parent::Items(items), last)),
        _ => None,
    }
}

enum Parent<'a> {
    Fields(&'a mut Map<String, Value>),
    Items(&'a mut Vec<Value>),
}

fn remove(object: &mut Map<String, Value>, pointer: &str) {
    match parent(object, pointer) {
        Some((Parent::Fields(fields), name)) => {
            fields.remove(&name);
        }
        Some((Parent::Items(items), index)) => {
            if let Some(index) = index.parse().ok().filter(|index| *index < items.len()) {
                items.remove(index);
            }
        }
        None => {}
    }
}

fn replace(object: &mut Map<String, Value>, pointer: &str, value: Value) {
    match parent(object, pointer) {
        Some((Parent::Fields(fields), name)) => {
            fields.insert(name, value);
        }
        Some((Parent::Items(items), index)) => {
            let index = index.parse::<usize>().ok();
            if let Some(item) = index.and_then(|index| items.get_mut(index)) {
                *item = value;
            }
        }
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(fields: &Value, managed_fields: &Value) -> Object {
        Object::new(json!({"apiVersion": "v1", "kind": "A", "spec": fields,
            "metadata": {"name": "a", "managedFields": managed_fields}}))
        .unwrap()
    }

    #[test]
    fn fields_are_taken_out_wherever_they_are() {
        let object =
            object(&json!({"a/b": 1, "list": [{"x": 1, "y": 2}, 3], "keep": 1}), &json!([]));
        let pointers =
            ["/spec/a~1b", "/spec/list/0/x", "/spec/list/1", "/spec/nope/deep", "bad", ""];
        let rest = without(object.fields(), &pointers.map(str::to_owned));
        assert_eq!(rest["spec"], json!({"list": [{"y": 2}], "keep": 1}));
    }

    #[test]
    fn what_others_changed_is_kept_and_what_they_apply_is_left_to_them() {
        let managed = json!([
            {"manager": "hpa", "operation": "Apply", "fieldsV1": {"f:spec": {"f:theirs": {}}}},
            {"manager": "me", "operation": "Apply", "fieldsV1": {"f:spec": {"f:mine": {}}}},
            {"manager": "x", "operation": "Update", "fieldsV1": {"f:spec": {"f:mine": {}}}}]);
        let desired =
            object(&json!({"mine": 1, "theirs": 1, "gone": 1, "same": 1, "other": 1}), &json!([]));
        let live =
            object(&json!({"mine": 9, "theirs": 9, "same": 1, "other": 9, "new": 9}), &managed);
        let pointers = ["/spec/mine", "/spec/theirs", "/spec/gone", "/spec/same", "/spec/new"];
        let written = yielding(&desired, &live, &pointers.map(str::to_owned), "me");
        assert_eq!(written.fields()["spec"], json!({"mine": 9, "same": 1, "other": 1}));
    }
}
