//! The fields that `configurations` and `crds` add to what transformers change.

use std::sync::Arc;

use super::{Gathered, Target};
use crate::config::{Config, from_crds};
use crate::documents::{self, DocumentError};
use crate::error::Error;
use crate::kustomization::{Leniency, read_shape, shapes};

impl Target<'_> {
    /// Adds the fields that `configurations` and `crds` name.
    pub(super) fn add_configurations(&self, gathered: &mut Gathered) -> Result<(), Error> {
        let mut added = Config::default();
        for path in &self.kustomization.configurations {
            let document = documents::plain(&self.loader.load(path)?)?;
            let fields = read_shape(&document, &shapes::TRANSFORMER_CONFIG, Leniency::Scalars)
                .map_err(|error| DocumentError::Yaml {
                    reason: format!("error unmarshaling JSON: while decoding JSON: {error}"),
                })?;
            let config: Config = serde_json::from_value(fields.into())
                .map_err(|error| DocumentError::Yaml { reason: error.to_string() })?;
            added.merge(&config)?;
        }
        let mut own = Config::built_in();
        if !self.kustomization.configurations.is_empty() {
            let mut merged = (*own).clone();
            merged.merge(&added)?;
            own = Arc::new(merged);
        }
        gathered.merge_config(&own)?;
        let crds = &self.kustomization.crds;
        for path in crds {
            let doing = || format!("loading CRDs [{}]", crds.join(" "));
            let bytes =
                self.loader.load(path).map_err(|error| Error::from(error).doing(doing()))?;
            let definitions = crd_definitions(&bytes).map_err(|error| {
                let what = format!("unable to parse open API definition from '{path}'");
                Error::from(error).doing(what).doing(doing())
            })?;
            gathered.merge_config(&Arc::new(from_crds(&definitions)?))?;
        }
        Ok(())
    }
}

/// Reads a file of `crds`: definitions by name.
fn crd_definitions(bytes: &[u8]) -> Result<serde_json::Value, DocumentError> {
    let document = documents::plain(bytes)?;
    let wrong = document.as_object().and_then(|all| all.values().find(|value| !value.is_object()));
    if let Some(wrong) = wrong {
        let found = crate::kustomization::json_type(wrong);
        let reason = format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go \
             value of type accumulator.OpenAPIDefinition"
        );
        return Err(DocumentError::Yaml { reason });
    }
    Ok(document)
}
