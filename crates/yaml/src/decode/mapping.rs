//! Mappings: equal keys, and what is merged from other mappings.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::Decoder;
use super::key::{self, Key, go_syntax};
use crate::Error;
use crate::error::{DefinedAgain, Duplicate};
use crate::node::{Kind, Node};
use crate::resolve::Dialect;

type Entries = [(usize, usize)];

/// The value of a mapping.
pub(super) fn decode(
    decoder: &mut Decoder<'_>,
    entries: &Entries,
) -> Result<Map<String, Value>, Error> {
    let mut map = Map::new();
    match decoder.dialect {
        Dialect::Sigs => fill(decoder, &mut map, &mut HashSet::new(), entries)?,
        Dialect::Kyaml => fill_once(decoder, &mut map, &mut HashSet::new(), entries)?,
    }
    Ok(map)
}

/// Flux: a merge takes place where it stands: it overwrites what stands before, and is overwritten
/// by what follows (goyaml v2).
fn fill(
    decoder: &mut Decoder<'_>,
    map: &mut Map<String, Value>,
    seen: &mut HashSet<Key>,
    entries: &Entries,
) -> Result<(), Error> {
    for (key, value) in entries {
        if decoder.tree.is_merge(*key) {
            // Of several, the first counts most.
            for source in merge_sources(decoder, *value)?.into_iter().rev() {
                merge(decoder, source, |decoder, merged| fill(decoder, map, seen, merged))?;
            }
            continue;
        }
        let key = key::decode(decoder, *key)?;
        let line = decoder.tree.node(*value).line;
        let value = decoder.value(*value)?;
        let Some(name) = key.json() else {
            decoder.unprintable = Some(Error::NullKey { value: go_syntax(&value, "interface {}") });
            continue;
        };
        if seen.contains(&key) {
            decoder.duplicates.push(Duplicate { line, key: key.to_string() });
        } else {
            seen.insert(key);
        }
        map.insert(name, value);
    }
    Ok(())
}

/// What stands in a mapping counts more than what it merges, wherever the merge stands; of several
/// merges only the last counts, and in its list the first (go-yaml v3).
fn fill_once(
    decoder: &mut Decoder<'_>,
    map: &mut Map<String, Value>,
    seen: &mut HashSet<Key>,
    entries: &Entries,
) -> Result<(), Error> {
    refuse_duplicates(decoder, entries)?;
    // Only the outermost mapping is decoded as one whose keys are text, whatever they look like.
    let is_outermost = decoder.under_way.len() == 1;
    let mut last_merge = None;
    for (key, value) in entries {
        if decoder.tree.is_merge(*key) {
            last_merge = Some(*value);
            continue;
        }
        let key = match (key::decode(decoder, *key)?, decoder.tree.resolved(*key)) {
            (key @ Key::Text(_), _) => key,
            // Printed without quotes before it is read a second time, nothing becomes text.
            (Key::Null, Node { kind: Kind::Scalar { text, .. }, .. }) if text.is_empty() => {
                Key::Text(String::new())
            }
            (key @ Key::Null, _) if is_outermost => key,
            (_, Node { kind: Kind::Scalar { text, .. }, .. }) if is_outermost => {
                Key::Text(text.clone())
            }
            _ => return Err(Error::KeyIsNoText),
        };
        if !seen.insert(key.clone()) {
            continue;
        }
        let value = decoder.value(*value)?;
        // Null as a key of the outermost mapping is left out.
        if let Some(name) = key.json() {
            map.insert(name, value);
        }
    }
    if let Some(last) = last_merge {
        for source in merge_sources(decoder, last)? {
            merge(decoder, source, |decoder, merged| fill_once(decoder, map, seen, merged))?;
        }
    }
    Ok(())
}

fn refuse_duplicates(decoder: &Decoder<'_>, entries: &Entries) -> Result<(), Error> {
    let mut lines = HashMap::new();
    let mut again = Vec::new();
    for (key, _) in entries {
        let node = decoder.tree.node(*key);
        let Kind::Scalar { text, .. } = &node.kind else { continue };
        if let Some(first) = lines.get(text) {
            again.push(DefinedAgain { key: text.clone(), line: node.line, first: *first });
        } else {
            lines.insert(text, node.line);
        }
    }
    if again.is_empty() { Ok(()) } else { Err(Error::DefinedAgain(again)) }
}

/// The mappings that a merge takes from.
fn merge_sources(decoder: &Decoder<'_>, index: usize) -> Result<Vec<usize>, Error> {
    let sources = match &decoder.tree.node(index).kind {
        Kind::Mapping(_) | Kind::Alias { .. } => vec![index],
        Kind::Sequence(items) => items.clone(),
        Kind::Scalar { .. } => return Err(Error::Merge),
    };
    let is_mapping =
        |source: &usize| matches!(decoder.tree.resolved(*source).kind, Kind::Mapping(_));
    if sources.iter().all(is_mapping) { Ok(sources) } else { Err(Error::Merge) }
}

/// Merges one mapping with `fill`, which gets its entries.
fn merge<'a>(
    decoder: &mut Decoder<'a>,
    source: usize,
    fill: impl FnOnce(&mut Decoder<'a>, &Entries) -> Result<(), Error>,
) -> Result<(), Error> {
    decoder.spend(0)?;
    let tree = decoder.tree;
    match &tree.node(source).kind {
        Kind::Alias { anchor, target } => {
            decoder.through_alias(anchor, *target, |decoder| merge(decoder, *target, fill))
        }
        Kind::Mapping(entries) => {
            decoder.under_way.push(source);
            let filled = fill(decoder, entries);
            decoder.under_way.pop();
            filled
        }
        Kind::Scalar { .. } | Kind::Sequence(_) => Err(Error::Merge),
    }
}
