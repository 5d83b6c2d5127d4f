//! `labels` and `commonLabels`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Fields, Shared, TransformError, Transformer, change_one};
use crate::budget::Budget;
use crate::field_spec::{FieldSpec, Make, set_entry};
use crate::resource::Resource;
use crate::resources::Resources;
use crate::shared_label::{self, SharedLabel};

/// Sets labels wherever the field specifications say.
#[derive(Debug)]
pub(crate) struct Labels {
    labels: BTreeMap<String, String>,
    fields: Fields,
}

impl Labels {
    pub(crate) fn new(labels: BTreeMap<String, String>, specs: &[FieldSpec]) -> Self {
        Self { labels, fields: Fields::new(specs) }
    }
}

impl Transformer for Labels {
    fn kind(&self) -> &'static str {
        "LabelTransformer"
    }

    fn apply(&self, resources: &mut Resources, shared: &Shared) -> Result<(), TransformError> {
        if self.labels.is_empty() {
            return Ok(());
        }
        for place in 0..resources.len() {
            let Some(resource) = resources.body_mut(place) else { break };
            for (key, value) in &self.labels {
                resource.notes.has_plain_keys = true;
                set_one(resource, key, value, &self.fields, &shared.budget)?;
            }
        }
        Ok(())
    }
}

/// Sets one label in all places.
fn set_one(
    resource: &mut Resource,
    key: &str,
    value: &str,
    fields: &Fields,
    budget: &Budget,
) -> Result<(), TransformError> {
    let (mut made, mut met) = (Vec::new(), Vec::new());
    let gvk = resource.gvk();
    for (spec, path) in fields.selecting(&gvk) {
        let (mut is_made, mut is_met) = (false, false);
        change_one(resource, spec, path, Some(Make::Map), budget, &mut |map| {
            let is_there = map.get(key).is_some();
            is_met |= is_there;
            is_made |= !is_there;
            set_entry(map, key, value, budget)
        })?;
        if is_met {
            met.push(path.to_vec());
        } else if is_made {
            made.push(path.to_vec());
        }
    }
    shared_label::overwrite(resource, key, value, &met, budget)?;
    if made.len() > 1 {
        let (key, value) = (key.to_owned(), Value::from(value));
        resource.notes.shared_labels.push(SharedLabel { key, value, paths: made });
    }
    Ok(())
}

/// Sets entries of maps in all resources.
pub(super) fn set_everywhere(
    entries: &BTreeMap<String, String>,
    fields: &Fields,
    resources: &mut Resources,
    budget: &Budget,
) -> Result<(), TransformError> {
    if entries.is_empty() {
        return Ok(());
    }
    for place in 0..resources.len() {
        let Some(resource) = resources.body_mut(place) else { break };
        resource.notes.has_plain_keys = true;
        fields.change(resource, Some(Make::Map), budget, |map| {
            entries.iter().try_for_each(|(key, value)| set_entry(map, key, value, budget))
        })?;
    }
    Ok(())
}
