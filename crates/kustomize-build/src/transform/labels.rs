//! `labels` and `commonLabels`.

use std::collections::BTreeMap;

use super::{Fields, TransformError, Transformer};
use crate::field_spec::{FieldSpec, Make, set_entry};
use crate::resources::Resources;
use crate::schema::SchemaState;

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

    fn apply(&self, resources: &mut Resources, _: &SchemaState) -> Result<(), TransformError> {
        set_everywhere(&self.labels, &self.fields, resources)
    }
}

/// Sets entries of maps in all resources.
pub(super) fn set_everywhere(
    entries: &BTreeMap<String, String>,
    fields: &Fields,
    resources: &mut Resources,
) -> Result<(), TransformError> {
    if entries.is_empty() {
        return Ok(());
    }
    for place in 0..resources.len() {
        let Some(resource) = resources.body_mut(place) else { break };
        resource.notes.has_plain_keys = true;
        fields.change(resource, Some(Make::Map), |map| {
            entries.iter().try_for_each(|(key, value)| set_entry(map, key, value))
        })?;
    }
    Ok(())
}
