//! Lists that merge by key.
//!
//! Where every item has its keys and no two have the same, which is nearly always, items are found
//! by an index. Otherwise kustomize's own way is followed step by step, for its result depends on it.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::directive::{Directive, of_list};
use super::{Merged, Merger, StrategicMergeError};
use crate::field_spec::FieldError;
use crate::schema::NodeId;
use crate::value::{is_empty, plain, text};

/// Lists without unique keys take time by the square of their length.
const MAX_SLOW_LENGTH: usize = 2_000;

impl Merger<'_> {
    pub(super) fn keyed_lists(
        &self,
        old: Option<Value>,
        patch: Option<Value>,
        keys: &[String],
        at: Option<NodeId>,
        depth: usize,
    ) -> Result<Merged, StrategicMergeError> {
        let (old, patch) = match (old, patch) {
            (Some(Value::Array(old)), Some(Value::Array(mut patch))) => {
                match of_list(&mut patch)? {
                    Directive::Delete => return Ok(Merged::removed()),
                    Directive::Replace => (None, Some(patch)),
                    Directive::Merge => (Some(old), Some(patch)),
                }
            }
            (Some(Value::Array(_)), Some(_)) => return Ok(Merged::removed()),
            (Some(Value::Array(old)), None) => (Some(old), None),
            (_, Some(Value::Array(patch))) => (None, Some(patch)),
            (old, _) => return Ok(Merged::kept(old)),
        };
        let replaced = old.is_none();
        let unique = |items: &Option<Vec<Value>>| items.as_ref().is_none_or(|i| is_unique(i, keys));
        let items = if !keys.is_empty() && unique(&old) && unique(&patch) {
            self.by_index(old, patch, keys, at, depth)?
        } else {
            Slow::new(self, old, patch, at, depth)?.merge(keys)?
        };
        Ok(Merged { value: Some(Value::Array(items)), replaced })
    }

    /// Merges lists whose items all have their keys, no two the same.
    fn by_index(
        &self,
        old: Option<Vec<Value>>,
        patch: Option<Vec<Value>>,
        keys: &[String],
        at: Option<NodeId>,
        depth: usize,
    ) -> Result<Vec<Value>, StrategicMergeError> {
        let mut old: Vec<Option<Value>> = old.unwrap_or_default().into_iter().map(Some).collect();
        let mut places: HashMap<Vec<String>, usize> = HashMap::new();
        for (place, item) in old.iter().enumerate() {
            if let Some(item) = item {
                places.insert(key_texts(item, keys), place);
            }
        }
        let mut first = Vec::new();
        for item in patch.into_iter().flatten() {
            let place = places.remove(&key_texts(&item, keys));
            let met = place.and_then(|place| old.get_mut(place)).and_then(Option::take);
            let Some(met) = met else {
                first.extend(self.adopt(item, at, depth + 1)?.filter(|item| !is_empty(item)));
                continue;
            };
            // Flux: an item that replaces another is lost again when the old items are put back.
            let before = met.clone();
            let merged = self.walk(Some(met), Some(item), at, depth + 1)?;
            let merged_item = merged.value.filter(|item| !is_empty(item));
            let Some(item) = merged_item else { continue };
            let item = if merged.replaced { before } else { item };
            if keys.len() == 1 {
                first.push(item);
            } else if let Some(slot) = place.and_then(|place| old.get_mut(place)) {
                // Several keys: old items keep their place behind the new ones.
                *slot = Some(item);
            }
        }
        let mut rest = Vec::new();
        for item in old.into_iter().flatten() {
            let untouched = places.contains_key(&key_texts(&item, keys));
            let item = if untouched {
                self.walk(Some(item), None, at, depth + 1)?.value
            } else {
                Some(item)
            };
            rest.extend(item.filter(|item| !is_empty(item)));
        }
        first.append(&mut rest);
        Ok(first)
    }
}

/// The texts of an item's keys; empty where it has none.
fn key_texts(item: &Value, keys: &[String]) -> Vec<String> {
    keys.iter().map(|key| item.get(key).map(text).unwrap_or_default()).collect()
}

fn is_unique(items: &[Value], keys: &[String]) -> bool {
    let mut seen = std::collections::HashSet::new();
    items.iter().all(|item| {
        let texts = key_texts(item, keys);
        item.is_object() && texts.iter().all(|text| !text.is_empty()) && seen.insert(texts)
    })
}

/// kustomize's own way. Items live in `nodes` and lists hold their places, for an item that is
/// merged changes in every list that holds it.
struct Slow<'m, 's> {
    merger: &'m Merger<'s>,
    nodes: Vec<Value>,
    old: Vec<usize>,
    patch: Option<Vec<usize>>,
    at: Option<NodeId>,
    depth: usize,
}

