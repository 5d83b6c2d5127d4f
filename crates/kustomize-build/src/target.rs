//! The build itself: gathers resources, runs generators, components and transformers, and at the
//! end follows the new names.

use std::cell::RefCell;
use std::sync::Arc;

use file_tree::{FileTree, TreePath};
use serde_json::{Map, Value};

use crate::budget::{Budget, fields_weight, printed_fields};
use crate::built::Built;
use crate::config::{Config, from_crds};
use crate::documents::{self, DocumentError};
use crate::emit;
use crate::error::Error;
use crate::generate;
use crate::go_syntax;
use crate::kustomization::{
    COMPONENT, Kustomization, KustomizationError, Leniency, read_shape, shapes,
};
use crate::loader::{Loader, is_remote};
use crate::name_reference;
use crate::options::{Mode, Options};
use crate::order;
use crate::origin::{ConfiguredBy, Origin};
use crate::plugin;
use crate::reads::Reads;
use crate::resource::Resource;
use crate::resources::Resources;
use crate::schema::{SchemaState, parse_open_api};
use crate::transform::{Hash, Shared, Transformer};
use crate::vars::Vars;

const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";

/// Builds the kustomization in a directory.
pub(crate) fn build(
    tree: &FileTree,
    root: &TreePath,
    in_place: Option<&generate::Kustomization>,
    options: &Options,
    reads: &mut Reads,
) -> Result<Built, Error> {
    let loader = Loader::new(tree, root, options)?;
    let built = build_from(loader.clone(), in_place, options);
    loader.tell_reads(reads);
    built
}

fn build_from(
    loader: Loader<'_>,
    in_place: Option<&generate::Kustomization>,
    options: &Options,
) -> Result<Built, Error> {
    let run = Run {
        in_place,
        shared: Shared {
            schema: SchemaState::new(options.mode),
            budget: Budget::new(options.limits.written_bytes),
        },
        warnings: RefCell::new(Vec::new()),
    };
    let mut target = Target::load(&run, loader)?;
    target.set_schema()?;
    if !target.kustomization.build_metadata.is_empty() {
        target.origin = Some(Origin::default());
    }
    let mut gathered = target.gather(Gathered::default())?;

    if gathered.resources.iter().any(|resource| resource.notes.needs_hash) {
        Hash.apply(&mut gathered.resources, &run.shared)?;
        gathered.resources.ensure_unique()?;
    }
    let config = gathered.config();
    let budget = &run.shared.budget;
    name_reference::fix(&mut gathered.resources, &config, budget)?;
    let unused = gathered.vars.resolve(&mut gathered.resources, &config, budget)?;
    if !unused.is_empty() {
        let warning = format!("well-defined vars that were never replaced: {}", unused.join(","));
        run.warnings.borrow_mut().push(warning);
    }
    for resource in gathered.resources.iter() {
        documents::validate(&resource.fields)?;
    }
    gathered.resources.retain(|resource| {
        !resource.has_annotation(LOCAL_CONFIG) || resource.annotation(LOCAL_CONFIG) == "false"
    });
    let built = finish(gathered.resources, &target.kustomization, options)?;
    // What is deep and has many lines is much longer when it is printed.
    for fields in &built {
        budget.spend(printed_fields(fields, 0))?;
    }
    Ok(Built { documents: built, warnings: run.warnings.into_inner() })
}

/// Sorts the resources and takes the notes off them.
fn finish(
    mut resources: Resources,
    kustomization: &Kustomization,
    options: &Options,
) -> Result<Vec<Map<String, Value>>, Error> {
    match (&kustomization.sort_options, options.mode) {
        (Some(sort), _) => order::sort(&mut resources, sort)?,
        (None, Mode::Command) => order::sort_legacy(&mut resources),
        (None, Mode::Controller) => {}
    }
    let asks_for = |what: &str| kustomization.build_metadata.iter().any(|asked| asked == what);
    let (origins, transformations) =
        (asks_for("originAnnotations"), asks_for("transformerAnnotations"));
    let managed_by = asks_for("managedByLabel");
    let mut documents = Vec::with_capacity(resources.len());
    for mut resource in resources.into_vec() {
        if managed_by {
            let mut labels = resource.labels();
            let value = format!("kustomize-{}", options.version);
            labels.insert("app.kubernetes.io/managed-by".to_owned(), value);
            resource.set_labels(labels);
        }
        resource.finish(origins, transformations);
        if resource.notes.has_plain_keys && go_syntax::has_other_keys(&resource.fields) {
            let object = go_syntax::object(&resource.fields);
            let reason = "json: unsupported type: map[interface {}]interface {}".to_owned();
            return Err(Error::Unprintable { object, reason });
        }
        documents.push(resource.fields);
    }
    Ok(documents)
}

/// What all kustomizations of a build share.
struct Run<'a> {
    /// A kustomization that stands in place of the file in its directory.
    in_place: Option<&'a generate::Kustomization>,
    shared: Shared,
    warnings: RefCell<Vec<String>>,
}

