//! An index as JSON, walked without being held.

use std::io::Read;

use serde::Deserializer as _;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::{Collect, IndexError, MAX_ENTRIES, entry, is_empty};

pub(super) fn read(input: impl Read, into: &mut impl Collect) -> Result<(), IndexError> {
    let mut walk = Walk { into, read: 0, has_api_version: false, stop: None };
    let mut input = serde_json::Deserializer::from_reader(input);
    let walked = input.deserialize_map(Document(&mut walk));
    if let Some(stop) = walk.stop {
        return Err(stop);
    }
    walked.map_err(IndexError::Json)?;
    if walk.has_api_version { Ok(()) } else { Err(IndexError::NoApiVersion) }
}

/// How far the walk has come.
struct Walk<'a, C> {
    into: &'a mut C,
    read: usize,
    has_api_version: bool,
    /// Why it ended early, for which serde has no word.
    stop: Option<IndexError>,
}

struct Document<'w, 'a, C>(&'w mut Walk<'a, C>);
struct Entries<'w, 'a, C>(&'w mut Walk<'a, C>);
struct Versions<'w, 'a, C>(&'w mut Walk<'a, C>, String);

impl<'de, C: Collect> Visitor<'de> for Document<'_, '_, C> {
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
                    self.0.has_api_version = !is_empty(&version);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl<'de, C: Collect> DeserializeSeed<'de> for Entries<'_, '_, C> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de, C: Collect> Visitor<'de> for Entries<'_, '_, C> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the entries of an index")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(chart) = map.next_key::<String>()? {
            if self.0.into.wants(&chart) {
                map.next_value_seed(Versions(self.0, chart))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

impl<'de, C: Collect> DeserializeSeed<'de> for Versions<'_, '_, C> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        input.deserialize_any(self)
    }
}

impl<'de, C: Collect> Visitor<'de> for Versions<'_, '_, C> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the versions of a chart")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.into.chart(&self.1);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self(walk, chart) = self;
        walk.into.chart(&chart);
        while let Some(value) = list.next_element::<Value>()? {
            walk.read += 1;
            let taken = if walk.read > MAX_ENTRIES {
                Err(IndexError::TooManyEntries)
            } else {
                walk.into.take(&chart, entry(&value))
            };
            if let Err(stop) = taken {
                walk.stop = Some(stop);
                return Err(serde::de::Error::custom("enough"));
            }
        }
        Ok(())
    }
}
