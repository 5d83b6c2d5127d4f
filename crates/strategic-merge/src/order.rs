//! The order of a merged list: that of the patch for what it names, that of the object for the rest.

use std::collections::HashMap;

use serde_json::Value;

use crate::directive::PATCH;
use crate::error::{MAX_UNORDERED, MergeError};
use crate::go_print::{printed, type_name};

/// What the items of a list are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Items {
    Scalars,
    /// Objects, and the key by which they are known.
    Maps {
        key: &'static str,
    },
}

impl Items {
    /// What the items of some lists are, which must be of one type; none if there is no item.
    pub(crate) fn of(lists: &[&[Value]], key: &'static str) -> Result<Option<Self>, MergeError> {
        let mut all = lists.iter().copied().flatten();
        let Some(first) = all.next() else { return Ok(None) };
        if first.is_array() {
            return Err(MergeError::ListOfLists);
        }
        if all.any(|item| type_name(item) != type_name(first)) {
            let lists: Vec<String> =
                lists.iter().map(|list| printed(&Value::Array(list.to_vec()))).collect();
            return Err(MergeError::MixedList { lists: format!("[{}]", lists.join(" ")) });
        }
        Ok(Some(if first.is_object() { Self::Maps { key } } else { Self::Scalars }))
    }

    /// What an item is known by.
    fn identity(self, item: &Value) -> String {
        match self {
            Self::Scalars => item.to_string(),
            Self::Maps { key } => item.get(key).map(Value::to_string).unwrap_or_default(),
        }
    }
}

/// Parts a list into what an order names, and the rest.
pub(crate) fn partition(
    items: Vec<Value>,
    order: &[Value],
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>), MergeError> {
    let stray = order.iter().position(|item| !key.is_empty() && !item.is_object());
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, item) in order.iter().enumerate() {
        let identity = if key.is_empty() { Some(item) } else { item.get(key) };
        identity.map(|identity| places.entry(identity.to_string()).or_insert(place));
    }
    let (mut named, mut others) = (Vec::new(), Vec::new());
    for item in items {
        let identity = if key.is_empty() {
            item.to_string()
        } else {
            let Value::Object(fields) = &item else { return Err(MergeError::no_map(&item)) };
            fields.get(key).ok_or_else(|| MergeError::no_merge_key(fields, key))?.to_string()
        };
        let found = places.get(&identity);
        if let Some(stray) = stray
            && found.is_none_or(|found| *found > stray)
        {
            return Err(MergeError::ItemNotAMap { place: stray });
        }
        if found.is_some() { named.push(item) } else { others.push(item) }
    }
    Ok((named, others))
}

/// Sorts what the patch names by the patch and the rest by the object, and joins both.
pub(crate) fn normalize(
    named: Vec<Value>,
    others: Vec<Value>,
    patch_order: &[Value],
    server_order: &[Value],
    items: Items,
) -> Result<Vec<Value>, MergeError> {
    let named = sorted(named, patch_order, items)?;
    let others = sorted(others, server_order, items)?;
    let places = places(server_order, items);
    let place = |item: &Value| places.get(&items.identity(item)).copied();
    let mut joined = Vec::with_capacity(named.len() + others.len());
    let mut others = others.into_iter().peekable();
    for item in named {
        let before = |other: &Value| match (place(other), place(&item)) {
            (Some(other), Some(own)) => other < own,
            _ => false,
        };
        while let Some(other) = others.next_if(before) {
            joined.push(other);
        }
        joined.push(item);
    }
    joined.extend(others);
    Ok(joined)
}

fn places(order: &[Value], items: Items) -> HashMap<String, usize> {
    let mut places = HashMap::new();
    for (place, item) in order.iter().enumerate() {
        places.entry(items.identity(item)).or_insert(place);
    }
    places
}

/// Sorts a list by the places that its items have in another.
fn sorted(list: Vec<Value>, order: &[Value], items: Items) -> Result<Vec<Value>, MergeError> {
    let mut deleted = Vec::new();
    let mut list = list;
    if let Items::Maps { key } = items {
        for item in list.iter().chain(order) {
            let Value::Object(fields) = item else { return Err(MergeError::no_map(item)) };
            if !fields.contains_key(key) {
                return Err(MergeError::no_merge_key(fields, key));
            }
        }
        let is_deleted = |item: &Value| item.get(PATCH).is_some_and(|patch| patch == "delete");
        (deleted, list) = list.into_iter().partition(is_deleted);
    }
    let known = places(order, items);
    let with_place = |item: Value| (known.get(&items.identity(&item)).copied(), item);
    let mut placed: Vec<(Option<usize>, Value)> = list.into_iter().map(with_place).collect();
    if placed.iter().all(|(place, _)| place.is_some()) {
        placed.sort_by_key(|(place, _)| *place);
    } else {
        insertion_sort(&mut placed)?;
    }
    Ok(placed.into_iter().map(|(_, item)| item).chain(deleted).collect())
}

/// Flux: what no order names counts as less than anything, so that it moves to the front one by one.
fn insertion_sort(placed: &mut [(Option<usize>, Value)]) -> Result<(), MergeError> {
    if placed.len() > MAX_UNORDERED {
        return Err(MergeError::ListTooLong { length: placed.len() });
    }
    let is_less = |left: Option<usize>, right: Option<usize>| match (left, right) {
        (Some(left), Some(right)) => left < right,
        _ => true,
    };
    for end in 1..placed.len() {
        for place in (1..=end).rev() {
            let pair = placed.get(place - 1).zip(placed.get(place));
            if !pair.is_some_and(|(before, item)| is_less(item.0, before.0)) {
                break;
            }
            placed.swap(place - 1, place);
        }
    }
    Ok(())
}

/// Whether the items of a patch stand in the order that is set, which must name them all.
pub(crate) fn validate(patch: &[Value], order: &[Value], key: &str) -> Result<(), MergeError> {
    if patch.is_empty() || order.is_empty() {
        return Ok(());
    }
    if let Some(stray) = patch.iter().find(|item| !key.is_empty() && !item.is_object()) {
        return Err(MergeError::no_map(stray));
    }
    let has_directive = |item: &Value| item.get(PATCH).is_some();
    let is_deleted = |item: &Value| item.get(PATCH).is_some_and(|patch| patch == "delete");
    let mut rest = patch.iter().filter(|item| key.is_empty() || !is_deleted(item)).peekable();
    for next in order {
        while rest.next_if(|item| has_directive(item)).is_some() {}
        let Some(item) = rest.peek() else { break };
        if is_same(item, next, key)? {
            rest.next();
        }
    }
    if rest.peek().is_none() {
        return Ok(());
    }
    Err(MergeError::OrderDiffers {
        patch: printed(&Value::Array(patch.to_vec())),
        order: printed(&Value::Array(order.to_vec())),
    })
}

fn is_same(left: &Value, right: &Value, key: &str) -> Result<bool, MergeError> {
    if key.is_empty() {
        return Ok(left == right);
    }
    let value = |item: &Value| {
        let fields = item.as_object().ok_or_else(|| MergeError::no_map(item))?;
        fields.get(key).cloned().ok_or_else(|| MergeError::no_merge_key(fields, key))
    };
    Ok(value(left)? == value(right)?)
}
