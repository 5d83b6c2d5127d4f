//! `patchesStrategicMerge`.

use super::patch::merge_into;
use super::{Shared, TransformError, Transformer};
use crate::resource::Resource;
use crate::resources::Resources;

/// Merges patches into the resources that they name.
#[derive(Debug)]
pub(crate) struct PatchStrategicMerge {
    pub(crate) patches: Vec<Resource>,
}

impl Transformer for PatchStrategicMerge {
    fn kind(&self) -> &'static str {
        "PatchStrategicMergeTransformer"
    }

    fn apply(&self, resources: &mut Resources, shared: &Shared) -> Result<(), TransformError> {
        for patch in &self.patches {
            let place = resources.target_of(&patch.original_id())?;
            merge_into(resources, &[place], patch, true, shared)?;
        }
        Ok(())
    }
}
