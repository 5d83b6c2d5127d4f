//! The directive `$patch`, which says what becomes of what a patch meets.

use serde_json::{Map, Value};

use super::StrategicMergeError;
use crate::value::text;

const KEY: &str = "$patch";

/// What becomes of what a patch meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directive {
    Merge,
    Replace,
    Delete,
}

fn parse(value: &Value) -> Result<Directive, StrategicMergeError> {
    match text(value).as_str() {
        "delete" => Ok(Directive::Delete),
        "replace" => Ok(Directive::Replace),
        "merge" => Ok(Directive::Merge),
        other => Err(StrategicMergeError::UnknownDirective { strategy: other.to_owned() }),
    }
}

/// Takes the directive out of a map.
pub(super) fn of_map(patch: &mut Map<String, Value>) -> Result<Directive, StrategicMergeError> {
    let Some(value) = patch.get(KEY) else { return Ok(Directive::Merge) };
    let directive = parse(value)?;
    patch.remove(KEY);
    Ok(directive)
}

/// Takes the directive out of a list, where it is an item of its own.
pub(super) fn of_list(patch: &mut Vec<Value>) -> Result<Directive, StrategicMergeError> {
    let Some(item) =
        patch.iter().find_map(|item| item.as_object()?.get_key_value(KEY).map(|_| item))
    else {
        return Ok(Directive::Merge);
    };
    let Some(value) =
        item.as_object().filter(|item| item.len() == 1).and_then(|item| item.get(KEY))
    else {
        // The directive is about the item, not the list.
        return Ok(Directive::Merge);
    };
    let directive = parse(value)?;
    let value = value.clone();
    patch.retain(|item| {
        let empty = matches!(item, Value::Null) || item.as_object().is_some_and(Map::is_empty);
        !empty && item.get(KEY) != Some(&value)
    });
    Ok(directive)
}
