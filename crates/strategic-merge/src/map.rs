//! Objects merged field by field.

use serde_json::{Map, Value};

use crate::directive::{
    DELETE_FROM, PATCH, SET_ORDER, adopted, retain_keys, subject, without_directives,
};
use crate::error::{MAX_DEPTH, MergeError};
use crate::list;
use crate::order::{Items, normalize, partition, validate};
use crate::schema::{Strategy, Type};

pub(crate) fn merge(
    mut object: Map<String, Value>,
    mut patch: Map<String, Value>,
    at: Type,
    depth: usize,
) -> Result<Map<String, Value>, MergeError> {
    if depth > MAX_DEPTH {
        return Err(MergeError::TooDeep);
    }
    match patch.get(PATCH).map(|directive| (directive, directive.as_str())) {
        None => {}
        Some((_, Some("replace"))) => {
            patch.remove(PATCH);
            return Ok(patch);
        }
        Some((_, Some("delete"))) => return Ok(Map::new()),
        Some((directive, _)) => return Err(MergeError::unknown_directive(directive, &patch)),
    }
    retain_keys(&mut object, &mut patch)?;
    let ordered: Vec<String> =
        patch.keys().filter(|key| key.starts_with(SET_ORDER)).cloned().collect();
    for key in ordered {
        if let Some(order) = patch.remove(&key) {
            let name = subject(&key, SET_ORDER, MergeError::SetElementOrder)?;
            order_list(&mut object, &mut patch, name, &order, at, depth)?;
        }
    }
    for (key, value) in patch {
        let deletes = key.starts_with(DELETE_FROM);
        let name = if deletes {
            subject(&key, DELETE_FROM, MergeError::PrimitiveList)?
        } else {
            key.as_str()
        };
        merge_field(&mut object, name, value, deletes, at, depth)?;
    }
    Ok(object)
}

fn merge_field(
    object: &mut Map<String, Value>,
    name: &str,
    patch: Value,
    deletes: bool,
    at: Type,
    depth: usize,
) -> Result<(), MergeError> {
    if patch.is_null() {
        object.remove(name);
        return Ok(());
    }
    let merged = match (object.remove(name), patch) {
        (Some(Value::Object(old)), Value::Object(patch)) => {
            let field = at.field(name)?;
            Some(Value::Object(match field.strategy {
                Strategy::Replace => patch,
                _ => merge(old, patch, field.below, depth + 1)?,
            }))
        }
        (Some(Value::Array(old)), Value::Array(patch)) => {
            let field = at.list(name)?;
            Some(Value::Array(if deletes || field.strategy == Strategy::Merge {
                list::merge(old, patch, field, deletes, depth + 1)?
            } else {
                patch
            }))
        }
        (old, _) if deletes => old,
        (Some(_), patch @ (Value::Bool(_) | Value::Number(_) | Value::String(_))) => {
            without_directives(patch)
        }
        (_, patch) => adopted(patch),
    };
    object.extend(merged.map(|merged| (name.to_owned(), merged)));
    Ok(())
}

/// Merges a list whose order the patch sets: first that order, then the order of the patch, then the
/// order of the object.
fn order_list(
    object: &mut Map<String, Value>,
    patch: &mut Map<String, Value>,
    name: &str,
    order: &Value,
    at: Type,
    depth: usize,
) -> Result<(), MergeError> {
    let as_list =
        |value: &Value| value.as_array().cloned().ok_or_else(|| MergeError::no_list(value));
    let order = as_list(order)?;
    let old = object.get(name).map(as_list).transpose()?;
    let new = patch.get(name).map(as_list).transpose()?;
    let field = at.list(name)?;
    let patched = new.clone().unwrap_or_default();
    validate(&patched, &order, field.key)?;
    let server_order = old.clone().unwrap_or_default();
    let merged = match (old, new) {
        (None, None) => return Ok(()),
        (Some(old), None) => old,
        (None, Some(new)) => new.into_iter().filter_map(without_directives).collect(),
        (Some(old), Some(new)) if field.strategy == Strategy::Merge => {
            list::merge(old, new, field, false, depth + 1)?
        }
        (Some(_), Some(new)) => new,
    };
    let (named, others) = partition(merged, &order, field.key)?;
    let items = Items::of(&[&server_order, &patched], field.key)?.ok_or(MergeError::NoElements)?;
    let merged = normalize(named, others, &order, &server_order, items)?;
    object.insert(name.to_owned(), Value::Array(merged));
    patch.remove(name);
    Ok(())
}
