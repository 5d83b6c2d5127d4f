//! `replicas`.

use serde_json::Value;

use super::{Fields, Shared, TransformError, Transformer, change_one};
use crate::field_spec::{FieldSpec, Make, set_scalar};
use crate::identity::{GvkText, gvk_selected};
use crate::kustomization::Replica;
use crate::resources::Resources;

/// Sets the number of replicas of the workloads with a name.
#[derive(Debug)]
pub(crate) struct Replicas {
    replica: Replica,
    fields: Fields,
}

impl Replicas {
    pub(crate) fn new(replica: Replica, specs: &[FieldSpec]) -> Self {
        Self { replica, fields: Fields::new(specs) }
    }
}

impl Transformer for Replicas {
    fn kind(&self) -> &'static str {
        "ReplicaCountTransformer"
    }

    fn apply(&self, resources: &mut Resources, shared: &Shared) -> Result<(), TransformError> {
        let mut found = false;
        for place in 0..resources.len() {
            let Some(resource) = resources.body_mut(place) else { break };
            for (spec, path) in self.fields.iter() {
                let gvk = spec.gvk();
                let mut ids = resource.previous_ids().chain(std::iter::once(resource.id()));
                if !ids.any(|id| id.name == self.replica.name && gvk_selected(&id.gvk, &gvk)) {
                    continue;
                }
                drop(ids);
                found = true;
                if spec.selects(&resource.gvk()) {
                    let budget = &shared.budget;
                    change_one(resource, spec, path, Some(Make::Scalar), budget, &mut |field| {
                        set_scalar(field, Value::from(self.replica.count), budget)
                    })?;
                }
            }
        }
        if found {
            return Ok(());
        }
        let kinds = self.fields.iter().map(|(spec, _)| GvkText(&spec.gvk()).to_string()).collect();
        Err(TransformError::NoReplicas { name: self.replica.name.clone(), kinds })
    }
}