/// What a kustomization has gathered.
#[derive(Debug, Default)]
struct Gathered {
    resources: Resources,
    /// None as long as no kustomization has said anything; most say no more than what is built in.
    config: Option<Arc<Config>>,
    vars: Vars,
}

impl Gathered {
    /// Adds fields.
    ///
    /// Flux: what is merged first counts, and a field of all kinds is dropped where one of a single
    /// kind is known, so the order matters.
    fn merge_config(&mut self, more: &Arc<Config>) -> Result<(), Error> {
        let built_in = Config::built_in();
        match &self.config {
            Some(known) if Arc::ptr_eq(known, more) => {}
            None if Arc::ptr_eq(&built_in, more) => self.config = Some(built_in),
            known => {
                let mut config = known.as_deref().cloned().unwrap_or_default();
                config.merge(more)?;
                self.config = Some(Arc::new(config));
            }
        }
        Ok(())
    }

    fn config(&self) -> Arc<Config> {
        self.config.clone().unwrap_or_else(Config::built_in)
    }

    /// Adds what another kustomization gathered.
    fn merge(&mut self, other: Self) -> Result<(), Error> {
        self.resources.append_all(other.resources)?;
        if let Some(config) = &other.config {
            self.merge_config(config)?;
        }
        self.vars.merge(other.vars)?;
        Ok(())
    }
}

/// One kustomization.
struct Target<'a> {
    run: &'a Run<'a>,
    loader: Loader<'a>,
    kustomization: Kustomization,
    file_name: &'static str,
    /// Where it is, if its resources are to say where they come from.
    origin: Option<Origin>,
}

impl<'a> Target<'a> {
    fn load(run: &'a Run<'a>, loader: Loader<'a>) -> Result<Self, Error> {
        let in_place = run
            .in_place
            .filter(|in_place| !loader.is_remote() && in_place.directory == *loader.root());
        let (file_name, kustomization) = if let Some(in_place) = in_place {
            (in_place.file_name, Kustomization::from_fields(in_place.fields.clone())?)
        } else {
            let (name, bytes) = loader.kustomization()?;
            let document = documents::plain(&bytes)
                .map_err(|error| KustomizationError::Yaml { reason: error.to_string() })?;
            (name, Kustomization::read(&document)?)
        };
        run.warnings.borrow_mut().extend(kustomization.warnings());
        let kustomization = kustomization.fixed(&loader.root_name())?;
        Ok(Self { run, loader, kustomization, file_name, origin: None })
    }

    /// Takes the schema that the kustomization names, if it is the first to name one.
    fn set_schema(&self) -> Result<(), Error> {
        let openapi = &self.kustomization.openapi;
        let path = openapi.get("path");
        let bytes = path.map(|path| self.loader.load(path)).transpose()?;
        if self.run.shared.schema.is_decided() {
            return Ok(());
        }
        let version = openapi.get("version").filter(|version| !version.is_empty());
        if bytes.is_some() && version.is_some() {
            return Err(Error::TwoSchemas);
        }
        if let Some(bytes) = bytes {
            self.run.shared.schema.decide(parse_open_api(&documents::plain(&bytes)?)?);
        } else if let Some(version) = version {
            if version != "v1.21.2" && version != "v1_21_2" {
                return Err(Error::OpenApiVersion);
            }
            self.run.shared.schema.decide_built_in();
        }
        Ok(())
    }

    /// Gathers resources and changes them as the kustomization says.
    fn gather(&mut self, mut gathered: Gathered) -> Result<Gathered, Error> {
        let resources = std::mem::take(&mut self.kustomization.resources);
        self.add_resources(&mut gathered, &resources, "resources")
            .map_err(|error| error.doing("accumulating resources"))?;
        self.add_configurations(&mut gathered)?;
        self.run_generators(&mut gathered)?;
        let components = std::mem::take(&mut self.kustomization.components);
        for path in &components {
            gathered = self
                .add_component(gathered, path)
                .map_err(|error| error.doing("accumulating components"))?;
        }
        self.run_transformers(&mut gathered)?;
        self.run_validators(&gathered)?;
        gathered.vars.add(&self.kustomization.vars, &mut gathered.resources).map_err(|error| {
            let vars: Vec<String> =
                self.kustomization.vars.iter().map(ToString::to_string).collect();
            Error::from(error).doing(format!("merging vars [{}]", vars.join(" ")))
        })?;
        Ok(gathered)
    }

