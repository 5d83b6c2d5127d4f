//! `namePrefix` and `nameSuffix`.

use manifest::Gvk;
use serde_json::Value;

use super::{Fields, Shared, TransformError, Transformer, change_one};
use crate::field_spec::{FieldSpec, Make, scalar_text, set_scalar};
use crate::identity::gvk_selected;
use crate::resources::Resources;

/// Which end of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Prefix,
    Suffix,
}

/// Adds a prefix or a suffix to names.
#[derive(Debug)]
pub(crate) struct NameAffix {
    side: Side,
    affix: String,
    fields: Fields,
}

impl NameAffix {
    pub(crate) fn new(side: Side, affix: String, specs: &[FieldSpec]) -> Self {
        Self { side, affix, fields: Fields::new(specs) }
    }
}

/// Kinds whose names mean something outside of the build.
fn keeps_its_name(gvk: &Gvk) -> bool {
    matches!(gvk.kind.as_str(), "CustomResourceDefinition" | "Namespace")
        || gvk.kind == "APIService" && gvk.group == "apiregistration.k8s.io"
}

impl Transformer for NameAffix {
    fn kind(&self) -> &'static str {
        match self.side {
            Side::Prefix => "PrefixTransformer",
            Side::Suffix => "SuffixTransformer",
        }
    }

    fn apply(&self, resources: &mut Resources, shared: &Shared) -> Result<(), TransformError> {
        if self.affix.is_empty() {
            return Ok(());
        }
        for resource in resources.iter_mut() {
            let original = resource.original_id();
            if keeps_its_name(&original.gvk) {
                continue;
            }
            for (spec, path) in self.fields.iter() {
                if !gvk_selected(&original.gvk, &spec.gvk()) {
                    continue;
                }
                if spec.path == "metadata/name" {
                    let affixes = match self.side {
                        Side::Prefix => &mut resource.notes.prefixes,
                        Side::Suffix => &mut resource.notes.suffixes,
                    };
                    affixes.push(self.affix.clone());
                    resource.remember_id();
                }
                if !spec.selects(&resource.gvk()) {
                    continue;
                }
                let budget = &shared.budget;
                change_one(resource, spec, path, Some(Make::Scalar), budget, &mut |field| {
                    let old = scalar_text(field)?;
                    let new = match self.side {
                        Side::Prefix => format!("{}{old}", self.affix),
                        Side::Suffix => format!("{old}{}", self.affix),
                    };
                    set_scalar(field, Value::from(new), budget)
                })?;
            }
        }
        Ok(())
    }
}