impl<'m, 's> Slow<'m, 's> {
    fn new(
        merger: &'m Merger<'s>,
        old: Option<Vec<Value>>,
        patch: Option<Vec<Value>>,
        at: Option<NodeId>,
        depth: usize,
    ) -> Result<Self, StrategicMergeError> {
        let mut nodes = Vec::new();
        let mut list = |items: Vec<Value>| {
            let start = nodes.len();
            nodes.extend(items);
            (start..nodes.len()).collect::<Vec<_>>()
        };
        let patch = patch.map(&mut list);
        // A patch that meets nothing meets itself.
        let old = match old {
            Some(old) => list(old),
            None => patch.clone().unwrap_or_default(),
        };
        if nodes.len() > MAX_SLOW_LENGTH {
            return Err(StrategicMergeError::ListTooLong { length: nodes.len() });
        }
        Ok(Self { merger, nodes, old, patch, at, depth })
    }

    fn merge(mut self, keys: &[String]) -> Result<Vec<Value>, StrategicMergeError> {
        let mut wanted: Vec<Vec<String>> = Vec::new();
        let sources: Vec<usize> = self.patch.iter().flatten().chain(&self.old).copied().collect();
        let scalar_keys = [String::new()];
        let keys = if keys.is_empty() { &scalar_keys[..] } else { keys };
        for place in sources {
            let Some(item) = self.nodes.get(place) else { continue };
            let texts = if keys == scalar_keys {
                vec![text(item)]
            } else {
                keys.iter()
                    .map(|key| item.get(key).filter(|v| !is_empty(v)).map(text).unwrap_or_default())
                    .collect()
            };
            if !wanted.contains(&texts) {
                wanted.push(texts);
            }
        }
        if keys.len() > 1 {
            fill_gaps(&mut wanted);
        }
        let mut used = keys.to_vec();
        let mut first: Vec<usize> = Vec::new();
        for values in wanted.clone() {
            let (valid_keys, valid_values) = validate(&wanted, &values, keys);
            used.clone_from(&valid_keys);
            let (find_keys, find_values) =
                validate(std::slice::from_ref(&valid_values), &valid_values, &valid_keys);
            let met = self.find(&self.old, &find_keys, &find_values);
            let item =
                self.patch.as_ref().and_then(|patch| self.find(patch, &find_keys, &find_values));
            let merged = self.merge_items(met, item)?;
            let merged = merged.filter(|place| {
                self.nodes.get(*place).is_some_and(|item| {
                    !item.is_null() && !item.as_object().is_some_and(Map::is_empty)
                })
            });
            let Some(place) = merged else {
                let mut old = std::mem::take(&mut self.old);
                self.set(&mut old, None, &valid_keys, &valid_values)?;
                self.old = old;
                continue;
            };
            if let Some(Value::Object(fields)) = self.nodes.get_mut(place) {
                for (key, value) in valid_keys.iter().zip(&valid_values) {
                    if !value.is_empty() && !fields.contains_key(key) {
                        fields.insert(key.clone(), plain(value));
                    }
                }
            }
            self.set(&mut first, Some(place), &valid_keys, &valid_values)?;
        }
        if !wanted.is_empty() {
            self.put_back(&mut first, &used)?;
            self.old = first;
        }
        let Self { old, nodes, .. } = self;
        Ok(old.into_iter().filter_map(|place| nodes.get(place).cloned()).collect())
    }

    /// Merges two items; answers where the result is.
    fn merge_items(
        &mut self,
        met: Option<usize>,
        item: Option<usize>,
    ) -> Result<Option<usize>, StrategicMergeError> {
        let clone = |nodes: &[Value], place: Option<usize>| {
            place.and_then(|place| nodes.get(place)).cloned()
        };
        if met == item {
            let Some(value) = clone(&self.nodes, met) else { return Ok(None) };
            let adopted = self.merger.adopt(value, self.at, self.depth + 1)?;
            return Ok(self.store(met, adopted));
        }
        let (old, patch) = (clone(&self.nodes, met), clone(&self.nodes, item));
        let merged = self.merger.walk(old, patch, self.at, self.depth + 1)?;
        let place = if merged.replaced { item } else { met };
        Ok(self.store(place, merged.value))
    }

    fn store(&mut self, place: Option<usize>, value: Option<Value>) -> Option<usize> {
        let (place, value) = (place?, value?);
        *self.nodes.get_mut(place)? = value;
        Some(place)
    }

    /// The first item of a list that has these keys.
    fn find(&self, list: &[usize], keys: &[String], values: &[String]) -> Option<usize> {
        list.iter().copied().find(|place| {
            let Some(item) = self.nodes.get(*place) else { return false };
            if keys.first().is_some_and(String::is_empty) {
                return Some(&text(item)) == values.first();
            }
            item.is_object()
                && keys
                    .iter()
                    .zip(values)
                    .all(|(key, value)| item.get(key).is_some_and(|have| &text(have) == value))
        })
    }

