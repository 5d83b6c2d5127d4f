//! Generators, transformers and validators at work.

use super::{Gathered, Target};
use crate::budget::fields_weight;
use crate::documents;
use crate::emit;
use crate::error::Error;
use crate::origin::{ConfiguredBy, Origin};
use crate::plugin;
use crate::resource::Resource;
use crate::resources::Resources;
use crate::transform::Transformer;

impl Target<'_> {
    pub(super) fn run_generators(&mut self, gathered: &mut Gathered) -> Result<(), Error> {
        if !self.kustomization.helm_charts.is_empty() {
            return Err(self.helm_refused());
        }
        let mut made = Vec::new();
        for generated in plugin::generated(&self.kustomization, &self.loader) {
            let (kind, mut resource) = generated?;
            self.run.shared.budget.spend(fields_weight(&resource.fields))?;
            let origin = self.origin.as_ref().map(|origin| origin.of_field(self.file_name, kind));
            resource.notes.origin = origin;
            made.push(resource);
        }
        let generators = std::mem::take(&mut self.kustomization.generators);
        let documents = self
            .plugin_documents(&generators, "generators")
            .map_err(|error| error.doing("loading generator plugins"))?;
        for document in &documents {
            let mut resource = plugin::generator(document, &self.loader).map_err(|error| {
                Error::from(error)
                    .doing("failed to load generator")
                    .doing("loading generator plugins")
            })?;
            resource.notes.origin = plugin_origin(document);
            made.push(resource);
        }
        // The pointers are Go's; a message that changes from run to run helps nobody.
        let origin = if self.origin.is_some() { "0xPTR" } else { "<nil>" };
        for resource in made {
            gathered.resources.absorb(resource).map_err(|error| {
                Error::from(error).doing(format!("merging from generator &{{0xPTR {origin}}}"))
            })?;
        }
        self.within_limit(gathered)
    }

    /// Why Helm charts are not inflated, for the command in kustomize's own words.
    fn helm_refused(&self) -> Error {
        let charts = &self.kustomization.helm_charts;
        let Some(serde_json::Value::Object(chart)) = charts.first().filter(|_| self.is_command())
        else {
            return plugin::PluginError::Helm { field: "helmCharts" }.into();
        };
        let mut config = match &self.kustomization.helm_globals {
            Some(serde_json::Value::Object(globals)) => globals.clone(),
            _ => serde_json::Map::new(),
        };
        config.extend(chart.clone());
        config.retain(|_, value| !crate::value::is_empty(value));
        plugin::PluginError::HelmDisabled { config: emit::stream(&[config]) }.into()
    }

    pub(super) fn run_transformers(&mut self, gathered: &mut Gathered) -> Result<(), Error> {
        let built_in = plugin::transformers(
            &self.kustomization,
            &gathered.config(),
            &self.loader,
            &self.run.shared.budget,
        )?;
        let mut all: Vec<(Option<Origin>, Box<dyn Transformer>)> = built_in
            .into_iter()
            .map(|transformer| {
                let origin = self.origin.as_ref();
                (origin.map(|o| o.of_field(self.file_name, transformer.kind())), transformer)
            })
            .collect();
        let transformers = std::mem::take(&mut self.kustomization.transformers);
        for document in self.plugin_documents(&transformers, "transformers")? {
            for transformer in plugin::transformer(&document, &self.loader)? {
                all.push((plugin_origin(&document), transformer));
            }
        }
        for (origin, transformer) in all {
            transformer.apply(&mut gathered.resources, &self.run.shared)?;
            if let Some(origin) = origin {
                for place in 0..gathered.resources.len() {
                    let Some(resource) = gathered.resources.body_mut(place) else { break };
                    self.run.shared.budget.spend(origin.weight())?;
                    if resource.notes.origin.is_none() {
                        resource.notes.origin = Some(origin.clone());
                    } else {
                        resource.notes.transformed_by.push(origin.clone());
                    }
                }
            }
            gathered.resources.retain(|resource| !resource.fields.is_empty());
        }
        Ok(())
    }

    pub(super) fn run_validators(&mut self, gathered: &Gathered) -> Result<(), Error> {
        let validators = std::mem::take(&mut self.kustomization.validators);
        for document in self.plugin_documents(&validators, "validators")? {
            for validator in plugin::transformer(&document, &self.loader)? {
                let mut validated = gathered.resources.clone();
                validator.apply(&mut validated, &self.run.shared)?;
                if let Some(reason) = difference(&gathered.resources, &validated) {
                    return Err(Error::ValidatorChanged { reason });
                }
            }
        }
        Ok(())
    }

    /// The documents that configure plugins: inline, in files, or built.
    fn plugin_documents(
        &mut self,
        entries: &[String],
        field: &'static str,
    ) -> Result<Vec<Resource>, Error> {
        let mut gathered = Gathered::default();
        let mut paths = Vec::new();
        for entry in entries {
            let Ok(inline) = documents::resources(entry.as_bytes()) else {
                paths.push(entry.clone());
                continue;
            };
            for mut resource in inline {
                let origin = self.origin.as_ref();
                resource.notes.origin = origin.map(|origin| origin.append(self.file_name));
                gathered.resources.append(resource)?;
            }
        }
        self.add_resources(&mut gathered, &paths, field)?;
        Ok(gathered.resources.into_vec())
    }
}

/// What a validator changed, as kustomize says it: first the one, then the other.
fn difference(before: &Resources, after: &Resources) -> Option<String> {
    const POINTER: &str = "&resource.Resource{RNode:yaml.RNode{fieldPath:[]string(nil), \
                           value:(*yaml.Node)(0xPTR), ShouldKeep:false, Match:[]string(nil)}, \
                           refVarNames:[]string(nil)}";
    let notes = |resource: &Resource| {
        let notes = &resource.notes;
        (notes.previous.len(), notes.prefixes.len(), notes.suffixes.len())
    };
    before.iter().zip(after.iter()).find_map(|(before, after)| {
        if before.id() != after.id() {
            return Some(format!("id in self missing from other; id: {}", before.id()));
        }
        if before.fields == after.fields && notes(before) == notes(after) {
            return None;
        }
        let (before, after) = (emit::json_with_notes(before), emit::json_with_notes(after));
        Some(format!(
            "nodes unequal: \n -- {before},\n -- {after}\n\n--\n{POINTER}\n------\n{POINTER}\n"
        ))
    })
}

/// Where a plugin is configured.
fn plugin_origin(document: &Resource) -> Option<Origin> {
    let origin = document.notes.origin.as_ref()?;
    Some(origin.of_plugin(ConfiguredBy {
        api_version: document.api_version(),
        kind: document.kind(),
        name: document.name(),
        namespace: document.namespace(),
    }))
}
