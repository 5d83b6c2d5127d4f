//! `commonAnnotations`.

use std::collections::BTreeMap;

use super::labels::set_everywhere;
use super::{Fields, Shared, TransformError, Transformer};
use crate::field_spec::FieldSpec;
use crate::resources::Resources;

/// Sets annotations wherever the field specifications say.
#[derive(Debug)]
pub(crate) struct Annotations {
    annotations: BTreeMap<String, String>,
    fields: Fields,
}

impl Annotations {
    pub(crate) fn new(annotations: BTreeMap<String, String>, specs: &[FieldSpec]) -> Self {
        Self { annotations, fields: Fields::new(specs) }
    }
}

impl Transformer for Annotations {
    fn kind(&self) -> &'static str {
        "AnnotationsTransformer"
    }

    fn apply(&self, resources: &mut Resources, shared: &Shared) -> Result<(), TransformError> {
        set_everywhere(&self.annotations, &self.fields, resources, &shared.budget)
    }
}
