//! `patchesJson6902`.

use super::patch::apply_json;
use super::{Shared, TransformError, Transformer};
use crate::json_patch::Patch;
use crate::resources::Resources;
use crate::selector::Matcher;

/// Applies a JSON patch to the resources that it selects.
#[derive(Debug)]
pub(crate) struct PatchJson6902 {
    pub(crate) patch: Patch,
    pub(crate) target: Matcher,
}

impl Transformer for PatchJson6902 {
    fn kind(&self) -> &'static str {
        "PatchJson6902Transformer"
    }

    fn apply(&self, resources: &mut Resources, shared: &Shared) -> Result<(), TransformError> {
        for place in self.target.select(resources) {
            resources
                .change(place, |resource| apply_json(resource, &self.patch, &shared.budget))?;
        }
        Ok(())
    }
}