    /// Adds files of resources and other kustomizations.
    fn add_resources(
        &mut self,
        gathered: &mut Gathered,
        paths: &[String],
        field: &'static str,
    ) -> Result<(), Error> {
        for path in paths {
            if is_remote(path) && !self.loader.brings(path) {
                let loader = self.remote_loader(path, field)?;
                let (directory, below) =
                    self.build_below(loader, path, false, Gathered::default())?;
                gathered.merge(below).map_err(|error| {
                    error.doing(format!("recursed merging from path '{directory}'"))
                })?;
                continue;
            }
            let Err(no_file) = self.add_file(gathered, path) else { continue };
            if no_file.stands_alone() {
                return Err(no_file);
            }
            let loader = match self.loader.below(path) {
                Ok(loader) => loader,
                Err(_) if is_malformed(&no_file) => return Err(no_file),
                Err(source) if source.stands_alone() => return Err(source),
                Err(source) => {
                    let (file, source) = (no_file.message(), Box::new(source));
                    return Err(Error::NeitherFileNorDirectory { file, source });
                }
            };
            let built = self.build_below(loader, path, false, Gathered::default());
            built
                .and_then(|(directory, below)| {
                    gathered.merge(below).map_err(|error| {
                        error.doing(format!("recursed merging from path '{directory}'"))
                    })
                })
                .map_err(|source| {
                    if source.stands_alone() {
                        return source;
                    }
                    Error::NeitherFileNorDirectory {
                        file: no_file.message(),
                        source: Box::new(source),
                    }
                })?;
            self.within_limit(gathered)?;
        }
        Ok(())
    }

    /// A loader for a base that is in another repository.
    fn remote_loader(&self, url: &str, field: &'static str) -> Result<Loader<'a>, Error> {
        let refused = || Error::Remote { field, url: url.to_owned() };
        self.loader.remote(url)?.ok_or_else(refused)
    }

    fn add_file(&self, gathered: &mut Gathered, path: &str) -> Result<(), Error> {
        let doing = |what: &str| format!("{what} resources from '{path}'");
        let read = self.loader.load(path).map_err(Error::from).and_then(|bytes| {
            let read = documents::resources(&bytes);
            let mut read = read.map_err(|error| match error {
                DocumentError::Late { object, reason } if self.is_command() => {
                    Error::Unprintable { object, reason }
                }
                other => documents::in_file(other, path).into(),
            })?;
            if let Some(origin) = &self.origin {
                let origin = origin.append(path);
                for resource in &mut read {
                    resource.notes.origin = Some(origin.clone());
                }
            }
            let mut resources = Resources::default();
            read.into_iter().try_for_each(|resource| resources.append(resource))?;
            Ok(resources)
        });
        let read = read.map_err(|error| error.doing(doing("accumulating")))?;
        gathered
            .resources
            .append_all(read)
            .map_err(|error| Error::from(error).doing(doing("merging")))?;
        self.within_limit(gathered)
    }

    fn within_limit(&self, gathered: &Gathered) -> Result<(), Error> {
        let limit = self.loader.options().limits.resources;
        if gathered.resources.len() > limit {
            return Err(Error::LimitExceeded { what: "resources", limit: limit as u64 });
        }
        Ok(())
    }

    fn add_component(&mut self, gathered: Gathered, path: &str) -> Result<Gathered, Error> {
        let loader = if is_remote(path) {
            self.remote_loader(path, "components")?
        } else {
            self.loader.below(path).map_err(|error| {
                if error.stands_alone() {
                    return error;
                }
                Error::Component { reason: error.message() }
            })?
        };
        match self.build_below(loader, path, true, gathered) {
            Ok((_, gathered)) => Ok(gathered),
            Err(error) if error.stands_alone() => Err(error),
            Err(error) => Err(Error::ComponentBuild { reason: error.message() }),
        }
    }

    /// Builds another kustomization; answers how messages name its directory, and what it gathered.
    fn build_below(
        &mut self,
        loader: Loader<'a>,
        path: &str,
        is_component: bool,
        gathered: Gathered,
    ) -> Result<(String, Gathered), Error> {
        let directory = loader.root_name();
        let mut below = Target::load(self.run, loader)
            .map_err(|error| error.doing(format!("couldn't make target for path '{directory}'")))?;
        below.kustomization.build_metadata.clone_from(&self.kustomization.build_metadata);
        below.origin = self.origin.as_ref().map(|origin| origin.append(path));
        below.set_schema()?;
        let kind = below.kustomization.kind.clone();
        if is_component && kind != COMPONENT {
            return Err(Error::IsNoComponent { path: directory, kind });
        }
        if !is_component && kind == COMPONENT {
            return Err(Error::IsComponent { path: directory });
        }
        let gathered = below
            .gather(gathered)
            .map_err(|error| error.doing(format!("recursed accumulation of path '{directory}'")))?;
        Ok((directory, gathered))
    }

    /// Adds the fields that `configurations` and `crds` name.
    fn add_configurations(&self, gathered: &mut Gathered) -> Result<(), Error> {
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

    fn run_generators(&mut self, gathered: &mut Gathered) -> Result<(), Error> {
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

    fn is_command(&self) -> bool {
        self.loader.options().mode == Mode::Command
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

    fn run_transformers(&mut self, gathered: &mut Gathered) -> Result<(), Error> {
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

    fn run_validators(&mut self, gathered: &Gathered) -> Result<(), Error> {
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

/// Whether a file is there but is no YAML, so that it cannot be a directory either.
fn is_malformed(error: &Error) -> bool {
    match error {
        Error::While { source, .. } => is_malformed(source),
        Error::Document(
            DocumentError::Malformed { .. }
            | DocumentError::MalformedFile { .. }
            | DocumentError::Late { .. },
        ) => true,
        _ => false,
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
