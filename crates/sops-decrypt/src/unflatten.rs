//! Collections whose places are part of their names, as in `age__list_0__map_enc`.

use std::collections::BTreeMap;

use yaml::commented::{Entry, Line, Mapping, Node};

use crate::error::LoadError;

const MAP: &str = "__map_";
const LIST: &str = "__list_";

/// Deeper names are refused.
const MAX_DEPTH: usize = 16;

/// The collections that these entries are the leaves of.
pub(crate) fn unflatten(flat: &Mapping) -> Result<Mapping, LoadError> {
    let mut root = Place::default();
    for line in flat {
        let Line::Value(entry) = line else { continue };
        let Node::Text(name) = &entry.key else { return Err(LoadError::Unflatten) };
        let place = root.at(name)?;
        if place.value.replace(entry.value.clone()).is_some() {
            return Err(LoadError::Unflatten);
        }
    }
    match root.into_node()? {
        Node::Mapping(entries) => Ok(entries),
        _ => Err(LoadError::Unflatten),
    }
}

#[derive(Default)]
struct Place {
    value: Option<Node>,
    keys: BTreeMap<String, Self>,
    items: BTreeMap<usize, Self>,
}

impl Place {
    fn at(&mut self, name: &str) -> Result<&mut Self, LoadError> {
        let mut place = self;
        let (mut rest, mut is_item) = (name, false);
        for _ in 0..MAX_DEPTH {
            let end = [rest.find(MAP), rest.find(LIST)].into_iter().flatten().min();
            let word = &rest[..end.unwrap_or(rest.len())];
            place = if is_item {
                let index = word.parse().map_err(|_no_number| LoadError::Unflatten)?;
                place.items.entry(index).or_default()
            } else {
                place.keys.entry(word.to_owned()).or_default()
            };
            let Some(end) = end else { return Ok(place) };
            is_item = rest[end..].starts_with(LIST);
            rest = &rest[end + if is_item { LIST.len() } else { MAP.len() }..];
        }
        Err(LoadError::Unflatten)
    }

    fn into_node(self) -> Result<Node, LoadError> {
        match (self.value, self.keys.is_empty(), self.items.is_empty()) {
            (Some(value), true, true) => Ok(value),
            (None, _, true) => {
                let entry = |(key, place): (String, Self)| {
                    Ok(Line::Value(Entry { key: Node::Text(key), value: place.into_node()? }))
                };
                Ok(Node::Mapping(self.keys.into_iter().map(entry).collect::<Result<_, _>>()?))
            }
            (None, true, false) => {
                let last = self.items.last_key_value().map_or(0, |(index, _)| *index);
                if last.checked_add(1) != Some(self.items.len()) {
                    return Err(LoadError::Unflatten);
                }
                let items =
                    self.items.into_values().map(|place| place.into_node().map(Line::Value));
                Ok(Node::Sequence(items.collect::<Result<_, _>>()?))
            }
            _ => Err(LoadError::Unflatten),
        }
    }
}
