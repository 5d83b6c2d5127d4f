//! The directives of a patch: fields that begin with a dollar sign.

use serde_json::{Map, Value};

use crate::error::MergeError;

/// What becomes of a map: `replace` or `delete`; in a list, what becomes of an item.
pub(crate) const PATCH: &str = "$patch";
/// The fields that stay.
pub(crate) const RETAIN_KEYS: &str = "$retainKeys";
/// Before the name of a list: the order of its items.
pub(crate) const SET_ORDER: &str = "$setElementOrder";
/// Before the name of a list: scalars to take out of it.
pub(crate) const DELETE_FROM: &str = "$deleteFromPrimitiveList";

/// The field that a directive is about.
pub(crate) fn subject<'a>(
    key: &'a str,
    prefix: &str,
    malformed: MergeError,
) -> Result<&'a str, MergeError> {
    key.split_once('/').filter(|(first, _)| *first == prefix).map(|(_, name)| name).ok_or(malformed)
}

/// Obeys `$retainKeys`: fields of the object that it does not name go.
pub(crate) fn retain_keys(
    object: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
) -> Result<(), MergeError> {
    let Some(kept) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    let Value::Array(kept) = kept else { return Err(MergeError::RetainKeys) };
    let kept: std::collections::HashSet<&str> = kept.iter().filter_map(Value::as_str).collect();
    let is_directive = |key: &str| key.starts_with(DELETE_FROM) || key.starts_with(SET_ORDER);
    let stray = |(key, value): (&String, &Value)| {
        !value.is_null() && !is_directive(key) && !kept.contains(key.as_str())
    };
    if patch.iter().any(stray) {
        return Err(MergeError::RetainKeys);
    }
    object.retain(|key, _| kept.contains(key.as_str()));
    Ok(())
}

/// A value of a patch that meets nothing: without nulls and without what directives stand in; none if
/// nothing is left.
pub(crate) fn adopted(mut value: Value) -> Option<Value> {
    discard_nulls(&mut value);
    without_directives(value)
}

fn discard_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(discard_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(discard_nulls),
        _ => {}
    }
}

/// A value without the maps in which a `$patch` stands.
pub(crate) fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(fields) if fields.contains_key(PATCH) => None,
        Value::Object(fields) => {
            let kept =
                fields.into_iter().filter_map(|(key, v)| Some((key, without_directives(v)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Array(items) => {
            Some(Value::Array(items.into_iter().filter_map(without_directives).collect()))
        }
        scalar => Some(scalar),
    }
}
