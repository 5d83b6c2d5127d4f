//! Lists that merge: scalars as sets, objects by a key.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::directive::PATCH;
use crate::error::MergeError;
use crate::map;
use crate::order::{Items, normalize, partition};
use crate::schema::Field;

pub(crate) fn merge(
    old: Vec<Value>,
    patch: Vec<Value>,
    field: Field,
    deletes: bool,
    depth: usize,
) -> Result<Vec<Value>, MergeError> {
    let Some(items) = Items::of(&[&old, &patch], field.key)? else { return Ok(old) };
    let (merged, old, patch) = match items {
        Items::Scalars if deletes => {
            let gone: HashSet<String> = patch.iter().map(Value::to_string).collect();
            return Ok(old.into_iter().filter(|item| !gone.contains(&item.to_string())).collect());
        }
        Items::Scalars => {
            let mut seen = HashSet::new();
            let both = old.iter().chain(&patch).filter(|item| seen.insert(item.to_string()));
            (both.cloned().collect(), old, patch)
        }
        Items::Maps { key: "" } => {
            return Err(MergeError::NoKeyKnown { kind: field.below.kind() });
        }
        Items::Maps { key } => {
            let (old, patch) = obey(old, patch, key)?;
            (by_key(old.clone(), &patch, field, depth)?, old, patch)
        }
    };
    let (named, others) = partition(merged, &patch, field.key)?;
    normalize(named, others, &patch, &old, items)
}

/// Obeys the directives among the items of a patch, and takes them out.
fn obey(
    old: Vec<Value>,
    patch: Vec<Value>,
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>), MergeError> {
    let mut deleted = HashSet::new();
    let mut replaces = false;
    let mut kept = Vec::new();
    for item in patch {
        let Value::Object(fields) = &item else { continue };
        match fields.get(PATCH).map(|directive| (directive, directive.as_str())) {
            None => kept.push(item),
            Some((_, Some("delete"))) => {
                let value = fields.get(key).ok_or_else(|| MergeError::no_merge_key(fields, key))?;
                deleted.insert(value.to_string());
            }
            Some((_, Some("replace"))) => replaces = true,
            Some((_, Some("merge"))) => return Err(MergeError::MergeDirective),
            Some((other, _)) => return Err(MergeError::unknown_directive(other, fields)),
        }
    }
    if replaces {
        return Ok((kept, Vec::new()));
    }
    let stays = |item: &Value| item.get(key).is_none_or(|v| !deleted.contains(&v.to_string()));
    Ok((old.into_iter().filter(stays).collect(), kept))
}

/// Merges every item of the patch into the one with its key, or puts it behind.
fn by_key(
    mut merged: Vec<Value>,
    patch: &[Value],
    field: Field,
    depth: usize,
) -> Result<Vec<Value>, MergeError> {
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, item) in merged.iter().enumerate() {
        if let Some(value) = item.get(field.key) {
            places.entry(value.to_string()).or_insert(place);
        }
    }
    for item in patch {
        let Value::Object(fields) = item else { continue };
        let value = fields.get(field.key);
        let value = value.ok_or_else(|| MergeError::no_merge_key(fields, field.key))?.to_string();
        if let Some(met) = places.get(&value).and_then(|place| merged.get_mut(*place)) {
            let Value::Object(old) = met.take() else { continue };
            *met = Value::Object(map::merge(old, fields.clone(), field.below, depth)?);
        } else {
            places.insert(value, merged.len());
            merged.push(item.clone());
        }
    }
    Ok(merged)
}
