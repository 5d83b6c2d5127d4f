//! An index as JSON, walked without being held.

use std::io::Read;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{Index, IndexError, Keep, MAX_ENTRIES, entry};

pub(super) fn read(input: impl Read, keep: Keep<'_>) -> Result<Index, IndexError> {
    let mut index = Index::default();
    let mut found = Found { index: &mut index, keep, read: 0, has_api_version: false };
    let mut input = serde_json::Deserializer::from_reader(input);
    input.deserialize_map(Document(&mut found)).map_err(IndexError::Json)?;
    if !found.has_api_version {
        return Err(IndexError::NoApiVersion);
    }
    Ok(index)
}

/// What was found so far.
struct Found<'a, 'k> {
    index: &'a mut Index,
    keep: Keep<'k>,
    read: usize,
    has_api_version: bool,
}

struct Document<'f, 'a, 'k>(&'f mut Found<'a, 'k>);
struct Entries<'f, 'a, 'k>(&'f mut Found<'a, 'k>);
struct Versions<'f, 'a, 'k>(&'f mut Found<'a, 'k>, String);

impl<'de> Visitor<'de> for Document<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an index")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "entries" => map.next_value_seed(Entries(self.0))?,
                "apiVersion" => {
                    let version: Value = map.next_value()?;
                    self.0.has_api_version = !version.is_null() && version != "";
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Entries<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the entries of an index")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(chart) = map.next_key::<String>()? {
            if matches!(self.0.keep, Keep::Chart(wanted) if wanted != chart) {
                map.next_value::<IgnoredAny>()?;
            } else {
                map.next_value_seed(Versions(self.0, chart))?;
            }
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Versions<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Versions<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the versions of a chart")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.index.entries.insert(self.1, Vec::new());
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let mut versions = Vec::new();
        while let Some(value) = list.next_element::<Value>()? {
            self.0.read += 1;
            if self.0.read > MAX_ENTRIES {
                return Err(serde::de::Error::custom(IndexError::TooManyEntries));
            }
            match entry(&value) {
                Some(entry) => versions.push(entry),
                None => self.0.index.skipped += 1,
            }
        }
        self.0.index.entries.insert(self.1, versions);
        Ok(())
    }
}