    /// Puts an item in the place of those that have these keys, or at the end; none removes them.
    fn set(
        &self,
        list: &mut Vec<usize>,
        item: Option<usize>,
        keys: &[String],
        values: &[String],
    ) -> Result<(), StrategicMergeError> {
        let named = |texts: &[String]| texts.first().is_some_and(|text| !text.is_empty());
        let sets_map = named(keys) && named(values);
        let mut kept = Vec::new();
        let mut found_any = false;
        for place in list.iter().copied() {
            let Some(node) = self.nodes.get(place) else { continue };
            if node.is_null() || node.as_object().is_some_and(Map::is_empty) {
                continue;
            }
            if !node.is_object() && sets_map {
                kept.push(place);
                continue;
            }
            if !matches(node, keys, values)? {
                if !values.is_empty() {
                    kept.push(place);
                }
                continue;
            }
            found_any = true;
            kept.extend(item);
        }
        if !found_any {
            kept.extend(item);
        }
        *list = kept;
        Ok(())
    }

    /// Puts the old items back, each in the place of the merged one with its keys.
    fn put_back(&self, list: &mut Vec<usize>, keys: &[String]) -> Result<(), StrategicMergeError> {
        for place in self.old.iter().copied() {
            let Some(item) = self.nodes.get(place) else { continue };
            if keys.first().is_some_and(String::is_empty) {
                self.set(list, Some(place), keys, &[text(item)])?;
                continue;
            }
            let mut values = Vec::new();
            for key in keys {
                match item {
                    Value::Object(fields) => match fields.get(key) {
                        Some(value) => values.push(text(value)),
                        None => list.push(place),
                    },
                    Value::Null => list.push(place),
                    other => {
                        let error = FieldError::wrong_kind("MappingNode", other);
                        return Err(StrategicMergeError::WrongKind(error));
                    }
                }
            }
            if keys.len() > 1 {
                self.set(list, None, keys, &values)?;
            }
            self.set(list, Some(place), keys, &values)?;
        }
        Ok(())
    }
}

/// Whether an item has these keys. A key without a value is found if the one before it was.
fn matches(item: &Value, keys: &[String], values: &[String]) -> Result<bool, StrategicMergeError> {
    let mut found = false;
    for (number, key) in keys.iter().enumerate() {
        if let Some(value) = values.get(number) {
            found = match item {
                _ if key.is_empty() => {
                    if item.is_object() || item.is_array() {
                        let error = FieldError::wrong_kind("ScalarNode", item);
                        return Err(StrategicMergeError::WrongKind(error));
                    }
                    &text(item) == value
                }
                Value::Object(fields) => {
                    fields.get(key).is_some_and(|have| value.is_empty() || &text(have) == value)
                }
                other => {
                    let error = FieldError::wrong_kind("MappingNode", other);
                    return Err(StrategicMergeError::WrongKind(error));
                }
            };
        }
        if !found {
            return Ok(false);
        }
    }
    Ok(found)
}

/// Fills keys that an item lacks from another that agrees in the rest.
fn fill_gaps(wanted: &mut [Vec<String>]) {
    if wanted.iter().flatten().all(|value| !value.is_empty()) {
        return;
    }
    for i in 0..wanted.len() {
        let Some(one) = wanted.get(i).cloned() else { continue };
        for j in 0..wanted.len() {
            let Some(filled) = wanted.get(j).and_then(|other| filled(&one, other)) else {
                continue;
            };
            for place in [i, j] {
                if let Some(slot) = wanted.get_mut(place) {
                    slot.clone_from(&filled);
                }
            }
        }
    }
}

/// Both together, if they agree in at least one key and differ in none.
fn filled(one: &[String], other: &[String]) -> Option<Vec<String>> {
    let mut agree = false;
    let mut both = Vec::new();
    for (a, b) in one.iter().zip(other) {
        if a == b {
            agree = true;
        } else if !a.is_empty() && !b.is_empty() {
            return None;
        }
        both.push(if a.is_empty() { b.clone() } else { a.clone() });
    }
    (agree && one.len() == other.len()).then_some(both)
}

/// The keys that any item has, and the values of one item for them.
fn validate(all: &[Vec<String>], values: &[String], keys: &[String]) -> (Vec<String>, Vec<String>) {
    let valid: Vec<bool> = (0..keys.len())
        .map(|key| all.iter().any(|values| values.get(key).is_some_and(|value| !value.is_empty())))
        .collect();
    if !valid.contains(&true) {
        return (keys.to_vec(), values.to_vec());
    }
    let pick = |texts: &[String]| {
        texts
            .iter()
            .zip(&valid)
            .filter(|(_, valid)| **valid)
            .map(|(text, _)| text.clone())
            .collect()
    };
    (pick(keys), pick(values))
}
