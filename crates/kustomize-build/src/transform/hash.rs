//! Hashes behind the names of generated resources.

use super::{Shared, TransformError, Transformer};
use crate::hash::suffix;
use crate::resources::Resources;

/// Adds to the names of generated resources a hash of what they hold.
#[derive(Debug)]
pub(crate) struct Hash;

impl Transformer for Hash {
    fn kind(&self) -> &'static str {
        "HashTransformer"
    }

    fn apply(&self, resources: &mut Resources, _: &Shared) -> Result<(), TransformError> {
        for resource in resources.iter_mut().filter(|resource| resource.notes.needs_hash) {
            let name = format!("{}-{}", resource.name(), suffix(resource));
            resource.remember_id();
            resource.set_name(&name);
        }
        Ok(())
    }
}
